#include "harness/status.hpp"

#include <algorithm>
#include <stdexcept>

#include "harness/client.hpp"

namespace harness {

using Json = nlohmann::json;

std::string status_section(const std::string& require) {
    return "<Location \"/status\">\n  SetHandler zmq-spdy-status\n  " + require + "\n</Location>";
}

Json read_status(const Httpd& httpd) {
    const Reply reply = get_once(httpd.port(), "/status");
    if (!reply.ok() || reply.header("content-type") != "application/json")
        throw std::runtime_error{"no status: " + reply.summary()};
    return Json::parse(reply.body);
}

bool at_rest(const Json& status) {
    const auto quiet = [](const Json& child) {
        return child["queued"] == 0 && child["streams"] == 0 && child["slots"] == 0;
    };
    const auto idle = [](const Json& worker) { return worker["in_flight"] == 0; };
    return status["queued"] == 0 && status["in_flight"] == 0 &&
           std::all_of(status["children"].begin(), status["children"].end(), quiet) &&
           std::all_of(status["workers"].begin(), status["workers"].end(), idle);
}

}  // namespace harness
