// Flash at a serial interface, as far as the controller uses it: RELEASE POWER-DOWN, READ STATUS,
// WRITE ENABLE, PAGE PROGRAM, BLOCK ERASE, FAST READ. What breaks a rule of the data sheet ends the
// simulation: chip_failed says which. Times are in ps; a plusarg of the same name makes another chip
// of it (+tPROGRAM=3000000000). It is in power-down at first, and its bits are neither 0 nor 1 all.
`define TIME(name) if (!$value$plusargs({`"name`", "=%d"}, the_``name)) the_``name = 64'(name)
module Flash #(
    parameter PERIOD = 33333, tHIGH = 50000, tWAKE = 3000000, tCYCLE = 10000,
    parameter longint tPROGRAM = 400000000, tERASE = 150000000000
) (
    input bit clk,  // for the time alone
    input bit cs, sck, copi,
    output bit cipo
);
    import "DPI-C" function void chip_failed(string text);
    longint the_tHIGH, the_tWAKE, the_tCYCLE, the_tPROGRAM, the_tERASE;
    initial begin
        `TIME(tHIGH); `TIME(tWAKE); `TIME(tCYCLE); `TIME(tPROGRAM); `TIME(tERASE);
    end
    reg [7:0] bytes[0:(1 << 24) - 1];
    initial for (int n = 0; n < 1 << 24; n++) bytes[n] = 8'(n * 7) ^ 8'(n >> 11);

    longint now = 0, deselected = -1000000000, rose = -1000000000, ends = 0, awake = -1;
    bit asleep = 1, enabled = 0, selected = 0, high = 0;
    int bits = 0, filled = 0;
    bit [7:0] command = 0, shifted = 0, page[256];
    bit [23:0] address = 0;
    always @(posedge clk) now = now + PERIOD;

    task automatic must(input bit holds, input string rule);
        if (!holds) chip_failed($sformatf("%s, %0d ns after power-up", rule, now / 1000));
    endtask
    task automatic decide();  // the first byte is there
        must(!asleep || command == 8'hab, "a command must not come in power-down");
        must(awake < 0 || now - awake >= the_tWAKE, "tWAKE: a command came too soon");
        must(now >= ends || command == 8'h05, "a busy chip must be asked for its status alone");
        case (command)
            8'hab, 8'h05, 8'h06, 8'h0b: ;
            8'h02, 8'hd8: must(enabled, "WRITE ENABLE must come before");
            default: chip_failed($sformatf("command %02h has no model", command));
        endcase
    endtask
    task automatic finish();  // the command has its end
        must(bits % 8 == 0, "a command must have whole bytes");
        case (command)
            8'hab: begin asleep = 0; awake = now; end
            8'h06: enabled = 1;
            8'hd8: begin
                must(bits == 32, "BLOCK ERASE must have an address");
                for (int n = 0; n < 65536; n++) bytes[{address[23:16], 16'(n)}] = 8'hff;
                ends = now + the_tERASE;
                enabled = 0;
            end
            8'h02: begin
                must(filled > 0 && filled <= 256, "PAGE PROGRAM must have 1 to 256 bytes");
                for (int n = 0; n < filled; n++)
                    bytes[{address[23:8], 8'(address[7:0] + 8'(n))}] &= page[n];
                ends = now + the_tPROGRAM;
                enabled = 0;
            end
            default: ;
        endcase
    endtask

    always @(posedge cs or negedge cs or posedge sck or negedge sck) begin
        if (cs && !selected) begin
            must(now - deselected >= the_tHIGH, "tHIGH: it was selected too soon");
            must(!sck, "it must be selected while the clock is low");
            bits = 0; filled = 0; command = 0;
        end
        if (!cs && selected) begin
            finish();
            deselected = now;
        end
        if (cs && sck && !high) begin
            must(now - rose >= the_tCYCLE, "tCYCLE: the clock is too fast");
            rose = now;
            shifted = {shifted[6:0], copi};
            bits = bits + 1;
            if (bits == 8) begin command = shifted; decide(); end
            else if (bits > 8 && bits <= 32) address = {address[22:0], copi};
            else if (command == 8'h02 && bits % 8 == 0 && bits > 32) begin
                if (filled < 256) page[filled] = shifted;
                filled = filled + 1;
            end
        end
        if (cs && !sck && high) begin
            if (command == 8'h05 && bits >= 8) cipo = bits % 8 == 7 && now < ends;
            else if (command == 8'h0b && bits >= 40)
                cipo = bytes[24'(address + 24'((bits - 40) / 8))][7 - bits % 8];
            else cipo = ~cipo;
        end
        selected = cs;
        high = sck;
    end
endmodule
