// Register of the ECP5 (Lattice FPGA-TN-02205): positive edge, data from DI. Clock enable, inverted
// clocks and the second data input are not modelled: no instance of this project uses them.
module TRELLIS_FF #(
    parameter GSR = "ENABLED", CEMUX = "1", CLKMUX = "CLK", LSRMUX = "LSR", SRMODE = "LSR_OVER_CE",
    parameter REGSET = "RESET"
) (
    input CLK, LSR, DI,
    output reg Q
);
    initial Q = REGSET == "SET";
    always @(posedge CLK) Q <= LSR ? REGSET == "SET" : DI;
endmodule
