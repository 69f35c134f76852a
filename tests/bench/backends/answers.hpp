// What every backend of the benchmark answers, byte for byte.
#pragma once

#include <chrono>
#include <cstddef>
#include <string_view>

namespace bench {

constexpr std::string_view kSmall = "Hello, World!";       // 13 bytes
constexpr std::size_t kChunk = std::size_t{64} * 1024;     // GET /64k
constexpr std::size_t kChunksOfStream = 1600;              // GET /100m, which has 100 MiB
constexpr std::size_t kUpload = std::size_t{1024} * 1024;  // POST /upload, which answers kSmall
constexpr std::chrono::milliseconds kWait{10};             // GET /wait, which then answers kSmall
constexpr char kFill = 'x';                                // all of the large bodies

}  // namespace bench
