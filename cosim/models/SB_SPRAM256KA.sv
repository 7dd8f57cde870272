// Single-port RAM of the iCE40 UltraPlus, 16384 words of 16 bits (Lattice FPGA-TN-02022).
// A word is read one clock after its address. In a clock that writes, or without CHIPSELECT, the
// output becomes garbage here: nothing may rely on it. Contents are garbage at first.
module SB_SPRAM256KA (
    input [13:0] ADDRESS,
    input [15:0] DATAIN,
    input [3:0] MASKWREN,
    input WREN, CHIPSELECT, CLOCK, STANDBY, SLEEP, POWEROFF,
    output reg [15:0] DATAOUT
);
    localparam [15:0] GARBAGE = 16'hdead;
    reg [15:0] words[0:16383];
    wire [15:0] mask = {{4{MASKWREN[3]}}, {4{MASKWREN[2]}}, {4{MASKWREN[1]}}, {4{MASKWREN[0]}}};
    initial for (int n = 0; n < 16384; n++) words[n] = GARBAGE;
    always @(posedge CLOCK) begin
        if (CHIPSELECT && !STANDBY && !SLEEP && POWEROFF && !WREN) DATAOUT <= words[ADDRESS];
        else DATAOUT <= GARBAGE;
        if (CHIPSELECT && !STANDBY && !SLEEP && POWEROFF && WREN)
            words[ADDRESS] <= (words[ADDRESS] & ~mask) | (DATAIN & mask);
    end
endmodule
