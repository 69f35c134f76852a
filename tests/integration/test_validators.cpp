// Conditional requests through filters that change the entity tag: mod_deflate, mod_brotli.
#include <algorithm>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "helpers.hpp"

using namespace harness;

namespace {

struct Filter {
    std::string name;    ///< as in SetOutputFilter
    std::string coding;  ///< Accept-Encoding
    std::string directive;
};
const Filter kDeflate{"DEFLATE", "gzip", "DeflateAlterETag"};
const Filter kBrotli{"BROTLI_COMPRESS", "br", "BrotliAlterETag"};

/// An origin with one representation at each path, whose tag is the query, compares tags as RFC 9110 asks, and serves ranges.
PuppetWorker::Script origin() {
    return {.completed = [](PuppetWorker::Stream stream) {
        const auto& seen = stream.seen();
        const std::string path = seen.path();
        const std::string tag = path.starts_with("/weak")  ? "W/\"v7\""
                                : path.starts_with("/own") ? "\"v7-gzip\""
                                                           : "\"v7\"";
        const std::string opaque = tag.substr(tag.find('"'));
        const std::string body(path.starts_with("/ranges") ? 20000 : 2000, 'x');
        const auto has_tag = [&](const char* name) {
            const std::string list = seen.header(name).value_or("");
            return list == "*" || list.find(opaque) != std::string::npos;
        };
        PuppetWorker::Fields fields{{":version", "HTTP/1.1"}, {"etag", tag}, {":status", "200"}};
        const auto finish = [&](const std::string& status, const std::string& content) {
            fields.back().second = status;
            fields.emplace_back("content-type", "text/plain");
            stream.reply(fields);
            stream.data(content, true);
        };
        if (seen.header("if-match") && !has_tag("if-match")) {
            return finish("412", "changed");
        }
        if (seen.header("if-none-match") && has_tag("if-none-match")) {
            fields.back().second = "304";
            return stream.reply(fields, true);
        }
        if (seen.header("range") && seen.header("if-range").value_or(tag) == tag) {
            fields.emplace_back("content-range", "bytes 10-19999/20000");
            std::swap(fields.back(), fields.at(fields.size() - 2));
            return finish("206", body.substr(10));
        }
        finish("200", body);
    }};
}

Reply get(Client& client, const std::string& path, std::vector<std::string> fields) {
    Call call;
    call.path = path;
    call.headers = std::move(fields);
    return client.send(call);
}

Reply put(Client& client, const std::string& path, const std::string& field) {
    Call call;
    call.method = "PUT";
    call.path = path;
    call.headers = {field};
    call.body = "new";
    return client.send(call);
}

std::string filter_lines(const Filter& filter, bool by_type, const std::string& setting) {
    return (by_type ? "AddOutputFilterByType " + filter.name + " text/plain"
                    : "SetOutputFilter " + filter.name) +
           "\n" + filter.directive + " " + setting + "\n";
}

}  // namespace

TEST_CASE(
    "A validator that a filter has changed is the worker's again on its way back, and a 304 has the client's",
    "[citizen]") {
    const Filter& filter = GENERATE_REF(kDeflate, kBrotli);
    const bool by_type = GENERATE(true, false);
    const std::string setting = GENERATE("AddSuffix", "NoChange", "Remove");
    CAPTURE(filter.name, by_type, setting);
    const auto httpd = Httpd::started(
        {.modules = {"filter", "deflate", "brotli"}, .global = filter_lines(filter, by_type, setting)});
    PuppetWorker worker{*httpd, false, origin()};
    Client client{httpd->port()};
    const std::string accept = "Accept-Encoding: " + filter.coding;
    for (const std::string path : {"/strong", "/weak", "/own"}) {
        CAPTURE(path);
        const Reply first = get(client, path, {accept});
        REQUIRE(first.status == 200);
        CHECK(first.header("content-encoding") == filter.coding);
        const auto tag = first.header("etag");
        CHECK(tag.has_value() == (setting != "Remove"));
        // What a client has without the coding is as good.
        const std::string plain = get(client, path, {}).header("etag").value_or("none");
        for (const std::string& known : {tag.value_or(plain), plain}) {
            CAPTURE(known);
            for (const std::string& list : {known, "\"other\", W/\"x-gzip\" ," + known + ",\"y-br\""}) {
                const Reply again = get(client, path, {accept, "If-None-Match: " + list});
                CHECK(again.status == 304);
                CHECK(again.header("etag") == known);
                if (known != plain)
                    CHECK(again.header("vary") == first.header("vary"));
            }
            CHECK(put(client, path, "If-Match: " + known).status == 200);
        }
        CHECK(get(client, path, {accept, "If-None-Match: \"v6-gzip\", \"v6-br\""}).status == 200);
        CHECK(put(client, path, "If-Match: \"v6-gzip\"").status == 412);
    }
}

TEST_CASE("A download that was compressed goes on with the same bytes, never with the worker's",
          "[citizen]") {
    const Filter& filter = GENERATE_REF(kDeflate, kBrotli);
    CAPTURE(filter.name);
    const auto httpd = Httpd::started(
        {.modules = {"filter", "deflate", "brotli"}, .global = filter_lines(filter, true, "AddSuffix")});
    PuppetWorker worker{*httpd, false, origin()};
    Client client{httpd->port()};
    const std::string accept = "Accept-Encoding: " + filter.coding;
    const Reply whole = get(client, "/ranges", {accept});
    REQUIRE(whole.header("content-encoding") == filter.coding);
    const Reply rest =
        get(client, "/ranges",
            {accept, "Range: bytes=10-", "If-Range: " + whole.header("etag").value_or("none")});
    CHECK((rest.status == 206 || rest.status == 200));
    CHECK(rest.body == (rest.status == 206 ? whole.body.substr(10) : whole.body));
}
