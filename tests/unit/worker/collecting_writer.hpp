// What a response sends, without a worker round it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "zmqspdy/response.hpp"

namespace test {

/// Keeps what is written, and stops listening after `most` pieces.
class CollectingWriter final : public zmqspdy::Writer {
  public:
    explicit CollectingWriter(std::size_t most = std::string::npos) : most_{most} {}
    bool write(std::string_view chunk) override {
        pieces.emplace_back(chunk);
        return !cancelled();
    }
    void trailer(std::string_view name, std::string_view value) override {
        trailers.emplace_back(name, value);
    }
    bool cancelled() const noexcept override { return pieces.size() >= most_; }

    std::vector<std::string> pieces;
    zmqspdy::Response::Fields trailers;

  private:
    std::size_t most_;
};

inline std::string body_of(const zmqspdy::Response& response) {
    const auto* stream = response.as_stream();
    if (stream == nullptr)
        return response.body();
    CollectingWriter writer;
    (*stream)(writer);
    std::string body;
    for (const auto& piece : writer.pieces)
        body += piece;
    return body;
}

inline std::optional<std::string> header_of(const zmqspdy::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers()) {
        if (key == name)
            return value;
    }
    return std::nullopt;
}

}  // namespace test
