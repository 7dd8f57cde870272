// Bytes into the link and out of it, without the serial line.
// feed IN OUT SEED: the bytes of the file IN go in, with pauses; what comes out goes into OUT.
// Prints the clocks. Exit code 3: nothing moved for so long that it hangs.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vfeed.h"
#include "noise.h"

namespace {
constexpr long PATIENCE = 200000;  // clocks
}

int main(int, char** argv) {
  std::vector<uint8_t> bytes;
  FILE* file = std::fopen(argv[1], "rb");
  FILE* out = std::fopen(argv[2], "wb");
  if (!file || !out) return 1;
  for (int byte; (byte = std::fgetc(file)) != EOF;) bytes.push_back(byte);
  Noise random{static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10)) | 1, 0};

  VerilatedContext context;
  Vfeed top{&context};
  top.rst = 1;
  for (int n = 0; n < 4; ++n) {
    top.clk = 0, top.eval();
    top.clk = 1, top.eval();
  }
  top.rst = 0;
  size_t at = 0;
  long clocks = 0, still = 0;
  for (; still < PATIENCE; ++clocks) {
    // a source keeps its offer until it is taken; the sink takes when it likes
    if (!top.rx_valid && at < bytes.size() && (random.draw() & 15)) {
      top.rx_valid = 1;
      top.rx_payload = bytes[at];
    }
    top.tx_ready = (random.draw() & 3) != 0;
    top.clk = 0, top.eval();
    const bool taken = top.rx_valid && top.rx_ready;
    const bool given = top.tx_valid && top.tx_ready;
    if (given) std::fputc(top.tx_payload, out);
    top.clk = 1, top.eval();
    if (taken) {
      top.rx_valid = 0;
      ++at;
    }
    still = taken || given ? 0 : still + 1;
  }
  std::fclose(out);
  std::printf("%ld\n", clocks);
  return at < bytes.size() ? 3 : 0;
}
