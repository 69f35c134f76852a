#include "worker/handler_pool.hpp"

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
            queue_.push_back(std::move(job));
        next = call_next();
    }
    jobs.clear();
    if (next != nullptr)
        next->spot.notify();
}

HandlerPool::Member* HandlerPool::call_next() {
    if (queue_.empty() || calling_)
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

void HandlerPool::work(Member& self) {
    std::unique_lock lock{mutex_};
    calling_ = false;
    while (true) {
        if (!queue_.empty()) {
            auto job = std::move(queue_.front());
            queue_.pop_front();
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
