#include "zmqspdy/worker.hpp"

#include <malloc.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <utility>

#include "worker/application.hpp"
#include "worker/io_thread.hpp"
#include "worker/log.hpp"
#include "worker/options.hpp"
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
    explicit Impl(Options given)
        : options{completed(std::move(given))},
          application{std::make_shared<serving::Application>(make_log(options))} {
        serving::open_standard_streams();
    }

    /// A process that was forked since has another default name.
    void rename() {
        if (options.name != serving::first_default_name())
            return;
        options.name = serving::default_name();
        application->use(make_log(options));
    }

    Options options;
    const std::shared_ptr<serving::Application> application;
    serving::StopRequest stop;
};

Worker::Worker(Options options) : impl_{std::make_unique<Impl>(std::move(options))} {}
Worker::~Worker() = default;

void Worker::add(std::string_view method, std::string_view pattern, Handler handler, Run run) {
    impl_->application->routes().add(method, pattern, std::move(handler), run);
}

void Worker::log(LogLevel level, std::string_view text) const noexcept {
    impl_->application->log().line(level, text);
}

Worker& Worker::before(BeforeHook hook, Run run) {
    impl_->application->before(std::move(hook), run);
    return *this;
}

Worker& Worker::after(AfterHook hook, Run run) {
    impl_->application->after(std::move(hook), run);
    return *this;
}

Worker& Worker::error_page(int status, const ErrorPage& page, Run run) {
    if (status == 0)
        throw std::invalid_argument("an error page's status is 400 to 599, not 0");
    impl_->application->error_page(status, page, run);
    return *this;
}

Worker& Worker::error_page(const ErrorPage& page, Run run) {
    impl_->application->error_page(0, page, run);
    return *this;
}

Response Worker::handle(Request& request) const {
    return impl_->application->answer(impl_->application->find(request), request);
}

int Worker::run() {
    try {
        keep_freed_memory();
        impl_->rename();
        serving::IoThread io{impl_->options, impl_->application, impl_->stop.open()};
        io.run();
        return 0;
    } catch (const std::exception& error) {
        log(LogLevel::error, error.what());
        return 1;
    }
}

void Worker::stop() noexcept {
    impl_->stop.request();
}

}  // namespace zmqspdy
