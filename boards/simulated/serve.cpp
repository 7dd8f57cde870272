// The simulated board: bridges a pseudo-terminal to the pins rx and tx.
// serve FD DIVISOR THRESHOLD SEED: THRESHOLD of 2**32 bytes are corrupted in either direction.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "Vdut.h"
#include "noise.h"

namespace {
constexpr long CHUNK = 512;         // clocks between two looks at the terminal
constexpr long PATIENCE = 4 << 20;  // clocks without a byte after which the board only dozes
volatile sig_atomic_t stop = 0;
void on_signal(int) { stop = 1; }
}  // namespace

int main(int, char** argv) {
  const int terminal = std::atoi(argv[1]);
  const int divisor = std::atoi(argv[2]);
  const uint32_t threshold = std::strtoul(argv[3], nullptr, 10);
  Noise noise{static_cast<uint32_t>(std::strtoul(argv[4], nullptr, 10)) | 1, threshold};
  std::deque<uint8_t> in, out;
  struct sigaction action {};
  action.sa_handler = on_signal;  // a read or write that waits is broken off, not begun again
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);

  VerilatedContext context;
  Vdut top{&context};
  long clocks = 0, quiet = 0, received = 0, sent = 0;
  unsigned frame = 0;       // bits still to put on rx, lowest first
  int frame_left = 0, hold = 0;
  int sampling = 0, wait = 0;  // bits still to sample on tx, clocks to the next
  unsigned byte = 0;

  top.rx = 1;
  top.rst = 1;
  for (int n = 0; n < 4; ++n) {
    top.clk = 0, top.eval();
    top.clk = 1, top.eval();
  }
  top.rst = 0;
  while (!stop) {
    pollfd look{terminal, POLLIN, 0};
    if (in.empty() && !frame_left && poll(&look, 1, quiet > PATIENCE ? 20 : 0) > 0) {
      uint8_t bytes[4096];
      const ssize_t count = read(terminal, bytes, sizeof bytes);
      if (count <= 0 && errno != EINTR) break;
      for (ssize_t n = 0; n < count; ++n) noise.pass(bytes[n], in);
      received += count;
      quiet = 0;
    }
    for (long n = 0; n < CHUNK; ++n) {
      if (hold) {
        --hold;
      } else if (frame_left) {
        top.rx = frame & 1;
        frame >>= 1;
        --frame_left;
        hold = divisor - 1;
      } else if (!in.empty()) {
        top.rx = 0;
        frame = in.front() | 0x100;
        frame_left = 9;
        hold = divisor - 1;
        in.pop_front();
        quiet = 0;
      }
      top.clk = 0, top.eval();
      top.clk = 1, top.eval();
      if (sampling) {
        if (--wait == 0) {
          wait = divisor;
          if (--sampling) {
            byte = byte >> 1 | top.tx << 7;
          } else {
            noise.pass(byte, out);
          }
        }
      } else if (!top.tx) {
        sampling = 9;
        wait = divisor + divisor / 2;
      }
    }
    clocks += CHUNK;
    quiet += CHUNK;
    while (!out.empty()) {
      uint8_t bytes[4096];
      size_t count = 0;
      for (; count < sizeof bytes && !out.empty(); out.pop_front()) bytes[count++] = out.front();
      for (size_t done = 0; done < count;) {
        const ssize_t went = write(terminal, bytes + done, count - done);
        if (went < 0 && errno != EINTR) return 1;
        if (stop) break;
        done += went > 0 ? went : 0;
      }
      sent += count;
      quiet = 0;
    }
  }
  std::printf("%ld %ld %ld %ld\n", clocks, received, sent, noise.hits);
}
