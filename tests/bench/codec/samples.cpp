#include "samples.hpp"

#include <random>

namespace zmqspdy::bench {

namespace {

std::string hex(std::mt19937& random, std::size_t digits) {
    std::string text(digits, '0');
    for (char& digit : text)
        digit = "0123456789abcdef"[random() % 16];
    return text;
}

}  // namespace

HeaderList request_headers(unsigned visitor) {
    std::mt19937 random{visitor};
    return {
        {":method", "GET"},
        {":path", "/articles/" + hex(random, 8) + "?utm_source=newsletter"},
        {":version", "HTTP/1.1"},
        {":host", "www.example.org"},
        {":scheme", "https"},
        {"User-Agent",
         "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/130.0.0.0 Safari/537.36"},
        {"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"},
        {"Accept-Language", "en-GB,en;q=0.9,de;q=0.7"},
        {"Accept-Encoding", "gzip, deflate, br"},
        {"Referer", "https://www.example.org/articles/"},
        {"Cookie", "session=" + hex(random, 32) + "; consent=yes"},
        {"Upgrade-Insecure-Requests", "1"},
        {"X-Forwarded-For", "192.0.2.17"},
    };
}

HeaderList response_headers(std::size_t body_size) {
    return {
        {":status", "200 OK"},
        {":version", "HTTP/1.1"},
        {"content-type", "text/html; charset=utf-8"},
        {"content-length", std::to_string(body_size)},
        {"date", "Sun, 06 Nov 1994 08:49:37 GMT"},
    };
}

spdy::HeaderBlock to_block(const HeaderList& headers) {
    spdy::HeaderBlock block;
    for (const auto& [name, value] : headers)
        block.add(name, value);
    return block;
}

std::vector<spdy::HeaderBlock> requests_of_all_visitors() {
    std::vector<spdy::HeaderBlock> blocks;
    for (unsigned visitor = 0; visitor < kVisitors; ++visitor)
        blocks.push_back(to_block(request_headers(visitor)));
    return blocks;
}

}  // namespace zmqspdy::bench
