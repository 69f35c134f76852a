#include "odd_requests.hpp"

#include <random>
#include <set>
#include <stdexcept>

using namespace std::string_literals;

namespace {

const std::string kEnd = "Connection: close\r\n\r\n";

std::vector<std::string> targets() {
    std::vector<std::string> all{"/",
                                 "/?",
                                 "/?a",
                                 "/p?",
                                 "/p?a=b&c",
                                 "/p??",
                                 "/p?a?b",
                                 "/p?a#b",
                                 "/p#a",
                                 "//",
                                 "//p",
                                 "/p//q",
                                 "///",
                                 "/p/",
                                 "/p/.",
                                 "/p/..",
                                 "/p/./q",
                                 "/p/../q",
                                 "/..",
                                 "/../q",
                                 "/p/%2e",
                                 "/p/%2E%2e/q",
                                 "/%2e%2e/q",
                                 "/p/.%2e/q",
                                 "/...",
                                 "/p/...",
                                 "/.p",
                                 "/p..",
                                 "/p;a",
                                 "/p;a=b/q",
                                 "/..;/q",
                                 "/p/..;a/q",
                                 "/p%3Ba",
                                 "/p%20q",
                                 "/p+q",
                                 "/p%2Bq",
                                 "/p%2Fq",
                                 "/p%2fq",
                                 "/p%5Cq",
                                 "/p\\q",
                                 "/p%25q",
                                 "/p%2525q",
                                 "/p%00q",
                                 "/p%",
                                 "/p%2",
                                 "/p%zz",
                                 "/p%0aq",
                                 "/p%0d%0aX:%20y",
                                 "/p%09q",
                                 "/p%7Fq",
                                 "/p\x7fq",
                                 "/p%C3%A4",
                                 "/p\xc3\xa4",
                                 "/p%ff",
                                 "/p\xff",
                                 "/p%E2%80%AE",
                                 "/~p",
                                 "/%7Ep",
                                 "/p:q",
                                 "/p%3Aq",
                                 "/p@q",
                                 "/p%40q",
                                 "/p&q",
                                 "/p=q",
                                 "/p$q",
                                 "/p!q",
                                 "/p'q",
                                 "/p(q)",
                                 "/p*q",
                                 "/p,q",
                                 "/p\"q",
                                 "/p%22q",
                                 "/p<q>",
                                 "/p%3Cq%3E",
                                 "/p[q]",
                                 "/p%5Bq%5D",
                                 "/p{q}",
                                 "/p|q",
                                 "/p^q",
                                 "/p`q",
                                 "/p-q_r.s",
                                 "/p?a=%00",
                                 "/p?a=%2F..%2F",
                                 "/p?/../q",
                                 "/p?a=\xc3\xa4",
                                 "/p?a=b\"c",
                                 "/p?a=<b>",
                                 "/p?a b",
                                 "/p q",
                                 "/p?%",
                                 "/p?a;b",
                                 "*",
                                 "p",
                                 "?a",
                                 "",
                                 "p?a",
                                 "./p",
                                 "../p",
                                 ".",
                                 "..",
                                 ":",
                                 "://",
                                 "/://p",
                                 "/p://q",
                                 "/p?://q",
                                 "/p/" + std::string(300, 'x'),
                                 "/" + std::string(4100, 'y'),
                                 "/p?" + std::string(4100, 'z'),
                                 "/" + std::string(8300, 'v')};
    for (const std::string scheme : {"http:", "HTTP:", "https:", "ftp:", "x:"}) {
        for (const std::string rest :
             {"//localhost/p", "//localhost", "//localhost?a", "//other/p?a", "//localhost:80/p",
              "//u@localhost/p", "///p", "//", "/p", "p", "/p?://h/q", "?://h/q", "/a/x://h/q"}) {
            all.push_back(scheme + rest);
        }
    }
    return all;
}

std::vector<std::string> fields() {
    return {"X: a",
            "X:a",
            "X:",
            "X: ",
            "X:\ta\t",
            "X: a, b",
            "X: a\r\nX: b",
            "x: a\r\nX: b",
            "X: \xc3\xa4",
            "X: \xff",
            "X: a\x01",
            "X: a\x7f",
            "X : a",
            " X: a",
            "X: a\r\n b",
            "X: a\r\n\tb",
            "X",
            ": a",
            "X(): a",
            "X_Y: a",
            "X-Y: a\r\nX_Y: b",
            "X.Y: a",
            "X!#$%&'*+.^`|~: a",
            "X: " + std::string(4000, 'a'),
            "X: " + std::string(8180, 'a'),
            "X: " + std::string(8200, 'a'),
            std::string(200, 'X') + ": a",
            "Proxy: http://evil",
            "Proxy-Connection: keep-alive",
            "Keep-Alive: 300",
            "TE: trailers",
            "TE: gzip",
            "TE: trailers, gzip;q=0.5",
            "Trailer: X",
            "Upgrade: websocket",
            "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__",
            "Connection: X\r\nX: a",
            "Connection: X, Y\r\nX: a\r\nY: b\r\nZ: c",
            "Connection: Host",
            "Connection: Cookie\r\nCookie: a=b",
            "Connection: x-forwarded-for",
            "Connection: \"close\"",
            "Connection: ,, ,",
            "Expect: 100-continue",
            "Expect: 200-ok",
            "Expect:",
            "Range: bytes=0-0",
            "Range: bytes=1-",
            "Range: bytes=9-",
            "Range: bytes=0-0,1-1",
            "Range: lines=1-2",
            "If-None-Match: \"a\"",
            "If-Match: \"a\"",
            "If-Match: *",
            "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
            "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT",
            "If-Range: \"a\"\r\nRange: bytes=0-0",
            "Cookie: a=b",
            "Cookie: a=b\r\nCookie: c=d",
            "Authorization: Basic YTpi",
            "Proxy-Authorization: Basic YTpi",
            "Accept-Encoding: gzip",
            "Accept: */*",
            "Content-Type: a/b",
            "Content-Encoding: gzip",
            "Max-Forwards: 0",
            "Max-Forwards: 5",
            "Via: 1.0 fred",
            "Forwarded: for=1.2.3.4",
            "X-Forwarded-For: 1.2.3.4",
            "X-Forwarded-Host: evil",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Server: evil",
            "X_Forwarded_For: 1.2.3.4",
            "X-Real-IP: 1.2.3.4",
            "zmqspdy-remote-user: root",
            "ZmqSpdy_Remote_User: root",
            "Host: other",
            "Date: Sun, 06 Nov 1994 08:49:37 GMT",
            "Transfer-Encoding:",
            "Transfer-Encoding: identity",
            "Content-Length: 0",
            "Content-Length:",
            "Content-Length: -1",
            "Content-Length: +1",
            "Content-Length: 1x",
            "Content-Length: 0, 0",
            "Content-Length: 0\r\nContent-Length: 0",
            "Content-Length: 0\r\nContent-Length: 1",
            "Content-Length: 99999999999999999999",
            "Priority: u=1",
            "Early-Data: 1",
            "Origin: null",
            "Referer: http://a/",
            "User-Agent:",
            "Warning: 199 - x"};
}

std::vector<std::string> hosts() {
    return {"localhost",
            "LOCALHOST",
            "localhost:80",
            "localhost:",
            "localhost:99999",
            "127.0.0.1",
            "[::1]",
            "[::1]:80",
            "[::1",
            "a b",
            "a/b",
            "a@b",
            "a,b",
            "",
            "xn--nxasmq6b",
            "\xc3\xa4.example",
            "a_b",
            ".",
            "a.",
            "..",
            "a..b",
            "localhost\r\nHost: localhost",
            "%6c"};
}

/// Behind the request line and Host.
std::vector<std::string> bodies() {
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    return {"Content-Length: 2\r\n" + kEnd + "ab",
            "Content-Length: 02\r\n" + kEnd + "ab",
            "Content-Length: 2\r\nContent-Length: 2\r\n" + kEnd + "ab",
            "Content-Length: 2\r\nContent-Length: 3\r\n" + kEnd + "abc",
            "Content-Length: 2\r\nExpect: 100-continue\r\n" + kEnd + "ab",
            "Content-Length: 5\r\n" + kEnd + "ab",
            "Content-Length: 0\r\n" + kEnd,
            kEnd,
            chunked + kEnd + "2\r\nab\r\n0\r\n\r\n",
            chunked + kEnd + "0\r\n\r\n",
            chunked + kEnd + "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
            chunked + kEnd + "2;x=y\r\nab\r\n0;z\r\n\r\n",
            chunked + kEnd + "2\r\nab\r\n0\r\nX: a\r\n\r\n",
            chunked + kEnd + "2\r\nab\r\n0\r\nContent-Length: 9\r\n\r\n",
            chunked + kEnd + "2\r\nab\r\n",
            chunked + kEnd + "2\r\nabc\r\n0\r\n\r\n",
            chunked + kEnd + "x\r\nab\r\n0\r\n\r\n",
            chunked + kEnd + "-1\r\nab\r\n0\r\n\r\n",
            chunked + kEnd + "2\nab\n0\n\n",
            chunked + "Content-Length: 2\r\n" + kEnd + "2\r\nab\r\n0\r\n\r\n",
            "Transfer-Encoding: gzip, chunked\r\n" + kEnd + "2\r\nab\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked, chunked\r\n" + kEnd + "2\r\nab\r\n0\r\n\r\n",
            "Transfer-Encoding: gzip\r\n" + kEnd + "ab",
            "Transfer-Encoding: CHUNKED\r\n" + kEnd + "2\r\nab\r\n0\r\n\r\n",
            "Transfer-Encoding: x\r\n" + kEnd + "ab",
            chunked + "Expect: 100-continue\r\n" + kEnd + "2\r\nab\r\n0\r\n\r\n",
            chunked + "Trailer: X\r\n" + kEnd + "2\r\nab\r\n0\r\nX: a\r\n\r\n"};
}

class Maker {
  public:
    void add(const std::string& what, const std::string& bytes) {
        if (!names_.insert(what).second)
            throw std::logic_error("two odd requests are called " + what);
        all_.push_back({what, bytes});
    }
    std::vector<OddRequest> take() { return std::move(all_); }

  private:
    std::vector<OddRequest> all_;
    std::set<std::string> names_;
};

std::string request(const std::string& method, const std::string& target, const std::string& rest,
                    const std::string& version = "HTTP/1.1") {
    return method + " " + target + " " + version + "\r\nHost: localhost\r\n" + rest;
}

void add_mixtures(Maker& maker, std::mt19937& random) {
    const auto pick = [&random](const auto& from) { return from.at(random() % from.size()); };
    const std::vector<std::string> methods{"GET",    "HEAD",  "POST",    "PUT",
                                           "DELETE", "PATCH", "OPTIONS", "BREW"};
    for (int i = 0; i < 120; ++i) {
        std::string lines;
        for (auto count = random() % 3; count > 0; --count)
            lines += pick(fields()) + "\r\n";
        maker.add("mixture " + std::to_string(i),
                  request(pick(methods), pick(targets()), lines + pick(bodies()),
                          random() % 4 == 0 ? "HTTP/1.0" : "HTTP/1.1"));
    }
}

}  // namespace

std::vector<OddRequest> odd_requests() {
    Maker maker;
    for (const auto& target : targets())
        maker.add("target " + target, request("GET", target, kEnd));
    for (const auto& field : fields())
        maker.add("field " + field, request("GET", "/p", field + "\r\n" + kEnd));
    for (const auto& host : hosts())
        maker.add("host " + host, "GET /p HTTP/1.1\r\nHost: " + host + "\r\n" + kEnd);
    for (const auto& version : {"HTTP/1.0", "HTTP/1.1", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/0.9",
                                "HTTP/1", "HTTP/01.1", "http/1.1", "HTTQ/1.1", "HTTP/1.1 "})
        maker.add("version "s + version, request("GET", "/p", kEnd, version));
    for (const auto& method : {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT",
                               "PROPFIND", "BREW", "get", "G-T", "G(T", "X\x01", "", "PRI"})
        maker.add("method "s + method, request(method, "/p", kEnd));
    for (const std::string method : {"GET", "HEAD", "POST", "DELETE"}) {
        int number = 0;
        for (const auto& body : bodies())
            maker.add("body " + std::to_string(number++) + " of " + method, request(method, "/p", body));
    }
    std::mt19937 random{3141592653U};
    add_mixtures(maker, random);
    return maker.take();
}
