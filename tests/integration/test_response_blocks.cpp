// HEADERS around a response: interim responses and trailers, of any number and form.
#include "catch.hpp"
#include "helpers.hpp"
#include "response_gateway.hpp"

using namespace harness;

namespace {

using Fields = PuppetWorker::Fields;
using Stream = PuppetWorker::Stream;

const Fields kOk{{":status", "200"}, {":version", "HTTP/1.1"}};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("Trailers come with the FIN or before it, in one block or several", "[http_response]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    const Gateway gateway{relayed, [](Stream stream) {
                              const std::string path = stream.seen().path();
                              stream.reply(kOk);
                              if (path != "/late") {
                                  stream.data("body");
                              }
                              stream.headers({{"x-sum", "42"}});
                              stream.headers({});
                              stream.headers({{"x-also", "1"}}, path == "/fin");
                              if (path != "/fin") {
                                  stream.data(path == "/late" ? "body" : "", true);
                              }
                          }};
    for (const char* path : {"/fin", "/empty-data", "/late"}) {
        CAPTURE(path);
        const std::string response = gateway.get(path, "TE: trailers\r\n");
        CAPTURE(response);
        CHECK(response.starts_with("HTTP/1.1 200 "));
        CHECK(response.ends_with("4\r\nbody\r\n0\r\nX-Sum: 42\r\nX-Also: 1\r\n\r\n"));
    }
}

TEST_CASE("All blocks of a response's trailers together have httpd's limit of lines", "[http_response]") {
    const Gateway gateway{false, [](Stream stream) {
                              const int blocks = std::stoi(stream.seen().path().substr(1));
                              stream.reply(kOk);
                              stream.data("body");
                              for (int i = 0; i < blocks; ++i) {
                                  stream.headers({{"x-" + std::to_string(i), "1"}});
                              }
                              stream.data("", true);
                          }};
    CHECK(gateway.get("/100", "TE: trailers\r\n").ends_with("X-99: 1\r\n\r\n"));
    CHECK_FALSE(has(gateway.get("/101", "TE: trailers\r\n"), "\r\n0\r\n"));
    CHECK(logs(*gateway.httpd, "LimitRequestFields)"));
}

TEST_CASE("A flood of HEADERS ends its response, before or behind the reply", "[http_response]") {
    const bool relayed = GENERATE(false, true);
    CAPTURE(relayed);
    Gateway gateway{relayed, [](Stream stream) {
                        const bool behind = stream.seen().path() == "/behind";
                        if (behind) {
                            stream.reply(kOk);
                            stream.data("body");
                        }
                        for (int i = 0; i < 1500; ++i) {
                            stream.headers(behind ? Fields{} : Fields{{":status", "102"}});
                        }
                    }};
    const auto is_reset = [](const auto& seen) { return seen.end == "PROTOCOL_ERROR"; };
    const std::string behind = gateway.get("/behind", "TE: trailers\r\n");
    CHECK(gateway.worker.await("/behind", is_reset));
    CHECK_FALSE(has(behind, "\r\n0\r\n"));
    const std::string before = gateway.get("/before");
    CHECK(gateway.worker.await("/before", is_reset));
    CHECK(has(before, "HTTP/1.1 502 "));
    CHECK(logs(*gateway.httpd, "more interim responses or trailers", 2));
}
