// Forms, as browsers send them and as nobody should.
#include "catch.hpp"
#include "zmqspdy/form.hpp"

using zmqspdy::FormFields;
using zmqspdy::FormLimits;
using zmqspdy::HttpError;
using zmqspdy::parse_form;
using zmqspdy::read_form;
using zmqspdy::Request;

namespace {

Request post(std::string type, std::string body) {
    return Request{"POST", "/", {{"Content-Type", std::move(type)}}, std::move(body)};
}

Request multipart(std::string body) {
    return post("multipart/form-data; boundary=XX", std::move(body));
}

/// The status that reading the form throws; 200 when it throws nothing.
int status_of(Request request, const FormLimits& limits = {}) {
    try {
        (void)read_form(request, limits);
        return 200;
    } catch (const HttpError& error) {
        CHECK(!std::string_view{error.what()}.empty());
        return error.status();
    }
}

std::string part(std::string_view disposition, std::string_view content) {
    return "--XX\r\nContent-Disposition: " + std::string(disposition) + "\r\n\r\n" + std::string(content) +
           "\r\n";
}

}  // namespace

TEST_CASE("errors for clients have a status of their own", "[http]") {
    const HttpError error{404, "no such thing"};
    CHECK(error.status() == 404);
    CHECK(std::string_view{error.what()} == "no such thing");
    for (const int status : {-1, 0, 200, 399, 600})
        CHECK_THROWS_AS(HttpError(status, ""), std::invalid_argument);
}

TEST_CASE("pairs of an urlencoded form", "[http]") {
    struct Case {
        std::string_view text;
        FormFields fields;
    };
    const std::vector<Case> cases{
        {"", {}},
        {"&&&", {}},
        {"a=1&b=2&a=3", {{"a", "1"}, {"b", "2"}, {"a", "3"}}},
        {"a", {{"a", ""}}},
        {"=", {{"", ""}}},
        {"=1", {{"", "1"}}},
        {"a=b=c", {{"a", "b=c"}}},
        {"x+y=1%2B1%20z", {{"x y", "1+1 z"}}},
        {"%26=%3D&%", {{"&", "="}, {"%", ""}}},
        {"a=%zz%4", {{"a", "%zz%4"}}},
        {"a=%00%ff", {{"a", std::string("\0\xff", 2)}}},
        {"a;b=1", {{"a;b", "1"}}},
    };
    for (const auto& item : cases) {
        CAPTURE(item.text);
        CHECK(parse_form(item.text) == item.fields);
    }
}

TEST_CASE("a form is read by its Content-Type", "[http]") {
    auto request = post("Application/X-WWW-Form-Urlencoded; charset=UTF-8", "a=1&b=x+y&a=2");
    const auto form = read_form(request);
    CHECK(form.fields == FormFields{{"a", "1"}, {"b", "x y"}, {"a", "2"}});
    CHECK(form.files.empty());
    CHECK(form.field("a") == "1");
    CHECK(!form.field("A"));
    CHECK(form.file("a") == nullptr);

    CHECK(status_of(Request{"POST", "/", {}, "a=1"}) == 415);
    for (const auto* type : {"", "text/plain", "application/json", "multipart/mixed; boundary=XX",
                             "multipart/form-data2; boundary=XX", "application/x-www-form-urlencoded/x"})
        CHECK(status_of(post(type, "a=1")) == 415);
    for (const auto* type :
         {"multipart/form-data; boundary=\"XX", "multipart/form-data; boundary",
          "multipart/form-data; boundary=a b", "Multipart/Form-Data ;boundary=(a:b)",
          "multipart/form-data; boundary=a=b", "multipart/form-data", "multipart/form-data; x=1; x=2"})
        CHECK(status_of(post(type, "a=1")) == 400);
    for (const auto* type :
         {"application/x-www-form-urlencoded; charset", "application/x-www-form-urlencoded;a=b=c"})
        CHECK(status_of(post(type, "a=1")) == 200);
    FormLimits limits;
    limits.total = 5;
    limits.parts = 2;
    CHECK(status_of(post("application/x-www-form-urlencoded", "a=123"), limits) == 200);
    CHECK(status_of(post("application/x-www-form-urlencoded", "a=1234"), limits) == 413);
    CHECK(status_of(post("application/x-www-form-urlencoded", "a&b&"), limits) == 200);
    CHECK(status_of(post("application/x-www-form-urlencoded", "a&b&c"), limits) == 413);
}

TEST_CASE("multipart forms have fields and files", "[http]") {
    auto request = multipart(
        "a preamble\r\n"
        "--XX  \t\r\ncontent-DISPOSITION: form-data; name=\"a\"\r\n\r\n1\r\n"
        "--XX\r\nContent-Disposition: form-data; name=empty\r\n\r\n\r\n"
        "--XX\r\nContent-Disposition: Form-Data; name=\"f;\\\"\"; filename=\"C:\\new\\t.txt\"\r\n"
        "Content-Type: image/png\r\nX-Other: y\r\n\r\n\r\nline\r\n--X\n--XX\r\n\r\n"
        "--XX\r\nContent-Disposition: form-data; name=\"none\"; filename=\"\"\r\n\r\n\r\n"
        "--XX--\r\nan epilogue");
    const auto form = read_form(request);
    CHECK(form.fields == FormFields{{"a", "1"}, {"empty", ""}});
    REQUIRE(form.files.size() == 2);
    CHECK(form.files[0].name == "f;\"");
    CHECK(form.files[0].filename == "t.txt");
    CHECK(form.files[0].content_type == "image/png");
    CHECK(form.files[0].body == "\r\nline\r\n--X\n--XX\r\n");
    REQUIRE(form.file("none") != nullptr);
    CHECK(form.file("none")->filename.empty());
    CHECK(form.file("none")->content_type == "text/plain");
    CHECK(form.file("none")->body.empty());
    auto quoted = post("multipart/form-data; boundary=\"a b\"", "--a b--");
    CHECK(read_form(quoted).fields.empty());
}

TEST_CASE("malformed multipart forms are refused", "[http]") {
    const std::string good = part("form-data; name=a", "1");
    CHECK(status_of(multipart(good + "--XX--")) == 200);
    const std::vector<std::string> cases{
        "",
        "--XX",
        "--X",
        "--XX\r\n",
        "--XX\r\n\r\n",
        "--XX\r\n\r\n\r\n--XX--",
        "--XX\n\n--XX--",
        "--XXX\r\n\r\n--XX--",
        good,
        good + "--XX",
        good + "--XX-",
        part("form-data", "1") + "--XX--",
        part("attachment; name=a", "1") + "--XX--",
        part("form-data; name=\"a", "1") + "--XX--",
        part("form-data; name=a; name=b", "1") + "--XX--",
        part("form-data; name=a\r\nContent-Disposition: form-data; name=b", "1") + "--XX--",
        part("form-data; name=a\r\nContent-Type: a/b\r\nContent-Type: a/c", "1") + "--XX--",
        part("form-data; name=a\r\n folded", "1") + "--XX--",
        part("form-data; name=a\r\nno colon", "1") + "--XX--",
        part("form-data; name=a\r\nx: a\nb", "1") + "--XX--",
        part(std::string("form-data; name=\"a\0\"", 20), "1") + "--XX--",
        "--XX\r\nContent-Disposition: form-data; name=a\r\n--XX--",
    };
    for (const auto& body : cases) {
        CAPTURE(body);
        CHECK(status_of(multipart(body)) == 400);
    }
    CHECK(status_of(post("multipart/form-data", good + "--XX--")) == 400);
    CHECK(status_of(post("multipart/form-data; boundary=\"\"", "----")) == 400);
    CHECK(status_of(post("multipart/form-data; boundary=" + std::string(71, 'x'), "")) == 400);
    // Every prefix of a good form is a bad one.
    const std::string whole = good + part("form-data; name=f; filename=x", "2") + "--XX--";
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(status_of(multipart(whole.substr(0, size))) == 400);
}

TEST_CASE("multipart forms have limits", "[http]") {
    const std::string one = part("form-data; name=a", "1");
    FormLimits limits;
    limits.parts = 2;
    CHECK(status_of(multipart(one + one + "--XX--"), limits) == 200);
    CHECK(status_of(multipart(one + one + one + "--XX--"), limits) == 413);
    CHECK(status_of(multipart("--XX--"), limits) == 200);
    limits.part_headers = std::string_view{"Content-Disposition: form-data; name=a"}.size();
    CHECK(status_of(multipart(one + "--XX--"), limits) == 200);
    --limits.part_headers;
    CHECK(status_of(multipart(one + "--XX--"), limits) == 413);
    limits = {};
    CHECK(status_of(multipart("--XX\r\n" + std::string(9000, 'a')), limits) == 413);
    limits.total = one.size() + 6;
    CHECK(status_of(multipart(one + "--XX--"), limits) == 200);
    --limits.total;
    CHECK(status_of(multipart(one + "--XX--"), limits) == 413);
    std::string near_misses = part("form-data; name=a", "");
    for (int i = 0; i < 100'000; ++i)
        near_misses += "\r\n--X";
    CHECK(status_of(multipart(near_misses + "\r\n--XX--")) == 200);
}

TEST_CASE("a file's name may come in the extended notation", "[http]") {
    const auto filename = [](const std::string& parameters) {
        auto request = multipart(part("form-data; name=f; " + parameters, "x") + "--XX--");
        const auto form = read_form(request);
        REQUIRE(form.files.size() == 1);
        return form.files.front().filename;
    };
    CHECK(filename("filename*=UTF-8''na%C3%AFve.txt") == "na\xc3\xafve.txt");
    CHECK(filename("filename*=utf-8'en'%e2%82%ac%20rates") == "\xe2\x82\xac rates");
    CHECK(filename("filename=\"naive.txt\"; filename*=UTF-8''na%C3%AFve.txt") == "na\xc3\xafve.txt");
    CHECK(filename("filename*=UTF-8''..%2F..%2Fetc%2Fpasswd") == "passwd");
    // What is in no notation that we know is not guessed at.
    CHECK(filename("filename=plain; filename*=latin1''na%EFve") == "plain");
    CHECK(filename("filename=plain; filename*=nothing") == "plain");
}
