// For the programs of tests and benchmarks, which are told of files by their arguments.
#pragma once

#include <cstdio>
#include <string>

namespace breakwater {

/** All of a file; empty when it cannot be read. */
inline std::string readFile(const char* path) {
  std::string text;
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return text;
  char part[4096];
  for (size_t got = std::fread(part, 1, sizeof part, file); got > 0; got = std::fread(part, 1, sizeof part, file))
    text.append(part, got);
  std::fclose(file);
  return text;
}

}  // namespace breakwater
