#include "worker/dispatcher.hpp"

#include <variant>

#include "worker/answering.hpp"
#include "worker/request_builder.hpp"

namespace zmqspdy::serving {

std::optional<Response> Dispatcher::start(const std::shared_ptr<Exchange>& exchange,
                                          spdy::StreamOpened opened) {
    const bool has_body = !opened.fin;
    auto built = RequestBuilder::build(std::move(opened.headers), opened.priority, exchange);
    if (const auto* bad = std::get_if<RequestBuilder::BadRequest>(&built))
        return bad_request(bad->why);
    auto job =
        std::make_unique<Job>(Job{std::get<Request>(std::move(built)), exchange, nullptr, std::nullopt});
    auto found = routes_.find(job->request.method(), job->request.path());
    if (std::holds_alternative<RouteTable::NotFound>(found))
        return not_found();
    if (const auto* refusal = std::get_if<RouteTable::MethodNotAllowed>(&found))
        return method_not_allowed(refusal->allow);
    auto& match = std::get<RouteTable::Match>(found);
    RequestBuilder::set_params(job->request, std::move(match.params));
    job->route = match.route;
    if (match.route->run == Run::on_io_thread && !has_body) {
        Response response = call_handler(*match.route, job->request, log_);
        if (response.as_stream() == nullptr && response.as_later() == nullptr)
            return response;
        (void)exchange->claim();
        job->response = std::move(response);
    }
    ++accepted_;
    queued_.push_back(std::move(job));
    return std::nullopt;
}

void Dispatcher::submit(HandlerPool& pool) {
    if (!queued_.empty())
        pool.submit(queued_);
}

}  // namespace zmqspdy::serving
