// One worker, one registry, one child: what most tests of a running worker begin with.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "fake_router.hpp"

namespace test {

class Setting {
  public:
    explicit Setting(const std::function<void(zmqspdy::Worker&)>& set_up,
                     const spdy::SessionOptions& options = {}, bool relay = false, std::uint32_t threads = 0,
                     std::uint32_t capacity = 8, const std::string& access_log = {})
        : registry_{context_},
          worker_{std::in_place, worker_options(relay, threads, capacity, access_log), set_up} {
        REQUIRE(until({&registry_}, [&] { return registry_.announced().size() == 1; }));
        const std::string link = registry_.announced().front();
        if (relay)
            child_.emplace(registry_, link, "child", options);
        else
            child_.emplace(context_, to_string(*registry_.link(link).announcement->endpoint), options);
    }

    [[nodiscard]] Child& child() { return *child_; }
    [[nodiscard]] bool until(const std::function<bool()>& done) { return test::until(actors(), done); }
    [[nodiscard]] bool until(const std::vector<Actor*>& actors, const std::function<bool()>& done) {
        return test::until(actors, done);
    }
    Reply& ask(const Ask& what) {
        const auto stream = child_->ask(what);
        REQUIRE(until([&] { return child_->reply(stream).ended(); }));
        return child_->reply(stream);
    }
    /// The child's connection closes.
    void drop_child() { child_.reset(); }

  private:
    [[nodiscard]] std::vector<Actor*> actors() {
        std::vector<Actor*> all{&registry_};
        if (child_)
            all.push_back(&*child_);
        return all;
    }
    [[nodiscard]] zmqspdy::Options worker_options(bool relay, std::uint32_t threads, std::uint32_t capacity,
                                                  const std::string& access_log) const {
        auto options = options_for({registry_.endpoint()});
        options.relay = relay;
        options.threads = threads;
        options.capacity = capacity;
        options.access_log = access_log;
        return options;
    }

    zmq::context_t context_;
    Registry registry_;
    std::optional<RunningWorker> worker_;
    std::optional<Child> child_;
};

}  // namespace test
