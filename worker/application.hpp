// What a worker answers with: routes, hooks and error pages as one thing that makes a response out of a request. It knows
// no socket. Handlers and hooks are called here, and nowhere else.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "worker/log.hpp"
#include "worker/routes.hpp"
#include "zmqspdy/hooks.hpp"
#include "zmqspdy/http_error.hpp"
#include "zmqspdy/worker.hpp"

namespace zmqspdy::serving {

/// An answer that the framework makes by itself.
struct Refusal {
    HttpError error;
    std::string allow;  ///< the value of Allow; empty: without
};
/// What is to be done for a request.
using Task = std::variant<const Route*, Refusal>;

/// Filled before it is used; then any thread may use it.
class Application {
  public:
    explicit Application(Log log) : log_{std::move(log)} {}

    [[nodiscard]] const Log& log() const noexcept { return log_; }
    void use(Log log) { log_ = std::move(log); }
    [[nodiscard]] RouteTable& routes() noexcept { return routes_; }
    // Each throws std::invalid_argument with a sentence.
    void before(BeforeHook hook, Run run);
    void after(AfterHook hook, Run run);
    /// 0: every status without a page of its own.
    void error_page(int status, const ErrorPage& page, Run run);

    /// Also sets the request's parameters.
    [[nodiscard]] Task find(Request& request) const;
    /// Of what is no HTTP request.
    [[nodiscard]] static Task bad_request(std::string_view why);
    /// False: all that `task` calls may run on the I/O thread.
    [[nodiscard]] bool needs_thread(const Task& task) const noexcept;

    /// Hooks, handler, hooks. Does not throw what they throw, see refuse_current(). A promise is returned as it is: whoever gets what it promises
    /// calls finish().
    [[nodiscard]] Response answer(const Task& task, Request& request) const;
    /// The hooks behind the handler, for a response that is no promise.
    [[nodiscard]] Response finish(const Request& request, Response response) const;
    /// The error page, or the framework's own.
    [[nodiscard]] Response refuse(const Request& request, const Refusal& refusal) const;
    /// The same for the exception that is being handled: the one boundary round a worker's own code. What is no HttpError
    /// becomes a 500 and a line in the log. Only the end of the thread (see thread_is_ending()) passes.
    [[nodiscard]] Response refuse_current(const Request& request) const;

  private:
    [[nodiscard]] Response respond(const Task& task, Request& request) const;

    Log log_;
    RouteTable routes_;
    std::vector<BeforeHook> before_;
    std::vector<AfterHook> after_;
    std::map<int, ErrorPage> pages_;
    bool needs_thread_ = false;  ///< some hook or page must not run on the I/O thread
};

[[nodiscard]] HttpError internal_error();
/// The framework's own page.
[[nodiscard]] Response plain_page(const HttpError& error);
/// Of the exception that is being handled.
[[nodiscard]] std::string current_reason();
/// For the log: method and path.
[[nodiscard]] std::string name_of(const Request& request);

}  // namespace zmqspdy::serving
