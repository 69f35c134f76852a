#include "mod_zmqspdy/core/worker_connection.hpp"

#include <utility>

#include "transport/log_budget.hpp"

namespace zmqspdy::router {

namespace {

spdy::SessionOptions session_options() {
    spdy::SessionOptions options;
    options.role = spdy::Role::server;
    options.max_concurrent_streams = 1;
    options.stream_window = 16 * 1024;
    options.session_window = 64 * 1024;
    options.max_header_bytes = 16 * 1024;
    options.max_headers = 64;
    options.max_control_frame = 16 * 1024;
    options.glitches_per_second = 100;
    return options;
}

// Abstract sockets have no owner: this keeps a worker from making us talk to other programs' sockets.
constexpr std::string_view kWorkerSocketPrefix = "zmqspdy/";

}  // namespace

WorkerConnection::WorkerConnection(std::string id, std::string from)
    : routing_id{std::move(id)},
      address{std::move(from)},
      session{session_options()},
      first_heard{Clock::now()},
      last_heard{first_heard},
      last_asked{first_heard} {}

void WorkerConnection::heard(Clock::time_point now) noexcept {
    // Here and not with the heartbeats: those may be a minute apart, and what comes meanwhile is paid for by the second.
    session_time.pass(session, now);
    last_heard = now;
}

WorkerRecord to_record(const WorkerConnection& connection) {
    const transport::Announcement& announcement = connection.announcement;
    WorkerRecord record{};
    record.id = connection.worker;
    record.joined = connection.joined;
    record.instance = announcement.instance;
    record.capacity = announcement.capacity;
    record.weight = announcement.weight;
    record.draining = connection.draining ? 1 : 0;
    record.relayed = announcement.endpoint ? 0 : 1;
    assign(record.name, announcement.name);
    assign(record.service, announcement.service);
    if (announcement.endpoint)
        assign(record.endpoint, transport::to_string(*announcement.endpoint));
    return record;
}

std::optional<transport::AnnouncementError> settle_endpoint(transport::Announcement& announcement,
                                                            const std::string& address, bool insecure) {
    using transport::AnnouncementError;
    if (!announcement.endpoint)
        return std::nullopt;
    if (const auto* ipc = std::get_if<transport::AbstractEndpoint>(&*announcement.endpoint)) {
        if (!transport::is_local_address(address))
            return AnnouncementError{
                403,
                "an ipc endpoint serves workers on the router's own host; announce a tcp "
                "endpoint, or none to be relayed"};
        if (!ipc->name.starts_with(kWorkerSocketPrefix))
            return AnnouncementError{403, "the name of an ipc endpoint must begin with @zmqspdy/"};
        return std::nullopt;
    }
    auto& tcp = std::get<transport::TcpEndpoint>(*announcement.endpoint);
    if (tcp.port == 0)
        return AnnouncementError{400, "a tcp endpoint must name its port"};
    // Children are given addresses only: a name would have to be looked up by libzmq's only thread.
    const bool here = transport::is_localhost(tcp.host) && transport::is_local_address(address);
    if (here || tcp.host == "*" || tcp.host == "0.0.0.0" || tcp.host == "::")
        tcp.host = address;
    const bool local = transport::is_local(*announcement.endpoint);
    if (!transport::same_address(tcp.host, address) && !(local && transport::is_local_address(address)))
        return AnnouncementError{403, "the endpoint " +
                                          transport::printable(transport::to_string(*announcement.endpoint)) +
                                          " is not on the host that announced it (" + address + ")"};
    if (!local && !insecure)
        return AnnouncementError{
            403, "endpoints that other hosts can reach need 'ZmqSpdyInsecure on' at the router"};
    return std::nullopt;
}

}  // namespace zmqspdy::router
