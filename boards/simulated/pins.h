// The serial line at the pins of the simulated board, seen from the host.
#pragma once

#include <cstdint>
#include <deque>

#include "Vdut.h"
#include "noise.h"

struct Pins {
  Vdut& top;
  int divisor;   // clocks of a bit at the host's end
  Noise noise;
  long latency;  // clocks that a byte from the board takes to reach the host
  std::deque<uint8_t> in;
  struct Late {
    uint8_t byte;
    long due;
  };
  std::deque<Late> out;
  long clocks = 0, quiet = 0;

  Pins(Vdut& top, int divisor, uint32_t threshold, uint32_t seed, long latency)
      : top(top), divisor(divisor), noise{seed | 1, threshold}, latency(latency) {
    top.rx = 1;
    top.rst = 1;
    for (int n = 0; n < 4; ++n) {
      top.clk = 0, top.eval();
      top.clk = 1, top.eval();
    }
    top.rst = 0;
  }

  void take(const uint8_t* bytes, long count) {
    for (long n = 0; n < count; ++n) noise.pass(bytes[n], in);
    quiet = 0;
  }

  bool sends() const { return !in.empty() || frame_left || hold; }
  bool arrived() const { return !out.empty() && out.front().due <= clocks; }

  void clock() {
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
    ++clocks;
    ++quiet;
    if (sampling) {
      if (--wait == 0) {
        wait = divisor;
        if (--sampling) {
          byte = byte >> 1 | top.tx << 7;
        } else {
          noise.pass(byte, heard);
          for (; !heard.empty(); heard.pop_front()) out.push_back({heard.front(), clocks + latency});
          quiet = 0;
        }
      }
    } else if (!top.tx) {
      sampling = 9;
      wait = divisor + divisor / 2;
    }
  }

 private:
  unsigned frame = 0;  // bits still to put on rx, lowest first
  int frame_left = 0, hold = 0;
  int sampling = 0, wait = 0;  // bits still to sample on tx, clocks to the next
  unsigned byte = 0;
  std::deque<uint8_t> heard;
};
