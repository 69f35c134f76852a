#include "registry_thread.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <stdexcept>

using namespace zmqspdy::router;

RegistryThread::RegistryThread(std::chrono::milliseconds heartbeat, SharedTable::Size size)
    : table{size},
      listening_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)},
      wakeup_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {
    options_.heartbeat = heartbeat;
    static std::atomic<int> count{0};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listening_.get(), generic, length) != 0 || ::listen(listening_.get(), 511) != 0 ||
        ::getsockname(listening_.get(), generic, &length) != 0)
        throw std::runtime_error("no port to listen at");
    port_ = ntohs(address.sin_port);
    options_.listen = "tcp://127.0.0.1:" + std::to_string(port_);
    options_.relay_endpoint =
        "ipc://@zmqspdy/test-relay-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
    options_.wakeup_fd = wakeup_.get();
    start();
}

RegistryThread::~RegistryThread() {
    stop();
}

void RegistryThread::start() {
    stop_ = zmqspdy::transport::FileDescriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    std::promise<void> bound;
    auto ready = bound.get_future();
    thread_ = std::thread([this, &bound] {
        auto options = options_;
        options.listen_fds = {::dup(listening_.get())};  // the next one needs it, too
        Registry registry(*table, options, [this](LogLevel, const std::string& line) { log.write(line); });
        bound.set_value();
        registry.run(stop_.get());
    });
    ready.get();
}

void RegistryThread::stop() {
    if (!thread_.joinable())
        return;
    (void)eventfd_write(stop_.get(), 1);
    thread_.join();
}

WorkerRecord RegistryThread::find(std::string_view name) {
    for (std::uint32_t slot = 0; slot < table->size().workers; ++slot)
        if (const auto record = table->read(slot); record.id != 0 && record.name_view() == name)
            return record;
    return {};
}

std::size_t RegistryThread::workers() {
    std::size_t count = 0;
    for (std::uint32_t slot = 0; slot < table->size().workers; ++slot)
        count += table->read(slot).id != 0 ? 1 : 0;
    return count;
}
