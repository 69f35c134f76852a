#include "mod_zmqspdy/glue/status.hpp"

#include <sys/eventfd.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "mod_zmqspdy/core/dispatch.hpp"
#include "mod_zmqspdy/core/worker_table.hpp"
#include "mod_zmqspdy/glue/notes.hpp"
#include "mod_zmqspdy/glue/retained.hpp"
#include "zmqspdy/version.hpp"

namespace zmqspdy::glue {

namespace {

using Json = nlohmann::ordered_json;
using router::WorkerTable;

constexpr const char* kStatusHandlerName = "zmq-spdy-status";
constexpr std::string_view kDrained = "/drained/";

const char* state(const WorkerTable& table, std::uint32_t slot, const router::WorkerRecord& record) {
    if (record.draining != 0)
        return "leaving";
    return table.is_drained(slot, record.id) ? "drained" : "serving";
}

Json workers(const WorkerTable& table) {
    Json list = Json::array();
    router::Snapshot present;
    (void)present.refresh(table);
    for (const auto& [slot, record] : present.candidates()) {
        list.push_back({{"name", record.name_view()},
                        {"service", record.service_view()},
                        {"endpoint", record.relayed != 0 ? Json() : Json(record.endpoint_view())},
                        {"state", state(table, slot, record)},
                        {"capacity", record.capacity},
                        {"weight", record.weight},
                        {"in_flight", table.in_flight(slot)}});
    }
    return list;
}

Json status(const WorkerTable& table) {
    std::uint64_t queued = 0;
    std::uint64_t in_flight = 0;
    Json children = Json::array();
    for (std::uint32_t row = 0; row < table.size().children; ++row) {
        const auto child = table.child(row);
        if (!child)
            continue;
        queued += child->activity.queued;
        in_flight += child->slots;
        children.push_back({{"pid", child->pid},
                            {"queued", child->activity.queued},
                            {"streams", child->activity.streams},
                            {"slots", child->slots},
                            {"sessions", child->activity.sessions}});
    }
    const auto registry = table.registry();
    return {{"version", kVersion},
            {"queued", queued},
            {"in_flight", in_flight},
            {"workers", workers(table)},
            {"children", std::move(children)},
            {"registry",
             {{"pid", registry.pid},
              {"connections", registry.connections},
              {"relayed_sessions", registry.relayed_sessions}}}};
}

int show(request_rec* r, const WorkerTable& table) {
    const std::string text = status(table).dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
    ap_set_content_type(r, "application/json");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_set_content_length(r, static_cast<apr_off_t>(text.size()));
    if (!r->header_only)
        ap_rwrite(text.data(), static_cast<int>(text.size()), r);
    return OK;
}

/// Returns how many workers have that name.
int set_drained(WorkerTable& table, std::string_view name, bool drained) {
    int found = 0;
    router::Snapshot present;
    (void)present.refresh(table);
    for (const auto& [slot, record] : present.candidates()) {
        if (record.name_view() != name)
            continue;
        table.set_drained(slot, record.id, drained);
        ++found;
    }
    return found;
}

int control(request_rec* r, WorkerTable& table, std::string_view name) {
    const bool drain = r->method_number == M_PUT;
    if (!drain && r->method_number != M_DELETE) {
        r->allowed = (AP_METHOD_BIT << M_PUT) | (AP_METHOD_BIT << M_DELETE);
        return HTTP_METHOD_NOT_ALLOWED;
    }
    const std::string worker{name};
    if (set_drained(table, name, drain) == 0) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "no worker is called '%s': nothing to %s", worker.c_str(),
                      drain ? "drain" : "resume");
        return HTTP_NOT_FOUND;
    }
    if (!drain && retained().wakeup_fd >= 0)
        (void)eventfd_write(retained().wakeup_fd, 1);  // requests may wait for just this worker
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, r, "worker '%s' %s", worker.c_str(),
                  drain ? "was drained: it gets no new requests until it is resumed" : "was resumed");
    r->status = HTTP_NO_CONTENT;
    return OK;
}

}  // namespace

int serve_status(request_rec* r) {
    if (!r->handler || std::strcmp(r->handler, kStatusHandlerName) != 0)
        return DECLINED;
    // Whoever asks a URL that a worker serves must not take its answer for ours.
    apr_table_setn(r->err_headers_out, "ZmqSpdy-Status", "1");
    if (const int failure = ap_discard_request_body(r); failure != OK)
        return failure;
    auto table = WorkerTable::attach(retained().table, retained().table_geometry);
    if (!table) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "there is no worker table; see the start of httpd in the log");
        return unavailable(r, "broken", "The server has no worker table.");
    }
    const std::string_view path = r->uri;
    if (const auto at = path.rfind(kDrained); at != std::string_view::npos)
        return control(r, *table, path.substr(at + kDrained.size()));
    if (r->method_number == M_GET)
        return show(r, *table);
    r->allowed = AP_METHOD_BIT << M_GET;
    return HTTP_METHOD_NOT_ALLOWED;
}

}  // namespace zmqspdy::glue
