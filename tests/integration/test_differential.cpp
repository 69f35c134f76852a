// The same odd requests for this module and for mod_proxy_http, each with a backend that keeps what it gets. Every difference is
// explained by a rule; docs/http.md has the same rules for readers.
#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "harness/recording_backend.hpp"
#include "helpers.hpp"
#include "odd_requests.hpp"

using namespace harness;

namespace {

using Fields = std::map<std::string, std::string>;

/// What became of one request.
struct Outcome {
    std::string status;    ///< of the final response; "none", or "0.9" for a body alone
    bool reached = false;  ///< the backend has all of it
    bool broken = false;   ///< the backend was told that the rest will not come
    std::string method = {};
    std::string target = {};
    std::string host = {};
    std::string body = {};
    Fields fields = {};  ///< several values joined by '|'; without those that both proxies write themselves
};

/// One way in which two outcomes differ: "status", "reached", "target", or a field's name in brackets.
struct Difference {
    std::string where;
    std::string ours;
    std::string peers;
};

std::string final_status(const std::string& response) {
    if (response.empty()) {
        return "none";
    }
    std::size_t at = 0;
    while (response.compare(at, 7, "HTTP/1.") == 0) {
        const std::string code = response.substr(at + 9, 3);
        const auto end = response.find("\r\n\r\n", at);
        if (code.front() != '1' || end == std::string::npos) {
            return code;
        }
        at = end + 4;
    }
    return "0.9";
}

/// By which a backend's record is found: a request that is given up may reach it after its client has got its answer.
constexpr const char* kNumber = "number";

/// Both proxies say in these what they know themselves, each in its own way.
bool is_proxys_own(const std::string& name) {
    static const std::set<std::string> kNames{kNumber,
                                              "host",
                                              "via",
                                              "connection",
                                              "transfer-encoding",
                                              "x-forwarded-for",
                                              "x-forwarded-host",
                                              "x-forwarded-proto",
                                              "x-forwarded-server"};
    return name.front() == ':' || kNames.contains(name);
}

Fields compared(const std::vector<std::pair<std::string, std::string>>& headers) {
    Fields fields;
    for (const auto& [name, value] : headers) {
        if (!is_proxys_own(name)) {
            fields[name] += value + "|";
        }
    }
    return fields;
}

std::string exchange(std::uint16_t port, const OddRequest& request, std::size_t number) {
    RawClient client{port};
    std::string bytes = request.bytes;
    bytes.insert(bytes.find("\r\n") + 2, std::string{kNumber} + ": " + std::to_string(number) + "\r\n");
    client.send(bytes);
    client.finish_sending();
    return client.read_all();
}

/// The records of a backend by the numbers of the requests; none came twice.
template <typename Seen>
std::map<std::size_t, Seen> by_number(const std::vector<Seen>& records) {
    std::map<std::size_t, Seen> found;
    for (const auto& seen : records) {
        const auto number = std::find_if(seen.headers.begin(), seen.headers.end(),
                                         [](const auto& field) { return field.first == kNumber; });
        if (number != seen.headers.end()) {
            CHECK(found.try_emplace(std::stoul(number->second), seen).second);
        }
    }
    return found;
}

Outcome outcome_of(const std::string& status, const PuppetWorker::Seen* seen) {
    Outcome outcome{.status = status};
    if (seen != nullptr) {
        outcome.reached = seen->end == "FIN";
        outcome.broken = !outcome.reached;
        outcome.method = seen->header(":method").value_or("");
        outcome.target = seen->path();
        outcome.host = seen->header(":host").value_or("");
        outcome.body = seen->body;
        outcome.fields = compared(seen->headers);
    }
    return outcome;
}

Outcome outcome_of(const std::string& status, const RecordingBackend::Seen* seen) {
    Outcome outcome{.status = status};
    if (seen != nullptr) {
        outcome.reached = seen->complete;
        outcome.broken = !seen->complete;
        outcome.method = seen->method;
        outcome.target = seen->target;
        const auto host = std::find_if(seen->headers.begin(), seen->headers.end(),
                                       [](const auto& field) { return field.first == "host"; });
        outcome.host = host == seen->headers.end() ? "" : host->second;
        outcome.body = seen->body;
        outcome.fields = compared(seen->headers);
    }
    return outcome;
}

/// In the order of `requests`.
template <typename Seen>
std::vector<Outcome> outcomes(const std::vector<std::string>& statuses, const std::vector<Seen>& records) {
    const auto seen = by_number(records);
    std::vector<Outcome> all;
    for (std::size_t number = 0; number < statuses.size(); ++number) {
        const auto record = seen.find(number);
        all.push_back(outcome_of(statuses[number], record == seen.end() ? nullptr : &record->second));
    }
    return all;
}

std::vector<std::string> send_all(const Httpd& httpd, const std::vector<OddRequest>& requests) {
    std::vector<std::string> statuses;
    for (const auto& request : requests) {
        statuses.push_back(final_status(exchange(httpd.port(), request, statuses.size())));
    }
    // A session keeps the order: once this one is answered, its worker has seen all before it.
    CHECK(get_once(httpd.port(), "/after").status == 200);
    return statuses;
}

std::vector<Difference> differences(const Outcome& ours, const Outcome& peers) {
    std::vector<Difference> found;
    const auto compare = [&found](const std::string& where, const std::string& our, const std::string& peer) {
        if (our != peer) {
            found.push_back({where, our, peer});
        }
    };
    const auto arrival = [](const Outcome& outcome) -> std::string {
        return outcome.reached ? "whole" : outcome.broken ? "broken off" : "nothing";
    };
    compare("status", ours.status, peers.status);
    compare("arrival", arrival(ours), arrival(peers));
    if (!ours.reached || !peers.reached) {
        return found;
    }
    compare("method", ours.method, peers.method);
    compare("target", ours.target, peers.target);
    compare("host", ours.host, peers.host);
    compare("body", ours.body, peers.body);
    std::set<std::string> names;
    for (const auto* fields : {&ours.fields, &peers.fields}) {
        for (const auto& field : *fields) {
            names.insert(field.first);
        }
    }
    for (const auto& name : names) {
        const auto value = [&name](const Fields& fields) {
            const auto field = fields.find(name);
            return field == fields.end() ? "absent" : field->second;
        };
        compare("[" + name + "]", value(ours.fields), value(peers.fields));
    }
    return found;
}

/// What is left of a target when spelling does not count: nothing encoded, one slash for several.
std::string plain(const std::string& target) {
    const auto question = std::min(target.find('?'), target.size());
    std::string path;
    for (std::size_t i = 0; i < question; ++i) {
        char c = target[i];
        if (c == '%' && i + 2 < question) {
            c = static_cast<char>(std::stoi(target.substr(i + 1, 2), nullptr, 16));
            i += 2;
        }
        if (c != '/' || path.empty() || path.back() != '/') {
            path += c;
        }
    }
    return path + target.substr(question);
}

/// What is left of a host when its spelling does not count.
std::string plain_host(std::string host) {
    std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return std::tolower(c); });
    if (host.ends_with(":80")) {
        host.resize(host.size() - 3);
    }
    if (host.ends_with('.')) {
        host.pop_back();
    }
    return host;
}

bool has_line(const OddRequest& request, const std::string& beginning) {
    return request.bytes.find("\r\n" + beginning) != std::string::npos;
}

bool is_method(const OddRequest& request, const std::string& method) {
    return request.bytes.starts_with(method + " ");
}

struct Rule {
    /// As in docs/http.md.
    std::string name;
    std::function<bool(const Difference&, const OddRequest&)> explains;
};

const std::array kRules{
    Rule{"the path as it was sent",
         [](const Difference& difference, const OddRequest&) {
             return difference.where == "target" && plain(difference.ours) == plain(difference.peers);
         }},
    Rule{"the host as httpd reads it",
         [](const Difference& difference, const OddRequest&) {
             return difference.where == "host" && difference.ours == plain_host(difference.peers);
         }},
    Rule{"a body without a length",
         [](const Difference& difference, const OddRequest& request) {
             return difference.where == "[content-length]" && difference.ours == "absent" &&
                    has_line(request, "Transfer-Encoding: ");
         }},
    Rule{"a length as it was written",
         [](const Difference& difference, const OddRequest&) {
             return difference.where == "[content-length]" && difference.ours == "0" + difference.peers;
         }},
    Rule{"a body that breaks off",
         [](const Difference& difference, const OddRequest&) {
             return difference.where == "arrival" && difference.ours == "broken off" &&
                    difference.peers == "nothing";
         }},
    Rule{"fields that stay with httpd",
         [](const Difference& difference, const OddRequest&) {
             static const std::set<std::string> kOurs{"[proxy]", "[http2-settings]", "[x_forwarded_for]",
                                                      "[zmqspdy-remote-user]", "[zmqspdy_remote_user]"};
             return kOurs.contains(difference.where) && difference.ours == "absent";
         }},
    Rule{"100-continue without a body",
         [](const Difference& difference, const OddRequest& request) {
             return difference.where == "[expect]" && difference.ours == "absent" &&
                    !has_line(request, "Content-Length: ") && !has_line(request, "Transfer-Encoding: ");
         }},
    Rule{"Max-Forwards of other methods",
         [](const Difference& difference, const OddRequest& request) {
             const bool spent = has_line(request, "Max-Forwards: 0") &&
                                (difference.where == "status" || difference.where == "arrival");
             return !is_method(request, "OPTIONS") && !is_method(request, "TRACE") &&
                    (spent || difference.where == "[max-forwards]");
         }},
    Rule{"TRACE",
         [](const Difference& difference, const OddRequest& request) {
             return is_method(request, "TRACE") && (difference.ours == "405" || difference.ours == "nothing");
         }},
    Rule{"ranges of other methods",
         [](const Difference& difference, const OddRequest& request) {
             return difference.where == "status" && difference.ours == "200" && difference.peers == "206" &&
                    !is_method(request, "GET") && has_line(request, "Range: ");
         }},
    Rule{"a transfer coding that is not chunked",
         [](const Difference& difference, const OddRequest& request) {
             return difference.where == "status" && difference.ours == "501" && difference.peers == "500" &&
                    has_line(request, "Transfer-Encoding: ");
         }},
};

std::string text_of(const std::string& what, const OddRequest& request, const Difference& difference) {
    return what + ": " + request.what.substr(0, 80) + ": " + difference.where + " is " +
           difference.ours.substr(0, 80) + ", mod_proxy_http has " + difference.peers.substr(0, 80) + "\n" +
           request.bytes.substr(0, 300) + "\n";
}

std::string file_text(const std::string& path) {
    std::ifstream file{path};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("Odd requests fare as with mod_proxy_http, or otherwise for a reason that is written down",
          "[differential]") {
    const RecordingBackend backend;
    const auto ours = Httpd::started({.single_child = true});
    const PuppetWorker worker{*ours, false, answers({{"content-length", "2"}}, "ok")};
    HttpdSetup setup;
    setup.modules = {"proxy", "proxy_http"};
    setup.all_to_workers = false;
    setup.single_child = true;
    setup.sections = "ProxyPreserveHost on\nProxyPass / http://127.0.0.1:" + std::to_string(backend.port()) +
                     "/ disablereuse=on\n";
    const auto peer = Httpd::started(setup);

    const auto requests = odd_requests();
    CHECK(requests.size() >= 500);
    const auto our_statuses = send_all(*ours, requests);
    const auto our_outcomes = outcomes(our_statuses, worker.requests());
    const auto peer_statuses = send_all(*peer, requests);
    const auto peer_outcomes = outcomes(peer_statuses, backend.requests());
    std::map<std::string, int> explained;
    std::string unexplained;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        for (const auto& difference : differences(our_outcomes[i], peer_outcomes[i])) {
            const auto rule = std::find_if(kRules.begin(), kRules.end(), [&](const Rule& candidate) {
                return candidate.explains(difference, requests[i]);
            });
            if (rule != kRules.end()) {
                ++explained[rule->name];
            } else {
                unexplained += text_of("unexplained", requests[i], difference);
            }
        }
    }
    CAPTURE(unexplained);
    CHECK(unexplained.empty());

    // A rule that explains nothing any more, or that readers are not told of, is wrong.
    const std::string page = file_text(HTTP_PAGE);
    for (const auto& rule : kRules) {
        CAPTURE(rule.name);
        CHECK(explained[rule.name] > 0);
        CHECK(page.find("| " + rule.name + " |") != std::string::npos);
    }
}
