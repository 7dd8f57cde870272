// The bench's ends of streams and events. Clock and handshake rules: golden/stalls.py.
// Logs are little-endian 32-bit words: {data, address, clock}, the clock in the first word.
// A reset begins everything anew, the files too: what was logged before it is dropped.

// Whether an end of a stream goes at this clock: a xorshift against a threshold.
module bench_go #(
    parameter string NAME = ""
) (
    input  bit clk,
    input  bit rst,
    output bit go
);
  bit [31:0] first, state, a, b;
  bit [7:0] stall;

  initial begin
    if (!$value$plusargs({NAME, ".state=%d"}, first)) $fatal(1, "no state for %s", NAME);
    if (!$value$plusargs({NAME, ".stall=%d"}, stall)) $fatal(1, "no stall for %s", NAME);
  end

  assign go = state[7:0] >= stall;
  assign a  = state ^ (state << 13);
  assign b  = a ^ (a >> 17);
  always @(posedge clk) state <= rst ? first : b ^ (b << 5);
endmodule

// Offers the words of a file. A record of the file is {payload, hold}, most significant byte first:
// the word is not loaded before `transferred` has reached `hold`. Logs the clock of each transfer.
module bench_source #(
    parameter string NAME = "",
    parameter int WIDTH = 1
) (
    input bit clk,
    input bit rst,
    input bit [31:0] n,
    input bit [31:0] transferred,
    output bit valid,
    output bit [WIDTH-1:0] payload,
    input bit ready
);
  localparam int BITS = (WIDTH + 31) / 32 * 32 + 32;

  bit go, more;
  bit [BITS-1:0] next;
  int stimulus, log;

  bench_go #(.NAME(NAME)) throttle (.*);

  always @(posedge clk)
    if (rst) begin
      if (stimulus != 0) $fclose(stimulus);
      if (log != 0) $fclose(log);
      stimulus = $fopen({NAME, ".stimulus"}, "rb");
      log = $fopen({NAME, ".log"}, "wb");
      if (stimulus == 0 || log == 0) $fatal(1, "cannot open the files of %s", NAME);
      more = $fread(next, stimulus) == BITS / 8;
      valid <= 0;
    end else begin
      if (valid && ready) $fwrite(log, "%u", n);
      if (!valid || ready) begin
        valid <= 0;
        if (more && go && transferred >= next[31:0]) begin
          valid <= 1;
          payload <= next[32+:WIDTH];
          more = $fread(next, stimulus) == BITS / 8;
        end
      end
    end
endmodule

// Takes words, counts them and logs clock and payload of each.
module bench_sink #(
    parameter string NAME = "",
    parameter int WIDTH = 1
) (
    input bit clk,
    input bit rst,
    input bit [31:0] n,
    output bit [31:0] transferred,
    input bit valid,
    input bit [WIDTH-1:0] payload,
    output bit ready
);
  bit go;

  bench_go #(.NAME(NAME)) throttle (.*);
  assign ready = go;

  bench_event #(
      .NAME(NAME),
      .WIDTH(WIDTH)
  ) log (
      .en(valid && ready),
      .record(payload),
      .*
  );

  always @(posedge clk)
    if (rst) transferred <= 0;
    else if (valid && ready) transferred <= transferred + 1;
endmodule
