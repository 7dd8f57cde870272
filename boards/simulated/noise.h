// A line that corrupts bytes: of four hits two change the byte, one loses it, one doubles it.
#pragma once

#include <cstdint>
#include <deque>

struct Noise {
  uint32_t state;      // of a xorshift; not 0
  uint32_t threshold;  // hits of 2**32
  long hits = 0;

  uint32_t draw() {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
  }

  void pass(uint8_t byte, std::deque<uint8_t>& line) {
    if (threshold && draw() < threshold) {
      ++hits;
      const uint32_t how = draw();
      if ((how & 3) == 2) return;
      if ((how & 3) == 3)
        line.push_back(byte);
      else
        byte ^= 1 + (how >> 8) % 255;
    }
    line.push_back(byte);
  }
};
