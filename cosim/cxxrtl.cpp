// Runs the test bench that Yosys has turned into C++, until it finds a difference or is finished.

#include <cstdio>
#include <string>

// addresses of idle clocks may lie beyond a memory's end; Icarus shows that nothing depends on them
#define CXXRTL_ASSERT(x)
#include "design.cc"

template <size_t Bits>
static std::string hex(const cxxrtl::value<Bits>& value) {
  std::string text;
  for (size_t low = (Bits + 3) / 4 * 4; low > 0; low -= 4) {
    unsigned digit = 0;
    for (size_t bit = low - 4; bit < low && bit < Bits; ++bit)
      digit |= unsigned(value.bit(bit)) << (bit - (low - 4));
    text += "0123456789abcdef"[digit];
  }
  return text;
}

template <size_t Bits>
static std::string binary(const cxxrtl::value<Bits>& value) {
  std::string text;
  for (size_t bit = Bits; bit > 0; --bit) text += value.bit(bit - 1) ? '1' : '0';
  return text;
}

int main() {
  cxxrtl_design::p_selfcheck top;
  for (;;) {
    top.p_clk.set(false);
    top.step();
    if (!top.p_wrong.is_zero() || top.p_finished) break;
    top.p_clk.set(true);
    top.step();
  }
  std::printf("%u %u %s 0 %u %s %s\n", top.p_n.get<uint32_t>(), top.p_seen.get<uint32_t>(),
              binary(top.p_wrong).c_str(), top.p_index.get<uint32_t>(), hex(top.p_wanted).c_str(),
              hex(top.p_got).c_str());
}
