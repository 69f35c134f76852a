#include "harness/load.hpp"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "harness/transfer.hpp"

namespace harness {

namespace {

constexpr std::size_t kProblemsKept = 10;

/// Keeps `plan.concurrency` requests under way for as long as `more()` wants another.
class Runner {
  public:
    Runner(const LoadPlan& plan, std::function<bool(std::size_t started)> more,
           std::atomic<std::size_t>& done)
        : plan_{plan}, more_{std::move(more)}, done_{done}, multi_{curl_multi_init()} {
        curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(plan.concurrency));
    }
    ~Runner() {
        for (const auto& [handle, slot] : running_) {
            curl_multi_remove_handle(multi_, handle);
        }
        slots_.clear();
        curl_multi_cleanup(multi_);
    }
    Runner(const Runner&) = delete;
    Runner& operator=(const Runner&) = delete;

    LoadResult run() {
        for (std::size_t i = 0; i < plan_.concurrency; ++i) {
            slots_.push_back(std::make_unique<Slot>());
            idle_.push_back(slots_.back().get());
        }
        while (start_what_is_due() || !running_.empty()) {
            int active = 0;
            if (curl_multi_perform(multi_, &active) != CURLM_OK) {
                throw std::runtime_error{"curl_multi_perform"};
            }
            int left = 0;
            bool finished = false;
            while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
                if (message->msg == CURLMSG_DONE) {
                    end(message->easy_handle, message->data.result);
                    finished = true;
                }
            }
            if (!finished && !idle_.empty()) {
                curl_multi_poll(multi_, nullptr, 0, until_next(), nullptr);
            } else if (!finished && active > 0) {
                curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
            }
        }
        return std::move(result_);
    }

  private:
    struct Slot {
        Transfer transfer;
        std::size_t number = 0;
    };

    /// False once no more are wanted.
    bool start_what_is_due() {
        while (!idle_.empty()) {
            if (!more_(started_)) {
                idle_.clear();
                ended_ = true;
            } else if (Clock::now() < due()) {
                break;
            } else {
                Slot& slot = *idle_.back();
                idle_.pop_back();
                start(slot);
            }
        }
        return !ended_;
    }

    [[nodiscard]] Clock::time_point due() const {
        if (plan_.per_second <= 0) {
            return begin_;
        }
        const std::chrono::duration<double> after{static_cast<double>(started_) / plan_.per_second};
        return begin_ + std::chrono::duration_cast<Clock::duration>(after);
    }

    [[nodiscard]] int until_next() const {
        const auto left = std::chrono::ceil<milliseconds>(due() - Clock::now()).count();
        return static_cast<int>(std::clamp<std::int64_t>(left, 0, 100));
    }

    void start(Slot& slot) {
        slot.number = started_++;
        slot.transfer.prepare(plan_.port, plan_.make ? plan_.make(slot.number) : Call{});
        running_[slot.transfer.handle()] = &slot;
        curl_multi_add_handle(multi_, slot.transfer.handle());
    }

    void end(CURL* handle, CURLcode code) {
        Slot& slot = *running_.at(handle);
        running_.erase(handle);
        curl_multi_remove_handle(multi_, handle);
        const Reply reply = slot.transfer.finish(code);
        // `check` hears of those without a whole response too: it may count.
        std::string wrong = plan_.check ? plan_.check(slot.number, reply) : reply.ok() ? "" : reply.summary();
        if (!reply.problem.empty()) {
            wrong = reply.problem;
        }
        ++result_.done;
        ++done_;
        if (!wrong.empty() && ++result_.wrong <= kProblemsKept) {
            result_.problems.push_back("request " + std::to_string(slot.number) + ": " + wrong);
        }
        if (!ended_) {
            idle_.push_back(&slot);
        }
    }

    const LoadPlan& plan_;
    std::function<bool(std::size_t)> more_;
    std::atomic<std::size_t>& done_;
    CURLM* multi_;
    std::vector<std::unique_ptr<Slot>> slots_;
    std::unordered_map<CURL*, Slot*> running_;
    std::vector<Slot*> idle_;
    const Clock::time_point begin_ = Clock::now();
    std::size_t started_ = 0;
    bool ended_ = false;  // no more are started
    LoadResult result_;
};

}  // namespace

std::string LoadResult::summary() const {
    std::string text = std::to_string(done) + " requests, " + std::to_string(wrong) + " wrong";
    for (const std::string& problem : problems) {
        text += "\n" + problem;
    }
    return text;
}

LoadResult load(const LoadPlan& plan, std::size_t total) {
    std::atomic<std::size_t> done{0};
    return Runner{plan, [total](std::size_t started) { return started < total; }, done}.run();
}

BackgroundLoad::BackgroundLoad(LoadPlan plan)
    : thread_{[this, plan = std::move(plan)] {
          try {
              result_ = Runner{plan, [this](std::size_t) { return !stop_; }, done_}.run();
          } catch (const std::exception& e) {
              ++result_.wrong;
              result_.problems.emplace_back(e.what());
          }
      }} {}

BackgroundLoad::~BackgroundLoad() {
    stop_ = true;
    if (thread_.joinable()) {
        thread_.join();
    }
}

bool BackgroundLoad::wait_for(std::size_t more) {
    const std::size_t wanted = done_ + more;
    return eventually(seconds{20}, [&] { return done_ >= wanted; });
}

LoadResult BackgroundLoad::finish() {
    stop_ = true;
    thread_.join();
    return std::move(result_);
}

}  // namespace harness
