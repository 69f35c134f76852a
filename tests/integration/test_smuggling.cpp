// Requests that two parsers could read in two ways. Whatever the bytes, a worker sees only requests that they plainly
// contain; where httpd refuses them it sees none.
#include <sstream>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;
using namespace std::string_literals;

namespace {

struct Row {
    const char* what;
    std::string bytes;
    std::string seen;  ///< what the worker may see: "METHOD path|body" for each request; "" for none
};

const std::string kHost = "Host: localhost\r\n";
const std::string kPost = "POST /p HTTP/1.1\r\n" + kHost;
const std::string kChunked = "Transfer-Encoding: chunked\r\n";
// What an attacker would like to see taken for a request of its own.
const std::string kHidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";

// clang-format off
const std::vector<Row> kRows{
    // Two ways to say how long the body is.
    {"CL.TE: length and chunking", kPost + "Content-Length: 5\r\n" + kChunked + "\r\n0\r\n\r\n" + kHidden, "POST /p|"},
    {"TE.CL: chunking and length", kPost + kChunked + "Content-Length: 4\r\n\r\n29\r\n" + kHidden + "\r\n0\r\n\r\n", "POST /p|" + kHidden},
    {"two lengths that differ", kPost + "Content-Length: 0\r\nContent-Length: 41\r\n\r\n" + kHidden, ""},
    {"two lengths that agree", kPost + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab" + kHidden, ""},
    {"a list of lengths", kPost + "Content-Length: 2, 2\r\n\r\nab" + kHidden, ""},
    {"a negative length", kPost + "Content-Length: -1\r\n\r\n" + kHidden, ""},
    {"a length with a sign", kPost + "Content-Length: +2\r\n\r\nab" + kHidden, ""},
    {"a hexadecimal length", kPost + "Content-Length: 0x2\r\n\r\nab" + kHidden, ""},
    {"a length with letters behind it", kPost + "Content-Length: 2x\r\n\r\nab" + kHidden, ""},
    {"a length with a space within", kPost + "Content-Length: 4 4\r\n\r\n" + kHidden, ""},
    {"a length that overflows 64 bits", kPost + "Content-Length: 18446744073709551618\r\n\r\nab" + kHidden, ""},
    {"an empty length", kPost + "Content-Length:\r\n\r\n" + kHidden, ""},
    {"a length with a name in underscores", kPost + "Content_Length: 44\r\nContent-Length: 0\r\n\r\n", "POST /p|"},
    {"a length behind a space and colon", kPost + "Content-Length : 44\r\n\r\n" + kHidden, ""},
    // Chunking spelt in odd ways.
    {"chunked twice", kPost + kChunked + kChunked + "\r\n0\r\n\r\n" + kHidden, ""},
    {"chunked not last", kPost + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + kHidden, ""},
    {"an unknown coding before chunked", kPost + "Transfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n", ""},
    {"identity", kPost + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nab" + kHidden, ""},
    {"xchunked", kPost + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + kHidden, ""},
    {"chunked in quotes", kPost + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + kHidden, ""},
    {"chunked behind a vertical tab", kPost + "Transfer-Encoding: \x0b" "chunked\r\n\r\n0\r\n\r\n" + kHidden, ""},
    {"chunked with a NUL", kPost + "Transfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n"s + kHidden, ""},
    {"chunked behind a space and colon", kPost + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + kHidden, ""},
    {"chunked folded over two lines", kPost + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "POST /p|"},
    {"chunked with a name in underscores", kPost + "Transfer_Encoding: chunked\r\nContent-Length: 2\r\n\r\nab", "POST /p|ab"},
    {"chunked in HTTP/1.0", "POST /p HTTP/1.0\r\n" + kHost + kChunked + "\r\n2\r\nab\r\n0\r\n\r\n", "POST /p|ab"},
    // Chunks.
    {"chunk extensions", kPost + kChunked + "\r\n2;a=b;c=\"d\"\r\nab\r\n0;x\r\n\r\n", "POST /p|ab"},
    {"a chunk size with a sign", kPost + kChunked + "\r\n+2\r\nab\r\n0\r\n\r\n" + kHidden, ""},
    {"a chunk size with 0x", kPost + kChunked + "\r\n0x2\r\nab\r\n0\r\n\r\n" + kHidden, ""},
    {"a chunk size that overflows", kPost + kChunked + "\r\n10000000000000002\r\nab\r\n0\r\n\r\n" + kHidden, ""},
    {"an empty chunk size", kPost + kChunked + "\r\n\r\n" + kHidden, ""},
    {"a chunk longer than its size", kPost + kChunked + "\r\n1\r\nab\r\n0\r\n\r\n" + kHidden, ""},
    {"a chunk that ends in a bare LF", kPost + kChunked + "\r\n2\r\nab\n0\r\n\r\n" + kHidden, ""},
    {"a chunk size that ends in a bare LF", kPost + kChunked + "\r\n2\nab\r\n0\r\n\r\n" + kHidden, ""},
    {"a trailer that claims a length", kPost + kChunked + "\r\n2\r\nab\r\n0\r\nContent-Length: 41\r\n\r\n", "POST /p|ab"},
    // Lines and fields.
    {"a field folded over two lines", "GET /p HTTP/1.1\r\n" + kHost + "X: a\r\n b\r\n\r\n", "GET /p|"},
    {"a first field line that begins with a space", "GET /p HTTP/1.1\r\n X: a\r\n" + kHost + "\r\n", ""},
    {"lines that end in a bare LF", "GET /p HTTP/1.1\nHost: localhost\n\n", ""},
    {"a bare CR in a field", "GET /p HTTP/1.1\r\n" + kHost + "X: a\rContent-Length: 41\r\n\r\n", ""},
    {"a bare LF in a field", "GET /p HTTP/1.1\r\n" + kHost + "X: a\nX-Other: b\r\n\r\n", ""},
    {"a NUL in a field", "GET /p HTTP/1.1\r\n"s + kHost + "X: a\0b\r\n\r\n"s, ""},
    {"a field without a colon", "GET /p HTTP/1.1\r\n" + kHost + "X\r\n\r\n", ""},
    {"a field without a name", "GET /p HTTP/1.1\r\n" + kHost + ": x\r\n\r\n", ""},
    {"a name that is no token", "GET /p HTTP/1.1\r\n" + kHost + "X(y): a\r\n\r\n", ""},
    {"two hosts", "GET /p HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", ""},
    {"a host with a path", "GET /p HTTP/1.1\r\nHost: a/b\r\n\r\n", ""},
    {"no host", "GET /p HTTP/1.1\r\n\r\n", ""},
    // The request line.
    {"two spaces before the target", "GET  /p HTTP/1.1\r\n" + kHost + "\r\n", ""},
    {"a tab in the request line", "GET\t/p HTTP/1.1\r\n" + kHost + "\r\n", ""},
    {"a space in the target", "GET /p HTTP/1.1 HTTP/1.1\r\n" + kHost + "\r\n", ""},
    {"HTTP/0.9", "GET /p\r\n" + kHost + "\r\n", "GET /p|"},
    {"HTTP/1.2", "GET /p HTTP/1.2\r\n" + kHost + "\r\n", "GET /p|"},
    {"HTTP/2.0 in HTTP/1 clothes", "GET /p HTTP/2.0\r\n" + kHost + "\r\n", "GET /p|"},
    {"a lower-case protocol", "GET /p http/1.1\r\n" + kHost + "\r\n", ""},
    {"a method that is no token", "GE T /p HTTP/1.1\r\n" + kHost + "\r\n", ""},
    {"a lower-case method", "get /p HTTP/1.1\r\n" + kHost + "\r\n", "get /p|"},
    {"absolute-form with another host", "GET http://real/p HTTP/1.1\r\nHost: forged\r\n\r\n", "GET /p|"},
    {"absolute-form with user information", "GET http://a@b/p HTTP/1.1\r\n" + kHost + "\r\n", ""},
    {"a target without a slash", "GET p HTTP/1.1\r\n" + kHost + "\r\n", ""},
    {"dot segments, encoded", "GET /a/%2e%2e/p HTTP/1.1\r\n" + kHost + "\r\n", "GET /p|"},
    {"dot segments above the root, encoded", "GET /%2e%2e/p HTTP/1.1\r\n" + kHost + "\r\n", ""},
    {"CR LF in the target, encoded", "GET /p%0d%0aX:%20y HTTP/1.1\r\n" + kHost + "\r\n", "GET /p%0d%0aX:%20y|"},
    {"a NUL in the target, encoded", "GET /p%00 HTTP/1.1\r\n" + kHost + "\r\n", ""},
    {"a NUL in the target", "GET /p\0q HTTP/1.1\r\n"s + kHost + "\r\n", ""},
    {"a fragment in the target", "GET /p#q HTTP/1.1\r\n" + kHost + "\r\n", ""},
    // Pipelines.
    {"two requests", "GET /1 HTTP/1.1\r\n" + kHost + "\r\nGET /2 HTTP/1.1\r\n" + kHost + "\r\n", "GET /1|; GET /2|"},
    {"a body that looks like a request", kPost + "Content-Length: 41\r\n\r\n" + kHidden, "POST /p|" + kHidden},
    {"a GET with a body that looks like a request", "GET /p HTTP/1.1\r\n" + kHost + "Content-Length: 41\r\n\r\n" + kHidden, "GET /p|" + kHidden},
    {"an empty line before the request", "\r\nGET /p HTTP/1.1\r\n" + kHost + "\r\n", "GET /p|"},
};
// clang-format on

std::string seen_by(const PuppetWorker& worker, std::size_t from) {
    std::string text;
    const auto all = worker.requests();
    for (std::size_t i = from; i < all.size(); ++i) {
        // One that was cut off, and reset, is none.
        if (all.at(i).end == "FIN") {
            text += (text.empty() ? "" : "; ") + all.at(i).header(":method").value_or("") + " " +
                    all.at(i).path() + "|" + all.at(i).body;
        }
    }
    return text;
}

}  // namespace

TEST_CASE("No hostile bytes make a worker see a request that they do not plainly contain",
          "[smuggling][core]") {
    const auto httpd = Httpd::started({.single_child = true});
    PuppetWorker worker{*httpd, false, answers({{"content-length", "0"}}, "")};
    std::ostringstream table;
    for (const Row& row : kRows) {
        CAPTURE(row.what);
        const auto before = worker.requests().size();
        RawClient client{httpd->port()};
        client.send(row.bytes);
        client.finish_sending();
        const std::string response = client.read_all();
        CAPTURE(response);
        // Whatever httpd hands on it has handed on before it ends the connection.
        const std::string seen = seen_by(worker, before);
        CHECK(seen == row.seen);
        CHECK(seen.find("GET /hidden|") == std::string::npos);
        table << "  " << row.what << ": " << (seen.empty() ? "refused" : seen) << "\n";
    }
    INFO(table.str());
    CHECK(kRows.size() >= 40);
    CHECK(get_once(httpd->port(), "/after").status == 200);
}
