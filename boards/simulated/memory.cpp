// Words into a memory for samples and out of it, without what uses it.
// memory SEED OPERATIONS ROOM BLOCK [+TIME=PS...]: writes and runs of reads at random addresses below
// ROOM; what is read must have been written. BLOCK: words that are erased at once before they are
// written, which changes ones to zeros alone then; 0: nothing has to be erased. Prints the clocks, and how many of them a word of a long run
// takes in thousandths. Exit code 3: it hangs; 2: a word is wrong; 4: a rule of the chip is broken.
#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include "Vdut.h"
#include "chip.h"
#include "noise.h"

namespace {
constexpr long PATIENCE = 20000000;  // clocks
constexpr long LONG = 20000;        // words of the long run
// Verilator writes __ in the name of a port as ___05F

struct Memory {
  VerilatedContext context;
  Vdut top{&context};
  long clocks = 0, still = 0;

  explicit Memory(int argc, char** argv) { context.commandArgs(argc, argv); }
  void clock() {
    top.clk = 0, top.eval();
    top.clk = 1, top.eval();
    ++clocks;
    if (++still > PATIENCE) std::exit(3);
  }
  void write(uint32_t place, uint32_t value) {
    top.write = 1, top.place = place, top.value = value;
    for (bool taken = false; !taken; clock()) {
      top.clk = 0, top.eval();
      taken = top.ready;
    }
    top.write = 0;
    still = 0;
  }
  void start(uint32_t address) {
    top.start = 1, top.address = address;
    clock();
    top.start = 0;
  }
  uint32_t read(bool (*wait)(Noise&), Noise& random) {
    for (;;) {
      top.words___05Fready = !wait(random);
      top.clk = 0, top.eval();
      const bool came = top.words___05Fvalid && top.words___05Fready;
      const uint32_t word = top.words___05Fpayload;
      clock();
      if (came) {
        top.words___05Fready = 0;
        still = 0;
        return word;
      }
    }
  }
};
}  // namespace

int main(int argc, char** argv) {
  Noise random{static_cast<uint32_t>(std::strtoul(argv[1], nullptr, 10)) | 1, 0};
  const long operations = std::atol(argv[2]);
  const uint32_t room = std::strtoul(argv[3], nullptr, 10);
  std::unordered_map<uint32_t, uint32_t> mirror;
  Memory memory(argc, argv);
  memory.top.rst = 1;
  for (int n = 0; n < 4; ++n) memory.clock();
  memory.top.rst = 0;
  const uint32_t block = std::strtoul(argv[4], nullptr, 10);
  for (uint32_t place = 0; block && place < room; place += block) {
    memory.write(place, 0xffffffff);
    for (uint32_t k = 0; k < block; ++k) mirror[place + k] = 0xffffffff;
  }
  for (long n = 0; n < operations; ++n) {
    // near the addresses of before as well, so that rows stay open and are changed
    static uint32_t place = 0;
    place = (random.draw() & 3 ? place + random.draw() % 40 : random.draw()) % (room - 64);
    const uint32_t count = 1 + random.draw() % 48;
    if (random.draw() & 1) {
      for (uint32_t k = 0; k < count; ++k) {
        uint32_t& known = mirror[place + k];
        const uint32_t value = random.draw() ^ random.draw() << 16;
        memory.write(place + k, value);
        known = block ? known & value : value;
        for (uint32_t wait = random.draw() & 7; wait; --wait) memory.clock();
      }
    } else {
      memory.start(place);
      for (uint32_t k = 0; k < count; ++k) {
        const uint32_t word = memory.read([](Noise& r) { return (r.draw() & 3) == 0; }, random);
        const auto known = mirror.find(place + k);
        if (known != mirror.end() && known->second != word) {
          std::fprintf(stderr, "word %u must be %08x, not %08x\n", place + k, known->second, word);
          return 2;
        }
      }
    }
  }
  memory.start(0);
  memory.read([](Noise&) { return false; }, random);
  const long begin = memory.clocks;
  for (long n = 1; n < LONG; ++n) memory.read([](Noise&) { return false; }, random);
  std::printf("%ld %ld\n", memory.clocks, 1000 * (memory.clocks - begin) / (LONG - 1));
}
