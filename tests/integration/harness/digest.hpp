// SHA-256, and the bytes that are sent to be digested.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace harness {

class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    void update(std::string_view bytes);
    /// In lower-case hexadecimal; ends the digest.
    [[nodiscard]] std::string hex();

  private:
    struct Context;
    std::unique_ptr<Context> context_;
};

/// Cheap bytes that differ at every place of a long body, so that a piece lost, repeated or swapped shows.
class PatternSource {
  public:
    explicit PatternSource(std::uint64_t seed) noexcept : state_{seed} {}
    void fill(char* out, std::size_t size) noexcept;
    [[nodiscard]] std::string take(std::size_t size);

  private:
    std::uint64_t state_;
    std::uint64_t word_ = 0;
    unsigned have_ = 0;
};

}  // namespace harness
