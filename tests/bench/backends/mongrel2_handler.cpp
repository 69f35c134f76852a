// The handler behind Mongrel2: mongrel2_handler REQUESTS ANSWERS, the endpoints that Mongrel2 binds. Its manual,
// section 5.3, says what is in the messages: "UUID ID PATH SIZE:HEADERS,SIZE:BODY," and "UUID SIZE:IDS, BYTES".
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <zmq.hpp>

#include "answers.hpp"

namespace {

using Clock = std::chrono::steady_clock;

struct Request {
    std::string_view uuid;
    std::string_view id;
    std::string_view path;
    std::string_view headers;
    std::string_view body;
};

std::string_view word(std::string_view& rest) {
    const auto end = std::min(rest.find(' '), rest.size());
    const auto found = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return found;
}

std::string_view netstring(std::string_view& rest) {
    const auto colon = rest.find(':');
    if (colon == std::string_view::npos)
        return {};
    const auto size = std::strtoul(std::string(rest.substr(0, colon)).c_str(), nullptr, 10);
    const auto found = rest.substr(colon + 1, size);
    rest.remove_prefix(std::min(colon + 1 + size + 1, rest.size()));
    return found;
}

Request parse(std::string_view message) {
    Request request;
    request.uuid = word(message);
    request.id = word(message);
    request.path = word(message);
    request.headers = netstring(message);
    request.body = netstring(message);
    return request;
}

// Whom an answer is for, in front of it.
std::string address(const Request& request) {
    return std::string(request.uuid) + " " + std::to_string(request.id.size()) + ":" +
           std::string(request.id) + ", ";
}

std::string head(std::string_view type, std::size_t length) {
    return "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

std::string small() {
    return head("text/plain", bench::kSmall.size()) + std::string(bench::kSmall);
}

// A response that Mongrel2 takes as its client does, with download.flow_control. Without, it closes a connection for which
// more than 16 messages wait. It closes one too when much more than these first credits comes at once.
constexpr std::size_t kPiece = bench::kChunk / 2;
struct Download {
    std::string to;
    std::size_t left = bench::kChunk * bench::kChunksOfStream;
    std::size_t credits = 3 * kPiece;
};

class Handler {
  public:
    Handler(const char* requests, const char* answers) {
        in_.connect(requests);
        out_.set(zmq::sockopt::sndhwm, 0);  // at its high-water mark a PUB socket throws messages away
        out_.connect(answers);
    }

    [[noreturn]] void run() {
        zmq::message_t message;
        for (;;) {
            in_.set(zmq::sockopt::rcvtimeo, until_due());
            if (in_.recv(message))
                answer(parse(message.to_string_view()));
            send_due();
        }
    }

  private:
    void send(const std::string& bytes) { (void)out_.send(zmq::buffer(bytes), zmq::send_flags::none); }

    void answer(const Request& request) {
        if (request.path == "/small" ||
            (request.path == "/upload" && request.body.size() == bench::kUpload)) {
            send(address(request) + small());
        } else if (request.path == "/64k") {
            send(address(request) + head("application/octet-stream", bench::kChunk) +
                 std::string(bench::kChunk, bench::kFill));
        } else if (request.path == "/wait") {
            waiting_.emplace_back(Clock::now() + bench::kWait, address(request));
        } else if (request.path == "/idle") {
            send(address(request) + head("application/octet-stream", bench::kChunk) + bench::kFill);
        } else if (request.path == "/100m") {
            send(address(request) + head("application/octet-stream", bench::kChunk * bench::kChunksOfStream));
            go_on(downloads_[std::string(request.id)] = Download{.to = address(request)});
        } else if (request.headers.find("\"METHOD\":\"JSON\"") == std::string_view::npos) {
            send(address(request) + "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        } else {
            heed(request);
        }
    }

    // A note from Mongrel2 itself: so many bytes have gone out to a client, or it has left.
    void heed(const Request& note) {
        constexpr std::string_view kField = "\"DOWNLOAD_CREDITS\":\"";
        const auto download = downloads_.find(std::string(note.id));
        if (download == downloads_.end())
            return;
        const auto field = note.headers.find(kField);
        if (field == std::string_view::npos) {
            downloads_.erase(download);
            return;
        }
        const std::string number(note.headers.substr(field + kField.size()));
        download->second.credits += std::strtoul(number.c_str(), nullptr, 10);
        go_on(download->second);
    }

    void go_on(Download& download) {
        static const std::string piece(kPiece, bench::kFill);
        for (; download.left > 0 && download.credits >= kPiece;
             download.left -= kPiece, download.credits -= kPiece)
            send(download.to + piece);
    }

    // All wait equally long, so the first to come is the first to go.
    void send_due() {
        for (const auto now = Clock::now(); !waiting_.empty() && waiting_.front().first <= now;
             waiting_.pop_front())
            send(waiting_.front().second + small());
    }

    [[nodiscard]] int until_due() const {
        if (waiting_.empty())
            return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(waiting_.front().first - Clock::now());
        return std::max(0, static_cast<int>(left.count()));
    }

    zmq::context_t context_{1};
    zmq::socket_t in_{context_, zmq::socket_type::pull};
    zmq::socket_t out_{context_, zmq::socket_type::pub};
    std::deque<std::pair<Clock::time_point, std::string>> waiting_;
    std::map<std::string, Download> downloads_;  // by the client's id
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: mongrel2_handler REQUESTS ANSWERS\n";
        return 2;
    }
    try {
        Handler{argv[1], argv[2]}.run();
    } catch (const zmq::error_t& error) {
        std::cerr << "mongrel2_handler: " << error.what() << "\n";
        return 1;
    }
}
