#include "zmqspdy/worker.hpp"

#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <utility>

#include "worker/answering.hpp"
#include "worker/io_thread.hpp"
#include "worker/log.hpp"
#include "worker/options.hpp"
#include "worker/routes.hpp"
#include "worker/standard_streams.hpp"
#include "worker/stop_request.hpp"

namespace zmqspdy {

namespace {

Options completed(Options options) {
    if (const auto why = serving::complete(options))
        throw std::invalid_argument(*why);
    return options;
}

serving::Log make_log(const Options& options) {
    const std::string program = serving::program_name();
    return serving::Log{
        options.name.starts_with(program + "-") ? options.name : program + "[" + options.name + "]",
        STDERR_FILENO, options.log_level};
}

/// Streaming takes and frees buffers of up to some 256 KiB all the time, on different threads. By default glibc gives each
/// back to the kernel and faults it in again, which costs a third of the worker's CPU time.
void keep_freed_memory() {
#ifdef __GLIBC__
    if (std::getenv("MALLOC_TRIM_THRESHOLD_") != nullptr || std::getenv("GLIBC_TUNABLES") != nullptr)
        return;  // somebody knows better
    mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
    mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024);
#endif
}

}  // namespace

class Worker::Impl {
  public:
    explicit Impl(Options given) : options{completed(std::move(given))}, log{make_log(options)} {
        serving::open_standard_streams();
    }

    /// A process that was forked since has another default name.
    void rename() {
        if (options.name != serving::first_default_name())
            return;
        options.name = serving::default_name();
        log = make_log(options);
    }

    Options options;
    serving::Log log;
    serving::RouteTable routes;
    serving::StopRequest stop;
};

Worker::Worker(Options options) : impl_{std::make_shared<Impl>(std::move(options))} {}
Worker::~Worker() = default;

void Worker::add(std::string_view method, std::string_view pattern, Handler handler, Run run) {
    impl_->routes.add(method, pattern, std::move(handler), run);
}

void Worker::log(LogLevel level, std::string_view text) const noexcept {
    impl_->log.line(level, text);
}

Response Worker::handle(Request& request) const {
    auto found = impl_->routes.find(request.method(), request.path());
    if (std::holds_alternative<serving::RouteTable::NotFound>(found))
        return serving::not_found();
    if (const auto* refusal = std::get_if<serving::RouteTable::MethodNotAllowed>(&found))
        return serving::method_not_allowed(refusal->allow);
    auto& match = std::get<serving::RouteTable::Match>(found);
    RequestBuilder::set_params(request, std::move(match.params));
    return serving::call_handler(*match.route, request, impl_->log);
}

int Worker::run() {
    try {
        keep_freed_memory();
        impl_->rename();
        serving::IoThread io{impl_->options, impl_->routes, impl_->log, impl_->stop.open(), impl_};
        io.run();
        return 0;
    } catch (const std::exception& error) {
        impl_->log.line(LogLevel::error, error.what());
        return 1;
    }
}

void Worker::stop() noexcept {
    impl_->stop.request();
}

}  // namespace zmqspdy
