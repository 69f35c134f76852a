#include "worker/handler_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <utility>

namespace zmqspdy::serving {

HandlerPool::HandlerPool(std::size_t most_threads, std::function<void(Job&)> run)
    : most_threads_{most_threads}, run_{std::move(run)} {}

HandlerPool::~HandlerPool() {
    std::vector<Member*> idle;
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        idle.swap(idle_);
        for (Member* member : idle)
            member->called.store(true);
    }
    for (Member* member : idle)
        member->spot.notify();
    for (Member& member : members_)
        member.thread.join();
}

void HandlerPool::submit(std::vector<std::unique_ptr<Job>>& jobs) {
    Member* next = nullptr;
    {
        const std::lock_guard lock{mutex_};
        for (auto& job : jobs)
            queues_.at(static_cast<std::size_t>(job->request.priority())).push_back(std::move(job));
        queued_ += jobs.size();
        next = call_next();
    }
    jobs.clear();
    if (next != nullptr)
        next->spot.notify();
}

HandlerPool::Member* HandlerPool::call_next() {
    if (queued_ == 0 || calling_)
        return nullptr;
    if (!idle_.empty()) {
        Member* const member = idle_.back();
        idle_.pop_back();
        member->called.store(true);
        calling_ = true;
        return member;
    }
    if (members_.size() < most_threads_ && !stopping_) {
        Member& member = members_.emplace_back();
        try {
            member.thread = std::thread{[this, &member] { work(member); }};
            calling_ = true;
        } catch (const std::system_error&) {
            members_.pop_back();
            if (members_.empty())
                throw;
            // The threads that there are will come to the job.
        }
    }
    return nullptr;
}

std::unique_ptr<Job> HandlerPool::next_job() {
    const auto queue =
        std::find_if(queues_.begin(), queues_.end(), [](const auto& each) { return !each.empty(); });
    auto job = std::move(queue->front());
    queue->pop_front();
    --queued_;
    return job;
}

void HandlerPool::work(Member& self) {
    pthread_setname_np(pthread_self(), "zmqspdy-handler");
    std::unique_lock lock{mutex_};
    calling_ = false;
    while (true) {
        if (queued_ != 0) {
            auto job = next_job();
            Member* const next = call_next();
            lock.unlock();
            if (next != nullptr)
                next->spot.notify();
            run_(*job);
            job.reset();
            lock.lock();
            continue;
        }
        if (stopping_)
            return;
        self.called.store(false);
        idle_.push_back(&self);
        lock.unlock();
        self.spot.wait_until(std::chrono::steady_clock::time_point::max(),
                             [&self] { return self.called.load(); });
        lock.lock();
        calling_ = false;
    }
}

}  // namespace zmqspdy::serving
