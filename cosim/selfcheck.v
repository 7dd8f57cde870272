// Parts of a test bench in Verilog-2005 that is synthesizable and checks itself.
// Clock and handshake rules: golden/stalls.py.

`ifdef YOSYS  // which knows two states only
`define DIFFER(a, b) (a) != (b)
`define UNDEFINED 1'b1
`else
`define DIFFER(a, b) (a) !== (b)
`define UNDEFINED 1'bx
`endif

// Whether an end of a stream goes at this clock: a xorshift against a threshold.
module check_go #(
    parameter [31:0] STATE = 1,
    parameter [7:0] STALL = 0
) (
    input  wire clk,
    input  wire rst,
    output wire go
);
  reg [31:0] state = STATE;
  wire [31:0] a = state ^ (state << 13);
  wire [31:0] b = a ^ (a >> 17);

  assign go = state[7:0] >= STALL;
  always @(posedge clk) if (!rst) state <= b ^ (b << 5);
endmodule

// Offers the words of a file, each as {payload, hold}: a word is not loaded before `transferred` has
// reached `hold`. The last one in the file is never loaded. A payload that is not on offer is
// undefined.
module check_source #(
    parameter WIDTH = 1,
    parameter COUNT = 1,  // words, the last included
    parameter FILE = "",
    parameter [31:0] STATE = 1,
    parameter [7:0] STALL = 0
) (
    input wire clk,
    input wire rst,
    input wire [31:0] transferred,
    output reg valid,
    output wire [WIDTH-1:0] payload,
    input wire ready
);
  reg [WIDTH+31:0] words[0:COUNT-1];
  reg [WIDTH-1:0] offered;
  reg [31:0] next;
  wire [WIDTH+31:0] word = words[next];
  wire go;

  initial begin
    $readmemh(FILE, words);
    valid = 0;
    next = 0;
  end

  check_go #(.STATE(STATE), .STALL(STALL)) throttle (.clk(clk), .rst(rst), .go(go));
  assign payload = valid ? offered : {WIDTH{`UNDEFINED}};

  always @(posedge clk)
    if (!rst && (!valid || ready)) begin
      valid <= 0;
      if (go && next != COUNT - 1 && transferred >= word[31:0]) begin
        valid   <= 1;
        offered <= word[32+:WIDTH];
        next    <= next + 1;
      end
    end
endmodule

// Compares what is recorded with the records of a file, each as {record, clock}; the clock of the
// last is never reached. `wrong` where a record comes at another clock than expected, does not
// come, or is another one; what is undefined is wrong.
module check_records #(
    parameter WIDTH = 1,
    parameter COUNT = 1,  // records, the last included
    parameter FILE = ""
) (
    input wire clk,
    input wire rst,
    input wire [31:0] n,
    input wire en,
    input wire [WIDTH-1:0] record,
    output reg [31:0] seen,
    output wire [WIDTH-1:0] wanted,
    output wire wrong
);
  reg [WIDTH+31:0] records[0:COUNT-1];
  wire [WIDTH+31:0] next = records[seen];
  wire due = next[31:0] == n;

  initial begin
    $readmemh(FILE, records);
    seen = 0;
  end

  assign wanted = due ? next[32+:WIDTH] : {WIDTH{1'b0}};
  assign wrong  = !rst && (`DIFFER(en, due) || (due && `DIFFER(record, next[32+:WIDTH])));
  always @(posedge clk) if (!rst && due) seen <= seen + 1;
endmodule
