// In the place of the log of records: each is compared with the next one expected, and the first
// difference ends the run. What is missing is found in the clock in which it should have come, so
// that a core that hangs ends soon. Records expected are those of the log, most significant byte
// first.
module bench_event #(
    parameter string NAME = "",
    parameter int WIDTH = 1
) (
    input bit clk,
    input bit rst,
    input bit [31:0] n,
    input bit en,
    input bit [WIDTH-1:0] record
);
  localparam int BITS = (WIDTH + 31) / 32 * 32 + 32;

  bit more;
  bit [BITS-1:0] next;
  bit [31:0] clocks;
  int expected;

  initial if (!$value$plusargs("clocks=%d", clocks)) $fatal(1, "no number of clocks");

  always @(posedge clk)
    if (rst) begin
      if (expected != 0) $fclose(expected);
      expected = $fopen({NAME, ".expected"}, "rb");
      if (expected == 0) $fatal(1, "cannot open what is expected of %s", NAME);
      more = $fread(next, expected) == BITS / 8;
    end else begin
      if (en || (more && n == next[31:0])) begin
        if (!en || !more || next != {(BITS - 32)'(record), n}) begin
          $display("differs %s %0d", NAME, n);
          $finish;
        end
        more = $fread(next, expected) == BITS / 8;
      end
      if (n == clocks) $finish;
    end
endmodule
