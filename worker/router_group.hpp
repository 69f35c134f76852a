// One --router: an address, or a name that stands for any number of them, each of which is a router of its own.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/lookup.hpp"
#include "worker/router_link.hpp"

namespace zmqspdy::serving {

/// Keeps a link to each address that the name has now. A look-up that fails takes none away. An address that is no longer
/// among the answers goes with its connection, or a minute later. `localhost` is this host's two loopback addresses and
/// is not looked up. Wakes all of its links for an edge of one: they are few, and to look costs little.
class RouterGroup final : public Source {
  public:
    /// `router` as parse_endpoint() takes it. The setting outlives the group.
    RouterGroup(const LinkSetting& setting, Tokens tokens, std::string router);

    /// The shortest that a router told, or the default.
    [[nodiscard]] std::chrono::milliseconds heartbeat_interval() const noexcept;

    void receive() override;
    void flush() override;
    [[nodiscard]] Clock::time_point deadline() const override;
    void on_time(Clock::time_point now) override;
    void heartbeat() override;
    void drain() override;
    void break_off() override;
    void leave() override;
    [[nodiscard]] bool has_left() const override;

  private:
    struct Member {
        std::string address;
        std::unique_ptr<RouterLink> link;
        std::optional<Clock::time_point> vanished = std::nullopt;  // since when answers do not have it
    };

    void add(const std::string& address, const transport::Endpoint& endpoint, const std::string& label);
    void look_up(Clock::time_point now);
    void read_lookup(Clock::time_point now);
    void end_lookup() noexcept;
    void take(const Addresses& found, Clock::time_point now);
    void take(const LookupFailure& failure, Clock::time_point now);
    void hear_of_losses(Clock::time_point now);
    void drop_vanished(Clock::time_point now);
    void look_after_members(Clock::time_point now);
    void report();
    void settle();

    const LinkSetting setting_;
    const Tokens tokens_;
    const std::string router_;
    std::optional<transport::TcpEndpoint> name_;  // that is looked up
    bool local_ = false;                          // its addresses are one host's
    std::vector<Member> members_;
    std::unique_ptr<Lookup> lookup_;
    Clock::time_point next_lookup_ = Clock::time_point::max();
    Clock::time_point last_lookup_;
    std::chrono::milliseconds retry_;  // after a look-up that brought nothing, or a lost connection
    std::string said_failure_;
};

}  // namespace zmqspdy::serving
