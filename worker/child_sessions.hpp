// The sessions with all httpd children that reach the worker over one socket. I/O thread only.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <zmq.hpp>

#include "transport/log_budget.hpp"
#include "worker/child_session.hpp"

namespace zmqspdy::serving {

class ChildSessions {
  public:
    /// How children reach the worker. After GOAWAY a direct one's connection tells when it is gone; a relayed one has none, and
    /// is gone at once.
    enum class Path : bool { direct, relayed };

    /// `dropped`: for lines about peers that were.
    ChildSessions(zmq::socket_ref socket, Dispatcher& dispatcher, transport::LogBudget& dropped, Path path)
        : outlet_{socket, {}, false}, dispatcher_{dispatcher}, dropped_{dropped}, path_{path} {}

    /// A message of `parts` parts, the first two of which are given.
    void receive(const zmq::message_t& peer, zmq::message_t& frames, std::size_t parts);
    /// Sends what the sessions have to say, and drops those that are over. True when something went out.
    bool flush();
    /// Some connection has ended: finds out whose.
    void probe();
    void heartbeat();
    void drain();
    /// Ends every open stream.
    void break_off();
    /// PINGs everybody, to know when all that was sent has arrived.
    void leave();
    [[nodiscard]] bool has_left() const;
    /// No peer has an open stream.
    [[nodiscard]] bool is_idle() const;

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    [[nodiscard]] bool is_dead(std::string_view peer) const noexcept;
    void drop(ChildSession& session);

    Outlet outlet_;
    std::vector<ChildSession*> flushing_;
    Dispatcher& dispatcher_;
    transport::LogBudget& dropped_;
    const Path path_;
    std::unordered_map<std::string, std::unique_ptr<ChildSession>, Hash, std::equal_to<>> sessions_;
    /// Who was told to go away or has gone, but may still have something under way. Bounded: who is forgotten is told again.
    std::deque<std::string> dead_;
};

}  // namespace zmqspdy::serving
