// A small httpbin: shows the framework off, and is what tests and newcomers talk to.
// Usage: echo NAME [--router ENDPOINT]... [--capacity N] [--relay]
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <zmqspdy/cookie.hpp>
#include <zmqspdy/file.hpp>
#include <zmqspdy/form.hpp>
#include <zmqspdy/json.hpp>
#include <zmqspdy/worker.hpp>

using namespace zmqspdy;

namespace {

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t least, std::uint64_t most) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most)
        return std::nullopt;
    return value;
}

Response bad_number(std::string_view what, std::uint64_t least, std::uint64_t most) {
    return Response::text(std::string(what) + " must be a number from " + std::to_string(least) + " to " +
                          std::to_string(most) + "\n")
        .status(400);
}

// The body back, while it is still coming in.
Response echo(Request& request) {
    const auto type = request.header("content-type").value_or("application/octet-stream");
    return Response::stream(type, [&request](Writer& out) {
        for (const std::string_view chunk : request.body()) {
            if (!out.write(chunk))
                return;
        }
    });
}

Response headers(Request& request) {
    auto fields = nlohmann::json::array();
    for (const auto& [name, value] : request.headers())
        fields.push_back({name, value});
    const nlohmann::json seen{{"method", request.method()},
                              {"path", request.path()},
                              {"query", request.query()},
                              {"priority", request.priority()},
                              {"headers", std::move(fields)}};
    // What clients send need not be UTF-8.
    return Response::json(seen.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

// What /bytes sends: the byte at offset i is i modulo 251, so that a client can tell what it should get.
constexpr std::size_t kPeriod = 251;
constexpr std::size_t kChunk = std::size_t{64} * 1024;

std::string_view chunk_at(std::uint64_t offset, std::uint64_t size) {
    static const std::string pattern = [] {
        std::string made(kChunk + kPeriod, '\0');
        for (std::size_t i = 0; i < made.size(); ++i)
            made[i] = static_cast<char>(i % kPeriod);
        return made;
    }();
    return std::string_view{pattern}.substr(offset % kPeriod, size);
}

Response bytes(Request& request) {
    constexpr std::uint64_t kMost = std::uint64_t{16} << 30;
    const auto total = number(request.param("count"), 0, kMost);
    if (!total)
        return bad_number("the count of bytes", 0, kMost);
    const auto produce = [total = *total](Writer& out) {
        for (std::uint64_t done = 0; done < total;) {
            const auto chunk = chunk_at(done, std::min<std::uint64_t>(kChunk, total - done));
            if (!out.write(chunk))
                return;
            done += chunk.size();
        }
    };
    return Response::stream("application/octet-stream", produce)
        .header("content-length", std::to_string(*total));
}

Response stream(Request& request) {
    constexpr std::uint64_t kMostLines = 1'000'000;
    constexpr std::uint64_t kMostPause = 60'000;
    const auto lines = number(request.param("count"), 0, kMostLines);
    const auto pause = number(request.query_param("ms").value_or("100"), 0, kMostPause);
    if (!lines)
        return bad_number("the count of lines", 0, kMostLines);
    if (!pause)
        return bad_number("ms", 0, kMostPause);
    return Response::stream(
        "text/plain", [&request, lines = *lines, pause = std::chrono::milliseconds(*pause)](Writer& out) {
            for (std::uint64_t i = 1; i <= lines; ++i) {
                if (!out.write("line " + std::to_string(i) + "\n"))
                    return;
                if (i < lines && !request.sleep_for(pause))
                    return;
            }
        });
}

// How many requests were cancelled while they waited here.
std::atomic<std::uint64_t> cancelled_requests{0};

Response delay(Request& request) {
    constexpr std::uint64_t kMost = 600'000;
    const auto pause = number(request.param("ms"), 0, kMost);
    if (!pause)
        return bad_number("the delay in milliseconds", 0, kMost);
    const std::stop_callback gone(request.stop_token(), [] { ++cancelled_requests; });
    if (!request.sleep_for(std::chrono::milliseconds(*pause)))
        return {};  // nobody will see it
    return Response::text("waited " + std::to_string(*pause) + " ms\n");
}

Response sha256(Request& request) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    if (!context || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("OpenSSL has no SHA-256 for us");
    for (const std::string_view chunk : request.body()) {
        if (EVP_DigestUpdate(context.get(), chunk.data(), chunk.size()) != 1)
            throw std::runtime_error("OpenSSL cannot go on with the digest");
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1)
        throw std::runtime_error("OpenSSL cannot finish the digest");
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        hex += kDigits[digest[i] / 16];
        hex += kDigits[digest[i] % 16];
    }
    return Response::text(hex + "\n");
}

// One 103 before the answer, so that a browser can fetch what the page will need.
Response early_hints(Request& request) {
    request.early_hints({{"link", "</style.css>; rel=preload; as=style"}});
    return Response::text("the hints went before\n");
}

// The body back, and behind it how long it was.
Response trailers(Request& request) {
    return Response::stream("application/octet-stream", [&request](Writer& out) {
        std::uint64_t length = 0;
        for (const std::string_view chunk : request.body()) {
            length += chunk.size();
            if (!out.write(chunk))
                return;
        }
        out.trailer("x-length", std::to_string(length));
    });
}

Response request_trailers(Request& request) {
    (void)request.text();
    auto fields = nlohmann::json::array();
    for (const auto& [name, value] : request.trailers())
        fields.push_back({name, value});
    return Response::json(fields.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

// What a form, of either encoding, had in it.
Response form(Request& request) {
    const Form sent = read_form(request);
    auto fields = nlohmann::json::array();
    for (const auto& [name, value] : sent.fields)
        fields.push_back({name, value});
    auto files = nlohmann::json::array();
    for (const FormFile& file : sent.files)
        files.push_back({{"name", file.name},
                         {"filename", file.filename},
                         {"type", file.content_type},
                         {"size", file.body.size()}});
    return json_response({{"fields", std::move(fields)}, {"files", std::move(files)}});
}

// Counts a client's visits in a cookie.
Response visits(Request& request) {
    const auto before = number(cookie(request, "visits").value_or("0"), 0, 1'000'000).value_or(0);
    const std::string now = std::to_string(before + 1);
    return Response::text("visit " + now + "\n")
        .header("set-cookie", SetCookie{.name = "visits", .value = now}.to_string());
}

// Known bytes with conditions and ranges.
Response content(Request& request) {
    return content_response(request, std::string(chunk_at(0, 1000)), "application/octet-stream",
                            "\"echo-1\"");
}

// Server-Sent Events until the client leaves or the worker is to end, or `count` of them.
Response events(Request& request) {
    constexpr std::uint64_t kMost = 1'000'000'000;
    constexpr std::uint64_t kMostPause = 60'000;
    const auto count = number(request.query_param("count").value_or(std::to_string(kMost)), 0, kMost);
    const auto pause = number(request.query_param("ms").value_or("1000"), 0, kMostPause);
    if (!count)
        return bad_number("count", 0, kMost);
    if (!pause)
        return bad_number("ms", 0, kMostPause);
    return Response::stream(
               "text/event-stream",
               [&request, count = *count, pause = std::chrono::milliseconds(*pause)](Writer& out) {
                   const std::stop_callback gone(request.stop_token(), [] { ++cancelled_requests; });
                   for (std::uint64_t i = 1; i <= count && !out.draining(); ++i) {
                       const std::string id = std::to_string(i);
                       std::string event = "id: ";
                       event.append(id).append("\ndata: event ").append(id).append("\n\n");
                       if (!out.write(event) || !request.sleep_for(pause))
                           return;
                   }
               })
        .header("cache-control", "no-store");
}

Response status(Request& request) {
    const auto code = number(request.param("code"), 200, 599);
    if (!code)
        return bad_number("the status", 200, 599);
    return Response::text("status " + std::to_string(*code) + "\n").status(static_cast<int>(*code));
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = Options::from_args(argc, argv);
    Worker worker{options};
    worker.any("/echo", echo);
    worker.any("/headers", headers);
    worker.get("/bytes/:count", bytes);
    worker.get("/stream/:count", stream);
    worker.any("/delay/:ms", delay);
    worker.any("/sha256", sha256);
    worker.any("/status/:code", status);
    worker.get("/whoami", [name = options.name](Request&) {
        return Response::json(nlohmann::json{{"name", name}, {"pid", ::getpid()}}.dump() + "\n");
    });
    worker.get("/early-hints", early_hints);
    worker.any("/trailers", trailers);
    worker.any("/request-trailers", request_trailers);
    worker.get("/events", events);
    worker.post("/form", form);
    worker.get("/visits", visits);
    worker.get("/content", content);
    worker.get("/cancelled", [](Request&) {
        return Response::json(nlohmann::json{{"cancelled", cancelled_requests.load()}}.dump() + "\n");
    });
    worker.any("/crash", [](Request&) -> Response { ::_exit(1); });
    return worker.run();
}
