// What a model of a chip calls where one of its rules is broken: the simulation ends.
#pragma once

#include <cstdio>
#include <cstdlib>

extern "C" void chip_failed(const char* text) {
  std::fprintf(stderr, "the memory chip: %s\n", text);
  std::fflush(stderr);
  std::_Exit(4);
}
