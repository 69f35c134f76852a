#include "worker/handler_pool.hpp"

#include <pthread.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace zmqspdy::serving {

/// Owned by the pool and by each of its threads.
class HandlerPool::Crew : public std::enable_shared_from_this<Crew> {
  public:
    Crew(std::size_t most_threads, std::function<void(Job&)> run)
        : most_threads_{most_threads}, run_{std::move(run)} {}

    void submit(std::vector<std::unique_ptr<Job>>& jobs);
    [[nodiscard]] Clock::time_point retry_at() const noexcept { return retry_at_.load(); }
    [[nodiscard]] std::size_t end(Clock::time_point deadline);

  private:
    struct Member {
        std::thread thread;
        transport::Parker parker;
        std::atomic<bool> called{false};
        // With the mutex.
        bool busy = false;
        bool done = false;  ///< the thread is about to end
    };
    /// Whoever wakes a member does so without the mutex, when its job may have ended its thread already.
    using MemberPtr = std::shared_ptr<Member>;
    using Jobs = std::array<std::deque<std::unique_ptr<Job>>, 8>;

    /// Whatever ends the thread, its job included.
    class Stay;
    void work(const MemberPtr& self);
    void leave(Member& self) noexcept;
    [[nodiscard]] std::unique_ptr<Job> next_job();
    /// Chooses who has to look at the queue; with the mutex held. The caller notifies it when it has let go.
    [[nodiscard]] MemberPtr call_next() noexcept;
    void hire() noexcept;

    const std::size_t most_threads_;
    const std::function<void(Job&)> run_;
    std::mutex mutex_;
    Jobs queues_;  ///< by priority
    std::size_t queued_ = 0;
    std::list<MemberPtr> members_;
    std::vector<MemberPtr> idle_;
    std::condition_variable member_done_;
    bool calling_ = false;  ///< somebody was called and has not come yet
    bool stopping_ = false;
    std::atomic<Clock::time_point> retry_at_{Clock::time_point::max()};
};

namespace {

constexpr std::chrono::milliseconds kRetry{100};

}  // namespace

HandlerPool::HandlerPool(std::size_t most_threads, std::function<void(Job&)> run)
    : crew_{std::make_shared<Crew>(most_threads, std::move(run))} {}

HandlerPool::~HandlerPool() {
    (void)crew_->end(Clock::time_point::max());
}

void HandlerPool::submit(std::vector<std::unique_ptr<Job>>& jobs) {
    crew_->submit(jobs);
}

HandlerPool::Clock::time_point HandlerPool::retry_at() const noexcept {
    return crew_->retry_at();
}

void HandlerPool::retry() {
    std::vector<std::unique_ptr<Job>> none;
    crew_->submit(none);
}

std::size_t HandlerPool::end(Clock::time_point deadline) {
    return crew_->end(deadline);
}

void HandlerPool::Crew::submit(std::vector<std::unique_ptr<Job>>& jobs) {
    MemberPtr next;
    {
        const std::lock_guard lock{mutex_};
        for (auto& job : jobs)
            queues_.at(static_cast<std::size_t>(job->request.priority())).push_back(std::move(job));
        queued_ += jobs.size();
        next = call_next();
    }
    jobs.clear();
    if (next != nullptr)
        next->parker.notify();
}

std::size_t HandlerPool::Crew::end(Clock::time_point deadline) {
    std::vector<MemberPtr> idle;
    std::unique_lock lock{mutex_};
    if (std::exchange(stopping_, true))
        return 0;
    idle.swap(idle_);
    for (const MemberPtr& member : idle)
        member->called.store(true);
    lock.unlock();
    for (const MemberPtr& member : idle)
        member->parker.notify();
    lock.lock();
    const auto all_done = [this] {
        return std::all_of(members_.begin(), members_.end(),
                           [](const MemberPtr& each) { return each->done; });
    };
    if (deadline == Clock::time_point::max())
        member_done_.wait(lock, all_done);
    else
        (void)member_done_.wait_until(lock, deadline, all_done);
    // Those that were idle, or are just back, need but a moment.
    member_done_.wait(lock, [this] {
        return std::all_of(members_.begin(), members_.end(),
                           [](const MemberPtr& each) { return each->done || each->busy; });
    });
    const Jobs dropped = std::exchange(queues_, {});
    queued_ = 0;
    std::size_t busy = 0;
    std::vector<std::thread> ended;
    for (const MemberPtr& member : members_) {
        if (!member->thread.joinable())
            continue;
        if (member->done) {
            ended.push_back(std::move(member->thread));
        } else {
            member->thread.detach();
            ++busy;
        }
    }
    lock.unlock();
    for (std::thread& thread : ended)
        thread.join();
    return busy;
}

HandlerPool::Crew::MemberPtr HandlerPool::Crew::call_next() noexcept {
    retry_at_.store(Clock::time_point::max());
    if (queued_ == 0 || calling_)
        return nullptr;
    if (!idle_.empty()) {
        MemberPtr member = std::move(idle_.back());
        idle_.pop_back();
        member->called.store(true);
        calling_ = true;
        return member;
    }
    if (members_.size() < most_threads_ && !stopping_)
        hire();
    return nullptr;
}

void HandlerPool::Crew::hire() noexcept {
    const std::size_t before = members_.size();
    try {
        const MemberPtr& member = members_.emplace_back(std::make_shared<Member>());
        member->thread = std::thread{[crew = shared_from_this(), member] { crew->work(member); }};
        calling_ = true;
    } catch (const std::exception&) {
        // Out of threads or memory. Those that there are may come to the job before.
        if (members_.size() > before)
            members_.pop_back();
        retry_at_.store(Clock::now() + kRetry);
    }
}

std::unique_ptr<Job> HandlerPool::Crew::next_job() {
    const auto queue =
        std::find_if(queues_.begin(), queues_.end(), [](const auto& each) { return !each.empty(); });
    auto job = std::move(queue->front());
    queue->pop_front();
    --queued_;
    return job;
}

class HandlerPool::Crew::Stay {
  public:
    Stay(Crew& crew, Member& self) noexcept : crew_{crew}, self_{self} {}
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;
    ~Stay() { crew_.leave(self_); }

  private:
    Crew& crew_;
    Member& self_;
};

void HandlerPool::Crew::leave(Member& self) noexcept {
    MemberPtr next;
    {
        const std::lock_guard lock{mutex_};
        if (self.busy && !stopping_) {
            // Its handler has ended the thread.
            self.thread.detach();
            members_.remove_if([&self](const MemberPtr& each) { return each.get() == &self; });
            next = call_next();
        } else {
            self.done = true;
        }
        member_done_.notify_all();
    }
    if (next != nullptr)
        next->parker.notify();
}

void HandlerPool::Crew::work(const MemberPtr& self) {
    const Stay stay{*this, *self};
    pthread_setname_np(pthread_self(), "zmqspdy-handler");
    std::unique_lock lock{mutex_};
    calling_ = false;
    while (true) {
        if (queued_ != 0) {
            auto job = next_job();
            self->busy = true;
            const MemberPtr next = call_next();
            lock.unlock();
            if (next != nullptr)
                next->parker.notify();
            run_(*job);
            job.reset();
            lock.lock();
            self->busy = false;
            continue;
        }
        if (stopping_)
            return;
        self->called.store(false);
        idle_.push_back(self);
        lock.unlock();
        self->parker.wait_until(Clock::time_point::max(), [&self] { return self->called.load(); });
        lock.lock();
        calling_ = false;
    }
}

}  // namespace zmqspdy::serving
