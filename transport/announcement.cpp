#include "transport/announcement.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace zmqspdy::transport {

namespace {

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t least, std::uint32_t most) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most)
        return std::nullopt;
    return number;
}

std::string to_hex(std::uint64_t number) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16).ptr;
    return {digits.data(), end};
}

std::optional<std::uint64_t> parse_hex(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

AnnouncementError bad(std::string why) {
    return {400, std::move(why)};
}

}  // namespace

bool is_valid_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= kMaxNameLength &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

spdy::HeaderBlock to_headers(const Announcement& announcement) {
    spdy::HeaderBlock headers;
    headers.add(":method", "POST");
    headers.add(":path", "/workers");
    headers.add(":version", "HTTP/1.1");
    headers.add(":host", "registry");
    headers.add(":scheme", "http");
    if (announcement.endpoint)
        headers.add("endpoint", to_string(*announcement.endpoint));
    headers.add("name", announcement.name);
    headers.add("capacity", std::to_string(announcement.capacity));
    headers.add("weight", std::to_string(announcement.weight));
    if (!announcement.service.empty())
        headers.add("service", announcement.service);
    if (!announcement.program.empty())
        headers.add("program", announcement.program);
    if (!announcement.version.empty())
        headers.add("version", announcement.version);
    if (announcement.instance != 0)
        headers.add("instance", to_hex(announcement.instance));
    return headers;
}

spdy::HeaderBlock undialable(std::string_view why) {
    spdy::HeaderBlock headers;
    headers.add("undialable", why);
    return headers;
}

std::optional<std::string_view> parse_undialable(const spdy::HeaderBlock& headers) {
    return headers.find("undialable");
}

spdy::HeaderBlock relay_instead() {
    spdy::HeaderBlock headers;
    headers.add("endpoint", "");
    return headers;
}

spdy::HeaderBlock identity_question() {
    spdy::HeaderBlock headers;
    headers.add(":method", "GET");
    headers.add(":path", "/router");
    headers.add(":version", "HTTP/1.1");
    headers.add(":host", "registry");
    headers.add(":scheme", "http");
    return headers;
}

bool is_identity_question(const spdy::HeaderBlock& headers) {
    return headers.find(":method") == "GET" && headers.find(":path") == "/router";
}

std::variant<Announcement, AnnouncementError> parse_announcement(const spdy::HeaderBlock& headers) {
    if (headers.find(":method") != "POST" || headers.find(":path") != "/workers")
        return AnnouncementError{404, "a worker announces itself with POST /workers"};
    if (!headers.find("name"))
        return bad("'name' is missing");
    // Only an update takes an endpoint back: whoever has none says nothing of it.
    if (headers.find("endpoint") == std::string_view{})
        return bad("'' is not an endpoint: a relayed worker announces none");
    Announcement announcement;
    if (auto error = update(announcement, headers))
        return *std::move(error);
    return announcement;
}

std::optional<AnnouncementError> update(Announcement& announcement, const spdy::HeaderBlock& headers) {
    if (const auto name = headers.find("name")) {
        if (!is_valid_name(*name))
            return bad("'name' must be 1 to 63 visible ASCII characters");
        announcement.name = *name;
    }
    if (const auto text = headers.find("endpoint"); text && text->empty()) {
        announcement.endpoint.reset();
    } else if (text) {
        auto parsed = parse_endpoint(*text);
        if (const auto* error = std::get_if<EndpointError>(&parsed))
            return bad(error->why);
        announcement.endpoint = std::get<Endpoint>(std::move(parsed));
    }
    if (const auto text = headers.find("capacity")) {
        const auto capacity = parse_number(*text, 1, kMaxCapacity);
        if (!capacity)
            return bad("'capacity' must be a number from 1 to 65535");
        announcement.capacity = *capacity;
    }
    if (const auto text = headers.find("weight")) {
        const auto weight = parse_number(*text, 1, kMaxWeight);
        if (!weight)
            return bad("'weight' must be a number from 1 to 100");
        announcement.weight = *weight;
    }
    if (const auto service = headers.find("service")) {
        if (!service->empty() && !is_valid_name(*service))
            return bad("'service' must be up to 63 visible ASCII characters");
        announcement.service = *service;
    }
    if (const auto program = headers.find("program")) {
        if (!program->empty() && !is_valid_name(*program))
            return bad("'program' must be up to 63 visible ASCII characters");
        announcement.program = *program;
    }
    if (const auto version = headers.find("version")) {
        if (!version->empty() && !is_valid_name(*version))
            return bad("'version' must be up to 63 visible ASCII characters");
        announcement.version = *version;
    }
    if (const auto text = headers.find("instance")) {
        const auto instance = parse_hex(*text);
        if (!instance)
            return bad("'instance' must be 1 to 16 hexadecimal digits");
        announcement.instance = *instance;
    }
    return std::nullopt;
}

spdy::HeaderBlock to_headers(const AnnouncementReply& reply) {
    spdy::HeaderBlock headers;
    headers.add(":status", std::to_string(reply.status));
    headers.add(":version", "HTTP/1.1");
    if (!reply.reason.empty())
        headers.add("reason", reply.reason);
    if (!reply.warning.empty())
        headers.add("warning", reply.warning);
    if (reply.router != 0)
        headers.add("router", to_hex(reply.router));
    headers.add("heartbeat-ms", std::to_string(reply.heartbeat.count()));
    return headers;
}

std::optional<AnnouncementReply> parse_reply(const spdy::HeaderBlock& headers) {
    const auto status_text = headers.find(":status");
    const auto status = status_text ? parse_number(status_text->substr(0, 3), 100, 599) : std::nullopt;
    if (!status)
        return std::nullopt;
    AnnouncementReply reply;
    reply.status = static_cast<int>(*status);
    if (const auto reason = headers.find("reason"))
        reply.reason = *reason;
    if (const auto warning = headers.find("warning"))
        reply.warning = *warning;
    if (const auto text = headers.find("router"))
        reply.router = parse_hex(*text).value_or(0);
    if (const auto text = headers.find("heartbeat-ms")) {
        const auto heartbeat =
            parse_number(*text, kLeastHeartbeat.count(), std::chrono::milliseconds{kMostHeartbeat}.count());
        if (!heartbeat)
            return std::nullopt;
        reply.heartbeat = std::chrono::milliseconds(*heartbeat);
    }
    return reply;
}

}  // namespace zmqspdy::transport
