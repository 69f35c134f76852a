// What of a client's header fields may reach a worker.
#include <string>

#include "catch.hpp"
#include "mod_zmqspdy/core/request_fields.hpp"

using namespace zmqspdy;
using namespace zmqspdy::router;

TEST_CASE("fields that stay with httpd, in every spelling a worker could take for them") {
    for (const char* name : {"host",
                             "expect",
                             "proxy",
                             "x-forwarded-for",
                             "x-forwarded-host",
                             "x-forwarded-proto",
                             "via",
                             "connection",
                             "keep-alive",
                             "te",
                             "trailer",
                             "transfer-encoding",
                             "upgrade",
                             "proxy-connection",
                             "http2-settings",
                             "x_forwarded_for",
                             "x-forwarded_for",
                             "x_forwarded-proto",
                             "transfer_encoding",
                             "keep_alive",
                             "content_length",
                             "zmqspdy-remote-user",
                             "zmqspdy_remote_user",
                             "zmqspdy-",
                             "zmqspdy_"}) {
        CAPTURE(name);
        CHECK(stays_with_httpd(name));
    }
    for (const char* name : {"content-length", "content-type", "cookie", "x-forwarded", "forwarded",
                             "x_custom_field", "zmqspdy", "hosts", "priority", "user-agent", "_", "-"}) {
        CAPTURE(name);
        CHECK_FALSE(stays_with_httpd(name));
    }
}

TEST_CASE("fields that may come as trailers") {
    for (const char* name : {"checksum", "digest", "grpc-status", "server-timing"})
        CHECK(may_be_trailer(name));
    for (const char* name :
         {"content-length", "transfer-encoding", "host", "authorization", "content-type", "cookie",
          "x-forwarded-for", "zmqspdy-remote-user", "te", "if-match", "content_length"}) {
        CAPTURE(name);
        CHECK_FALSE(may_be_trailer(name));
    }
}

TEST_CASE("Max-Forwards is a decimal number, however large") {
    CHECK(parse_max_forwards("0") == 0U);
    CHECK(parse_max_forwards("007") == 7U);
    CHECK(parse_max_forwards("4294967295") == 4294967295U);
    CHECK(parse_max_forwards("4294967296") == 4294967295U);
    CHECK(parse_max_forwards(std::string(400, '9')) == 4294967295U);
    for (const char* wrong : {"", "-1", "+1", "1 ", "1,2", "x", "0x1"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_max_forwards(wrong));
    }
}

TEST_CASE("the urgency of a request") {
    struct Case {
        const char* field;
        int urgency;  // -1: none
    };
    for (const auto& [field, urgency] :
         {Case{"u=0", 0},     Case{"u=7", 7},     Case{"u=5, i", 5},   Case{"i, u=1", 1},
          Case{"  u=2  ", 2}, Case{"u=2;x=y", 2}, Case{"u=1, u=6", 6}, Case{"i\t,\tu=4", 4},
          Case{"", -1},       Case{"i", -1},      Case{"u", -1},       Case{"u=", -1},
          Case{"u=8", -1},    Case{"u=-1", -1},   Case{"u=10", -1},    Case{"u=1.5", -1},
          Case{"u = 1", -1},  Case{"U=1", -1},    Case{"xu=1", -1},    Case{"u=1, u=9", -1},
          Case{",,,", -1}}) {
        CAPTURE(field);
        CHECK(parse_urgency(field) == (urgency < 0 ? std::nullopt : std::optional<spdy::Priority>(urgency)));
    }
}
