// SDRAM of single data rate, as far as the controller uses it: bursts of 1 or 2
// columns in turn, no AUTO PRECHARGE, no masks, never in power-down. Each command is held to the data
// sheet's times, and what breaks one ends the simulation: chip_failed says which. Times are in ps,
// MRD and WR in clocks; a plusarg of the same name (+tRCD=30000) makes a slower chip of it. Signals
// are high where they are active.
`define TIME(name) if (!$value$plusargs({`"name`", "=%d"}, the_``name)) the_``name = 64'(name)
module Sdram #(
    parameter PERIOD = 12000, tPOWER = 200000000, tRC = 65000, tRAS = 45000, tRASMOST = 100000000,
    parameter tRP = 20000, tRCD = 20000, tRRD = 15000, tRFC = 70000, tREFI = 7812500,
    parameter MRD = 2, WR = 2, CAS = 3, REFRESHES = 8,
    parameter BANKBITS = 2, ROWBITS = 13, COLUMNBITS = 9, WIDTH = 16
) (
    input bit clk, cke, cs, ras, cas, we,
    input bit [BANKBITS - 1:0] ba,
    input bit [ROWBITS - 1:0] a,
    input bit [WIDTH / 8 - 1:0] dqm,
    input bit [WIDTH - 1:0] in, input bit drive,
    output bit [WIDTH - 1:0] out
);
    import "DPI-C" function void chip_failed(string text);
    localparam BANKS = 1 << BANKBITS;
    localparam longint LONG = 64'h1000000000;  // ago
    longint the_tPOWER, the_tRC, the_tRAS, the_tRASMOST, the_tRP, the_tRCD, the_tRRD, the_tRFC;
    longint the_tREFI, the_MRD, the_WR, the_CAS;
    initial begin
        `TIME(tPOWER); `TIME(tRC); `TIME(tRAS); `TIME(tRASMOST); `TIME(tRP); `TIME(tRCD);
        `TIME(tRRD); `TIME(tRFC); `TIME(tREFI); `TIME(MRD); `TIME(WR); `TIME(CAS);
    end

    reg [WIDTH - 1:0] words[0:(1 << (BANKBITS + ROWBITS + COLUMNBITS)) - 1];
    longint now = 0, since = 0, began = 0, refreshed = 0, moded = -LONG, last = -LONG;
    longint activated[BANKS], precharged[BANKS], written[BANKS];
    bit [BANKS - 1:0] open = 0;
    bit [ROWBITS - 1:0] row[BANKS];
    bit swept = 0, ready = 0;  // all banks were precharged once; it may be used
    int refreshes = 0, latency = 3;
    bit two = 0;  // columns of a burst
    // a burst: where it goes on, and which way
    bit more = 0, writing = 0;
    bit [BANKBITS + ROWBITS + COLUMNBITS - 1:0] at;
    bit [BANKBITS - 1:0] of;
    bit [WIDTH - 1:0] pipe[4];
    bit [3:0] full = 0;
    initial for (int n = 0; n < BANKS; n++) begin
        activated[n] = -LONG; precharged[n] = -LONG; written[n] = -LONG;
    end

    task automatic must(input bit holds, input string rule);
        if (!holds) chip_failed($sformatf("%s, %0d ns after power-up", rule, now / 1000));
    endtask
    function automatic bit rested();  // since each bank's PRECHARGE
        rested = 1;
        for (int n = 0; n < BANKS; n++) rested &= now - precharged[n] >= the_tRP;
    endfunction

    always @(posedge clk) begin
        bit [2:0] command;
        bit reads;
        command = cs ? {ras, cas, we} : 0;
        now = now + PERIOD;
        reads = 0;
        if (!cke) begin
            since = now;
            must(command == 0, "a command must not come without CKE");
        end
        if (command != 0) begin
            must(now - since >= the_tPOWER, "tPOWER: the first command came too early");
            must(now - moded >= the_MRD * PERIOD, "MRD: a command came too soon after MODE");
        end
        case (command)
            3'b100: begin  // ACTIVATE
                must(ready, "ACTIVATE must come after the start: PRECHARGE, REFRESH, MODE");
                must(!open[ba], "ACTIVATE must not come to an open bank");
                must(now - precharged[ba] >= the_tRP, "tRP: ACTIVATE came too soon");
                must(now - activated[ba] >= the_tRC, "tRC: ACTIVATE came too soon");
                must(now - last >= the_tRRD, "tRRD: ACTIVATE came too soon");
                must(now - refreshed >= the_tRFC, "tRFC: ACTIVATE came too soon");
                open[ba] = 1;
                row[ba] = a;
                activated[ba] = now;
                last = now;
            end
            3'b010, 3'b011: begin  // READ, WRITE
                must(open[ba], "READ and WRITE must have an open bank");
                must(now - activated[ba] >= the_tRCD, "tRCD: READ or WRITE came too soon");
                must(!a[10] && dqm == 0, "AUTO PRECHARGE and masks have no model");
                at = {ba, row[ba], a[COLUMNBITS - 1:0]};
                of = ba;
                more = 1;
                writing = we;
            end
            3'b101: begin  // PRECHARGE
                for (int n = 0; n < BANKS; n++)
                    if (a[10] || n == 32'(ba)) begin
                        if (open[n]) begin
                            must(now - activated[n] >= the_tRAS, "tRAS: PRECHARGE came too soon");
                            must(now - written[n] >= the_WR * PERIOD, "WR: PRECHARGE came too soon");
                            precharged[n] = now;
                        end
                        if (!ready) precharged[n] = now;
                        if (n == 32'(of)) more = 0;
                        open[n] = 0;
                    end
                swept |= a[10];
            end
            3'b110: begin  // REFRESH
                must(swept, "REFRESH must come after the start's PRECHARGE");
                must(open == 0, "REFRESH must have all banks closed");
                must(rested(), "tRP: REFRESH came too soon");
                must(now - refreshed >= the_tRFC || refreshes == 0, "tRFC: REFRESH came too soon");
                refreshed = now;
                refreshes = refreshes + 1;
            end
            3'b111: begin  // MODE
                must(swept && refreshes >= REFRESHES, "MODE must come after the start's refreshes");
                must(open == 0 && rested(), "tRP: MODE came too soon");
                must(now - refreshed >= the_tRFC, "tRFC: MODE came too soon");
                must(a[ROWBITS - 1:7] == 0 && a[3:1] == 0, "this mode has no model");
                must(64'(a[6:4]) >= the_CAS, "CAS: the latency in MODE is too short");
                latency = 32'(a[6:4]);
                two = a[0];
                moded = now;
                if (!ready) begin began = now; refreshes = 0; end
                ready = 1;
            end
            3'b001: chip_failed("BURST STOP has no model");
            default: ;
        endcase
        // all rows in turn, so often that none waits longer than tREF
        if (ready)
            must(now - began <= 64'(refreshes + 2) * the_tREFI, "tREFI: refreshes are missing");
        for (int n = 0; n < BANKS; n++)
            if (open[n])
                must(now - activated[n] <= the_tRASMOST, "tRAS: a bank is open for too long");
        // a datum of a burst: taken now, or on the wires `latency` clocks from now
        if (more && writing) begin
            must(drive, "WRITE must have its datum on the wires");
            words[at] = in;
            written[of] = now;
        end
        reads = more && !writing;
        must(!(drive && full[0]), "the chip and the controller must not drive the wires at once");
        full = {1'b0, full[3:1]};
        for (int n = 0; n < 3; n++) pipe[n] = pipe[n + 1];
        if (reads) begin
            full[2'(latency - 1)] = 1;
            pipe[2'(latency - 1)] = words[at];
        end
        out <= full[0] ? pipe[0] : WIDTH'(now) ^ WIDTH'(32'hc33c5aa5);  // else whatever
        if (more) begin
            more = two && !at[0];
            at[0] = 1;
        end
    end
endmodule

// The chip behind a device's pins: outputs have OUT registers, the chip's clock is the device's
// upside down, and its data are taken with the falling edge.
module SdramPins #(
    parameter OUT = 3, PERIOD = 12000, tPOWER = 200000000, tRC = 65000, tRAS = 45000,
    parameter tRASMOST = 100000000, tRP = 20000, tRCD = 20000, tRRD = 15000, tRFC = 70000,
    parameter tREFI = 7812500, MRD = 2, WR = 2, CAS = 3, REFRESHES = 8,
    parameter BANKBITS = 2, ROWBITS = 13, COLUMNBITS = 9, WIDTH = 16
) (
    input bit clk, cke, cs, ras, cas, we,
    input bit [BANKBITS - 1:0] ba,
    input bit [ROWBITS - 1:0] a,
    input bit [WIDTH / 8 - 1:0] dqm,
    input bit [WIDTH - 1:0] out, input bit drive,
    output bit [WIDTH - 1:0] in
);
    typedef struct packed {
        bit cke, cs, ras, cas, we;
        bit [BANKBITS - 1:0] ba;
        bit [ROWBITS - 1:0] a;
        bit [WIDTH / 8 - 1:0] dqm;
        bit [WIDTH - 1:0] out;
        bit drive;
    } Pins;
    Pins stage[OUT];
    bit [WIDTH - 1:0] chip, taken;
    always @(posedge clk) begin
        stage[0] <= {cke, cs, ras, cas, we, ba, a, dqm, out, drive};
        for (int n = 1; n < OUT; n++) stage[n] <= stage[n - 1];
        in <= taken;
    end
    always @(negedge clk) taken <= chip;
    Sdram #(
        .PERIOD, .tPOWER, .tRC, .tRAS, .tRASMOST, .tRP, .tRCD, .tRRD, .tRFC, .tREFI, .MRD, .WR, .CAS,
        .REFRESHES, .BANKBITS, .ROWBITS, .COLUMNBITS, .WIDTH
    ) sdram (
        .clk(~clk), .cke(stage[OUT - 1].cke), .cs(stage[OUT - 1].cs), .ras(stage[OUT - 1].ras),
        .cas(stage[OUT - 1].cas), .we(stage[OUT - 1].we), .ba(stage[OUT - 1].ba),
        .a(stage[OUT - 1].a), .dqm(stage[OUT - 1].dqm), .in(stage[OUT - 1].out),
        .drive(stage[OUT - 1].drive), .out(chip)
    );
endmodule
