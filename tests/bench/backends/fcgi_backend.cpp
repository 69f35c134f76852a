// The backend behind mod_proxy_fcgi: fcgi_backend SOCKET THREADS. A thread has one connection at a time, and httpd keeps
// its connections, so there must be as many threads as httpd may open.
#include <fcgiapp.h>
#include <sys/stat.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "answers.hpp"

namespace {

constexpr int kBacklog = 2048;

std::string_view parameter(const char* name, const FCGX_Request& request) {
    const char* const value = FCGX_GetParam(name, request.envp);
    return value != nullptr ? value : "";
}

void put(FCGX_Stream* out, std::string_view bytes) {
    (void)FCGX_PutStr(bytes.data(), static_cast<int>(bytes.size()), out);
}

void begin(FCGX_Stream* out, std::string_view type, std::size_t length) {
    put(out,
        "Content-Type: " + std::string(type) + "\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n");
}

void small(FCGX_Stream* out) {
    begin(out, "text/plain", bench::kSmall.size());
    put(out, bench::kSmall);
}

// To its end also where there is none: what stays unread would be taken for the next request on the connection.
std::size_t read_body(FCGX_Stream* in) {
    std::array<char, std::size_t{16} * 1024> buffer;
    std::size_t size = 0;
    for (int got = 1; got > 0; size += static_cast<std::size_t>(got))
        got = FCGX_GetStr(buffer.data(), static_cast<int>(buffer.size()), in);
    return size;
}

void answer(FCGX_Request& request) {
    static const std::string block(bench::kChunk, bench::kFill);
    const std::string_view path = parameter("REQUEST_URI", request);
    const std::size_t body = read_body(request.in);
    if (path == "/small" || (path == "/upload" && body == bench::kUpload)) {
        small(request.out);
    } else if (path == "/64k") {
        begin(request.out, "application/octet-stream", block.size());
        put(request.out, block);
    } else if (path == "/100m") {
        begin(request.out, "application/octet-stream", block.size() * bench::kChunksOfStream);
        for (std::size_t i = 0; i < bench::kChunksOfStream && FCGX_GetError(request.out) == 0; ++i)
            put(request.out, block);
    } else if (path == "/wait") {
        std::this_thread::sleep_for(bench::kWait);
        small(request.out);
    } else if (path == "/idle") {
        put(request.out, "Content-Type: application/octet-stream\r\n\r\n");
        put(request.out, {&bench::kFill, 1});
        (void)FCGX_FFlush(request.out);
        std::this_thread::sleep_for(std::chrono::hours{1});
    } else {
        put(request.out, "Status: 404\r\n\r\n");
    }
}

void serve(int socket) {
    FCGX_Request request;
    if (FCGX_InitRequest(&request, socket, 0) != 0)
        return;
    while (FCGX_Accept_r(&request) == 0) {
        answer(request);
        FCGX_Finish_r(&request);
    }
    FCGX_Free(&request, 1);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3 || FCGX_Init() != 0) {
        std::cerr << "usage: fcgi_backend SOCKET THREADS\n";
        return 2;
    }
    std::signal(SIGTERM, SIG_DFL);  // libfcgi would only note it
    ::umask(0);                     // httpd runs as somebody else
    const int socket = FCGX_OpenSocket(argv[1], kBacklog);
    if (socket < 0) {
        std::cerr << "cannot listen on " << argv[1] << "\n";
        return 1;
    }
    std::vector<std::jthread> threads;
    for (int i = std::atoi(argv[2]); i > 0; --i)
        threads.emplace_back(serve, socket);
    return 0;  // never: SIGTERM ends the process
}
