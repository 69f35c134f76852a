#include "zmqspdy/event_stream.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace zmqspdy {

namespace {

void add_field(std::string& text, std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).push_back('\n');
}

void require_one_line(std::string_view name, std::string_view value) {
    if (value.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos)
        throw std::invalid_argument("the " + std::string(name) + " of an event is one line without NUL");
}

/// Cuts the first line off `rest`; LF, CR and CRLF end one.
std::string_view cut_line(std::string_view& rest) {
    const auto end = std::min(rest.find_first_of("\r\n"), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end);
    rest.remove_prefix(rest.starts_with("\r\n") ? 2 : rest.empty() ? 0 : 1);
    return line;
}

}  // namespace

std::string ServerEvent::to_string() const {
    require_one_line("type", type);
    require_one_line("id", id);
    if (retry && retry->count() < 0)
        throw std::invalid_argument("the retry time of an event is not negative");
    std::string text;
    if (!type.empty())
        add_field(text, "event", type);
    if (!id.empty())
        add_field(text, "id", id);
    if (retry)
        add_field(text, "retry", std::to_string(retry->count()));
    // A line end at the end of the data begins one more line, which is empty.
    std::string_view rest = data;
    bool more = true;
    while (more) {
        const auto before = rest.size();
        const auto line = cut_line(rest);
        more = before != line.size();
        add_field(text, "data", line);
    }
    text.push_back('\n');
    return text;
}

Response event_stream(std::function<void(EventWriter&)> produce) {
    if (!produce)
        throw std::invalid_argument("an event stream needs a function that produces it");
    return Response::stream("text/event-stream",
                            [produce = std::move(produce)](Writer& out) {
                                EventWriter events{out};
                                produce(events);
                            })
        .header("cache-control", "no-store");
}

std::optional<std::string_view> last_event_id(const Request& request) {
    return request.header("last-event-id");
}

}  // namespace zmqspdy
