// Block RAM of the ECP5, 1024 words of 18 bits (Lattice FPGA-TN-02204), as Yosys uses it: two ports
// of 1, 2, 4, 9 or 18 bits; or port A writes and port B reads 36 bits, the lower half on the pins of
// A, the upper half on those of B. Outputs without a register of their own. A port of 18 or 36 bits
// takes the enables of its bytes of 9 bits at the lowest address pins.
module DP16KD #(
    parameter DATA_WIDTH_A = 18, DATA_WIDTH_B = 18,
    parameter REGMODE_A = "NOREG", REGMODE_B = "NOREG",
    parameter RESETMODE = "SYNC", ASYNC_RESET_RELEASE = "SYNC", GSR = "AUTO", INIT_DATA = "STATIC",
    parameter CSDECODE_A = "0b000", CSDECODE_B = "0b000",
    parameter CLKAMUX = "CLKA", CLKBMUX = "CLKB",
    parameter WRITEMODE_A = "NORMAL", WRITEMODE_B = "NORMAL",
    parameter [319:0] INITVAL_00 = 0, INITVAL_01 = 0, INITVAL_02 = 0, INITVAL_03 = 0,
    parameter [319:0] INITVAL_04 = 0, INITVAL_05 = 0, INITVAL_06 = 0, INITVAL_07 = 0,
    parameter [319:0] INITVAL_08 = 0, INITVAL_09 = 0, INITVAL_0A = 0, INITVAL_0B = 0,
    parameter [319:0] INITVAL_0C = 0, INITVAL_0D = 0, INITVAL_0E = 0, INITVAL_0F = 0,
    parameter [319:0] INITVAL_10 = 0, INITVAL_11 = 0, INITVAL_12 = 0, INITVAL_13 = 0,
    parameter [319:0] INITVAL_14 = 0, INITVAL_15 = 0, INITVAL_16 = 0, INITVAL_17 = 0,
    parameter [319:0] INITVAL_18 = 0, INITVAL_19 = 0, INITVAL_1A = 0, INITVAL_1B = 0,
    parameter [319:0] INITVAL_1C = 0, INITVAL_1D = 0, INITVAL_1E = 0, INITVAL_1F = 0,
    parameter [319:0] INITVAL_20 = 0, INITVAL_21 = 0, INITVAL_22 = 0, INITVAL_23 = 0,
    parameter [319:0] INITVAL_24 = 0, INITVAL_25 = 0, INITVAL_26 = 0, INITVAL_27 = 0,
    parameter [319:0] INITVAL_28 = 0, INITVAL_29 = 0, INITVAL_2A = 0, INITVAL_2B = 0,
    parameter [319:0] INITVAL_2C = 0, INITVAL_2D = 0, INITVAL_2E = 0, INITVAL_2F = 0,
    parameter [319:0] INITVAL_30 = 0, INITVAL_31 = 0, INITVAL_32 = 0, INITVAL_33 = 0,
    parameter [319:0] INITVAL_34 = 0, INITVAL_35 = 0, INITVAL_36 = 0, INITVAL_37 = 0,
    parameter [319:0] INITVAL_38 = 0, INITVAL_39 = 0, INITVAL_3A = 0, INITVAL_3B = 0,
    parameter [319:0] INITVAL_3C = 0, INITVAL_3D = 0, INITVAL_3E = 0, INITVAL_3F = 0
) (
    input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
    input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
    input CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
    output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
    input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
    input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
    input CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
    output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
    reg [17:0] words[0:1023];
    wire [64 * 320 - 1:0] start = {
        INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
        INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
        INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
        INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
        INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
        INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
        INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
        INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00
    };
    initial for (int n = 0; n < 1024; n++) words[n] = start[20 * n +: 18];

    function automatic [35:0] read(input integer width, input [13:0] at);
        case (width)
            36: read = {words[{at[13:5], 1'b1}], words[{at[13:5], 1'b0}]};
            18: read = {18'b0, words[at[13:4]]};
            9: read = {27'b0, words[at[13:4]][9 * at[3] +: 9]};
            4: read = {32'b0, words[at[13:4]][9 * at[3] + 4 * at[2] +: 4]};
            2: read = {34'b0, words[at[13:4]][9 * at[3] + 2 * at[2:1] +: 2]};
            default: read = {35'b0, words[at[13:4]][9 * at[3] + 32'(at[2:0])]};
        endcase
    endfunction

    wire [13:0] at_a = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    wire [17:0] in_a = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
    wire [13:0] at_b = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    wire [17:0] in_b = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0};
    reg [35:0] out_a, out_b;
    wire both = DATA_WIDTH_A == 36;  // port A writes with all pins

    always @(posedge CLKA) begin
        if (RSTA) out_a <= 0;
        else if (CEA && (!WEA || WRITEMODE_A == "READBEFOREWRITE")) out_a <= read(DATA_WIDTH_A, at_a);
        else if (CEA && WRITEMODE_A == "WRITETHROUGH") out_a <= {18'b0, in_a};
        if (CEA && WEA) case (DATA_WIDTH_A)
            36: for (int n = 0; n < 2; n++) begin
                if (at_a[n]) words[{at_a[13:5], 1'b0}][9 * n +: 9] <= in_a[9 * n +: 9];
                if (at_a[n + 2]) words[{at_a[13:5], 1'b1}][9 * n +: 9] <= in_b[9 * n +: 9];
            end
            18: for (int n = 0; n < 2; n++)
                if (at_a[n]) words[at_a[13:4]][9 * n +: 9] <= in_a[9 * n +: 9];
            9: words[at_a[13:4]][9 * at_a[3] +: 9] <= in_a[8:0];
            4: words[at_a[13:4]][9 * at_a[3] + 4 * at_a[2] +: 4] <= in_a[3:0];
            2: words[at_a[13:4]][9 * at_a[3] + 2 * at_a[2:1] +: 2] <= in_a[1:0];
            default: words[at_a[13:4]][9 * at_a[3] + 32'(at_a[2:0])] <= in_a[0];
        endcase
    end
    always @(posedge CLKB) begin
        if (RSTB) out_b <= 0;
        else if (CEB && (!WEB || WRITEMODE_B == "READBEFOREWRITE")) out_b <= read(DATA_WIDTH_B, at_b);
        else if (CEB && WRITEMODE_B == "WRITETHROUGH") out_b <= {18'b0, in_b};
        if (CEB && WEB && !both) case (DATA_WIDTH_B)
            18: for (int n = 0; n < 2; n++)
                if (at_b[n]) words[at_b[13:4]][9 * n +: 9] <= in_b[9 * n +: 9];
            9: words[at_b[13:4]][9 * at_b[3] +: 9] <= in_b[8:0];
            4: words[at_b[13:4]][9 * at_b[3] + 4 * at_b[2] +: 4] <= in_b[3:0];
            2: words[at_b[13:4]][9 * at_b[3] + 2 * at_b[2:1] +: 2] <= in_b[1:0];
            default: words[at_b[13:4]][9 * at_b[3] + 32'(at_b[2:0])] <= in_b[0];
        endcase
    end
    assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3, DOA2, DOA1, DOA0} = DATA_WIDTH_B == 36 ? out_b[17:0] : out_a[17:0];
    assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0} = DATA_WIDTH_B == 36 ? out_b[35:18] : out_b[17:0];
endmodule
