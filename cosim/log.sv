// Logs clock and record whenever enabled.
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
  localparam int BITS = (WIDTH + 31) / 32 * 32;

  int log;

  always @(posedge clk)
    if (rst) begin
      if (log != 0) $fclose(log);
      log = $fopen({NAME, ".log"}, "wb");
      if (log == 0) $fatal(1, "cannot open the log of %s", NAME);
    end else if (en) $fwrite(log, "%u", {BITS'(record), n});
endmodule
