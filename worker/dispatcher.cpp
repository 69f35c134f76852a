#include "worker/dispatcher.hpp"

#include <variant>

#include "worker/answering.hpp"
#include "worker/request_builder.hpp"

namespace zmqspdy::serving {

std::optional<Response> Dispatcher::start(const std::shared_ptr<RequestContext>& context,
                                          spdy::StreamOpened opened) {
    const bool has_body = !opened.fin;
    auto built = RequestBuilder::build(std::move(opened.headers), opened.priority, context);
    const auto* bad = std::get_if<RequestBuilder::BadRequest>(&built);
    Request request = bad != nullptr ? Request{{}, {}} : std::get<Request>(std::move(built));
    Task task = bad != nullptr ? Application::bad_request(bad->why) : application_->find(request);
    const bool is_refusal = std::holds_alternative<Refusal>(task);
    Request known = RequestBuilder::share(request);
    auto job = std::make_unique<Job>(Job{std::move(request), context, std::move(task), std::nullopt});
    job->known = std::move(known);
    if (!application_->needs_thread(job->task) && (!has_body || is_refusal)) {
        Response response = application_->answer(job->task, job->request);
        if (response.as_stream() == nullptr && response.as_later() == nullptr)
            return response;
        (void)context->claim();
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
