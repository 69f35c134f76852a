#include "worker/application.hpp"

#include <algorithm>
#include <exception>
#include <optional>
#include <stdexcept>

#include "transport/log_budget.hpp"
#include "worker/thread_end.hpp"

namespace zmqspdy::serving {

void Application::before(BeforeHook hook, Run run) {
    if (!hook)
        throw std::invalid_argument("a hook before handlers needs a function");
    before_.push_back(std::move(hook));
    needs_thread_ |= run == Run::on_thread_pool;
}

void Application::after(AfterHook hook, Run run) {
    if (!hook)
        throw std::invalid_argument("a hook after handlers needs a function");
    after_.push_back(std::move(hook));
    needs_thread_ |= run == Run::on_thread_pool;
}

void Application::error_page(int status, const ErrorPage& page, Run run) {
    if (!page)
        throw std::invalid_argument("an error page needs a function");
    if (status != 0 && (status < 400 || status > 599))
        throw std::invalid_argument("an error page's status is 400 to 599, not " + std::to_string(status));
    if (!pages_.try_emplace(status, page).second)
        throw std::invalid_argument(status == 0
                                        ? "there is a page for all errors already"
                                        : "there is a page for " + std::to_string(status) + " already");
    needs_thread_ |= run == Run::on_thread_pool;
}

Task Application::find(Request& request) const {
    auto found = routes_.find(request.method(), request.path());
    if (std::holds_alternative<RouteTable::NotFound>(found))
        return Refusal{HttpError{404, "Not Found"}, {}};
    if (auto* refused = std::get_if<RouteTable::MethodNotAllowed>(&found))
        return Refusal{HttpError{405, "Method Not Allowed"}, std::move(refused->allow)};
    auto& match = std::get<RouteTable::Match>(found);
    RequestBuilder::set_params(request, std::move(match.params));
    return match.route;
}

Task Application::bad_request(std::string_view why) {
    return Refusal{HttpError{400, "Bad Request: " + std::string(why)}, {}};
}

bool Application::needs_thread(const Task& task) const noexcept {
    const auto* route = std::get_if<const Route*>(&task);
    return needs_thread_ || (route != nullptr && (*route)->run == Run::on_thread_pool);
}

Response Application::respond(const Task& task, Request& request) const {
    for (const BeforeHook& hook : before_) {
        if (auto response = hook(request))
            return std::move(*response);
    }
    if (const auto* refusal = std::get_if<Refusal>(&task))
        return refuse(request, *refusal);
    return std::get<const Route*>(task)->handler(request);
}

Response Application::answer(const Task& task, Request& request) const {
    const Request known = RequestBuilder::share(request);  // a handler may move its own away
    Response response;
    try {
        response = respond(task, request);
    } catch (...) {
        response = refuse_current(known);
    }
    return response.as_later() != nullptr ? response : finish(known, std::move(response));
}

Response Application::finish(const Request& request, Response response) const {
    for (auto hook = after_.rbegin(); hook != after_.rend(); ++hook) {
        try {
            (*hook)(request, response);
            if (response.as_later() != nullptr)
                throw std::logic_error("a hook after the handler cannot answer later");
        } catch (...) {
            response = refuse_current(request);
        }
    }
    return response;
}

Response Application::refuse(const Request& request, const Refusal& refusal) const {
    const int status = refusal.error.status();
    Response response = plain_page(refusal.error);
    auto page = pages_.find(status);
    if (page == pages_.end())
        page = pages_.find(0);
    if (page != pages_.end()) {
        try {
            Response own = page->second(request, refusal.error);
            if (own.as_later() != nullptr)
                throw std::logic_error("an error page cannot answer later");
            response = std::move(own.status(status));
        } catch (...) {
            if (thread_is_ending())
                throw;
            log_.line(LogLevel::error, name_of(request) + ": the page for " + std::to_string(status) +
                                           " failed: " + current_reason());
        }
    }
    const auto is_allow = [](const auto& field) { return field.first == "allow"; };
    const auto& fields = response.headers();
    if (!refusal.allow.empty() && std::none_of(fields.begin(), fields.end(), is_allow))
        response.header("allow", refusal.allow);
    return response;
}

Response Application::refuse_current(const Request& request) const {
    try {
        throw;
    } catch (const HttpError& error) {
        return refuse(request, {error, {}});  // the client's doing, or meant for it: nothing to log
    } catch (const BodyAborted&) {
        return plain_page(internal_error());  // nobody will see it
    } catch (...) {
        if (thread_is_ending())
            throw;  // and with it ends what the caller does
        log_.line(LogLevel::error, name_of(request) + ": " + current_reason());
        return refuse(request, {internal_error(), {}});
    }
}

HttpError internal_error() {
    return HttpError{500, "Internal Server Error"};
}

Response plain_page(const HttpError& error) {
    return Response::text(std::string(error.what()) + "\n").status(error.status());
}

std::string current_reason() {
    try {
        throw;
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "an exception that is no std::exception";
    }
}

std::string name_of(const Request& request) {
    return transport::printable(std::string(request.method()) + " " + std::string(request.path()));
}

}  // namespace zmqspdy::serving
