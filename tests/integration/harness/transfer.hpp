// One request on its way through libcurl. Only for client.cpp and load.cpp.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "harness/client.hpp"

namespace harness {

class Transfer {
  public:
    Transfer();
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    [[nodiscard]] CURL* handle() const noexcept { return handle_; }
    /// Prepares the handle for `call`. Its connections are kept.
    void prepare(std::uint16_t port, Call call);
    /// What came of it, once libcurl is through.
    [[nodiscard]] Reply finish(CURLcode result);

  private:
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_read(char* data, std::size_t size, std::size_t count, void* self);
    void prepare_body();

    CURL* handle_ = nullptr;
    curl_slist* list_ = nullptr;
    std::array<char, CURL_ERROR_SIZE> error_{};
    Call call_;
    Reply reply_;
    std::uint64_t unsent_ = 0;
};

}  // namespace harness
