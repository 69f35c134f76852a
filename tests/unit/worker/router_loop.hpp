// A RouterGroup, or several, in a loop such as the worker's, and its log.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fake_router.hpp"
#include "transport/file_descriptor.hpp"
#include "transport/poller.hpp"
#include "worker/router_group.hpp"

namespace test {

class RouterLoop final : public Actor {
  public:
    using Clock = std::chrono::steady_clock;

    explicit RouterLoop(const std::vector<std::string>& routers,
                        std::chrono::milliseconds grace = std::chrono::seconds{60}, bool relay = true)
        : known_{true} {
        announcement_.name = "worker";
        announcement_.service = "blue";
        if (!relay)
            announcement_.endpoint =
                std::get<transport::Endpoint>(transport::parse_endpoint("ipc://@zmqspdy/w"));
        const zmqspdy::serving::LinkSetting setting{context_, poller_, announcement_, dispatcher_,
                                                    log_,     known_,  grace};
        for (const auto& router : routers)
            groups_.push_back(std::make_unique<zmqspdy::serving::RouterGroup>(
                setting, zmqspdy::serving::Tokens{2 * groups_.size(), 2 * groups_.size() + 1}, router));
    }

    void step() override {
        for (const auto& group : groups_) {
            if (group->is_hot())
                group->receive();
            if (const auto now = Clock::now(); now >= group->deadline())
                group->on_time(now);
            group->flush();
        }
        // As the worker does: what is not hot is looked at only when the Poller says so.
        const bool hot =
            std::any_of(groups_.begin(), groups_.end(), [](const auto& group) { return group->is_hot(); });
        for (const auto& event : poller_.wait(std::chrono::milliseconds{hot ? 0 : 1})) {
            auto& group = *groups_[event.data.u64 / 2];
            if (event.data.u64 % 2 == 0)
                group.wake_socket();
            else
                group.wake_monitor();
        }
    }

    /// All lines so far.
    [[nodiscard]] const std::string& log() {
        std::array<char, 4096> piece{};
        for (ssize_t size = 0; (size = ::read(read_.get(), piece.data(), piece.size())) > 0;)
            text_.append(piece.data(), static_cast<std::size_t>(size));
        return text_;
    }
    [[nodiscard]] bool logs(std::string_view text) { return log().find(text) != std::string::npos; }
    [[nodiscard]] std::ptrdiff_t lines() { return std::count(log().begin(), log().end(), '\n'); }

  private:
    static std::array<int, 2> make_pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
            throw std::runtime_error("no pipe");
        return ends;
    }

    const std::array<int, 2> pipe_ = make_pipe();
    transport::FileDescriptor read_{pipe_[0]};
    transport::FileDescriptor write_{pipe_[1]};
    std::string text_;
    zmqspdy::serving::Log log_{"test", write_.get()};
    zmq::context_t context_;
    transport::Poller poller_;
    transport::Announcement announcement_;
    zmqspdy::serving::Dispatcher dispatcher_{std::make_shared<zmqspdy::serving::Application>(log_), 1,
                                             std::make_shared<zmqspdy::serving::Outbox>()};
    zmqspdy::serving::KnownRouters known_;
    std::vector<std::unique_ptr<zmqspdy::serving::RouterGroup>> groups_;
};

/// Routers at one port of several loopback addresses.
inline std::string port_of(const Registry& registry) {
    return registry.endpoint().substr(registry.endpoint().rfind(':') + 1);
}

}  // namespace test
