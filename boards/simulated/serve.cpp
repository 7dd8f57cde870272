// The simulated board behind a pseudo-terminal, or in step with a host.
// serve FD DIVISOR THRESHOLD SEED LATENCY CLOCK: THRESHOLD of 2**32 bytes are corrupted in either
// direction; what the board sends is LATENCY clocks late. CLOCK in
// Hz: the line has the terminal's speed; 0: it has DIVISOR clocks a bit whatever that is. FD is the terminal, whose board runs as
// fast as it can. Where FD is 0 the host is at stdin and stdout, and time passes only when it waits:
//   'w' count bytes: the bytes are put on the line from now on;
//   'b' clocks: of a bit, from now on;
//   'r' clocks: waits for a byte, at most so long; answered by the time, a count and bytes.
// Counts and clocks of a bit have 4 bytes, other clocks 8, the lowest first. Prints clocks and bytes to stderr at the end.
#include <asm/termbits.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "chip.h"
#include "pins.h"

namespace {
constexpr long CHUNK = 512;         // clocks between two looks at the terminal
constexpr long PATIENCE = 4 << 20;  // clocks without a byte after which the board only dozes
volatile sig_atomic_t stop = 0;
void on_signal(int) { stop = 1; }

struct Counts {
  long received = 0, sent = 0;
};

long take_arrived(Pins& pins, uint8_t* bytes, long room) {
  long count = 0;
  for (; count < room && pins.arrived(); pins.out.pop_front())
    bytes[count++] = pins.out.front().byte;
  return count;
}

bool put(int file, const void* bytes, long count) {
  for (long done = 0; done < count && !stop;) {
    const ssize_t went = write(file, static_cast<const char*>(bytes) + done, count - done);
    if (went < 0 && errno != EINTR) return false;
    done += went > 0 ? went : 0;
  }
  return true;
}

bool get(void* bytes, long count) {
  for (long done = 0; done < count;) {
    const ssize_t came = read(0, static_cast<char*>(bytes) + done, count - done);
    if (came == 0 || (came < 0 && errno != EINTR) || stop) return false;
    done += came > 0 ? came : 0;
  }
  return true;
}

int divisor_of(int terminal, long clock) {
  termios2 settings;
  if (ioctl(terminal, TCGETS2, &settings) != 0 || !settings.c_ospeed) return 0;
  return static_cast<int>((clock + settings.c_ospeed / 2) / settings.c_ospeed);
}

bool run_free(Pins& pins, int terminal, long clock, Counts& counts) {
  uint8_t bytes[4096];
  while (!stop) {
    pollfd look{terminal, POLLIN, 0};
    if (!pins.sends() && poll(&look, 1, pins.quiet > PATIENCE ? 20 : 0) > 0) {
      const ssize_t count = read(terminal, bytes, sizeof bytes);
      if (count <= 0 && errno != EINTR) break;
      if (const int divisor = clock ? divisor_of(terminal, clock) : 0) pins.divisor = divisor;
      if (count > 0) pins.take(bytes, count), counts.received += count;
    }
    for (long n = 0; n < CHUNK; ++n) pins.clock();
    while (const long count = take_arrived(pins, bytes, sizeof bytes)) {
      if (!put(terminal, bytes, count)) return false;
      counts.sent += count;
    }
  }
  return true;
}

bool run_in_step(Pins& pins, Counts& counts) {
  static uint8_t bytes[1 << 16];
  for (char what; get(&what, 1);) {
    if (what == 'w') {
      uint32_t count;
      if (!get(&count, sizeof count)) break;
      for (uint32_t part; count; count -= part) {
        part = count < sizeof bytes ? count : sizeof bytes;
        if (!get(bytes, part)) return true;
        pins.take(bytes, part);
        counts.received += part;
      }
    } else if (what == 'b') {
      uint32_t divisor;
      if (!get(&divisor, sizeof divisor)) break;
      while (pins.sends() && !stop) pins.clock();
      pins.divisor = divisor;
    } else {
      int64_t most;
      if (!get(&most, sizeof most)) break;
      for (; most > 0 && !pins.arrived() && !stop; --most) pins.clock();
      const uint32_t count = take_arrived(pins, bytes, sizeof bytes);
      const int64_t now = pins.clocks;
      if (!put(1, &now, sizeof now) || !put(1, &count, sizeof count) || !put(1, bytes, count))
        break;
      counts.sent += count;
    }
  }
  return true;
}
}  // namespace

int main(int argc, char** argv) {
  const int terminal = std::atoi(argv[1]);
  struct sigaction action {};
  action.sa_handler = on_signal;  // a read or write that waits is broken off, not begun again
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);

  VerilatedContext context;
  context.commandArgs(argc, argv);
  Vdut top{&context};
  Pins pins{top, std::atoi(argv[2]), static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10)),
            static_cast<uint32_t>(std::strtoul(argv[4], nullptr, 10)), std::atol(argv[5])};
  Counts counts;
  if (!(terminal ? run_free(pins, terminal, std::atol(argv[6]), counts) : run_in_step(pins, counts))) return 1;
  std::fprintf(stderr, "%ld %ld %ld %ld\n", pins.clocks, counts.received, counts.sent,
               pins.noise.hits);
}
