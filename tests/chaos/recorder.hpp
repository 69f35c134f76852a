// A client that knows what became of each of its requests.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "harness/load.hpp"

namespace chaos {

using harness::Clock;
using harness::milliseconds;

enum class Kind : std::uint8_t { get, post, stream };

struct Outcome {
    std::uint64_t id = 0;
    Kind kind = Kind::get;
    long status = 0;      ///< 0: no response
    std::string problem;  ///< empty: the response was whole and right
    Clock::time_point sent;
    Clock::time_point ended;
};

struct Recording {
    std::size_t requests = 0;
    std::vector<Outcome> failures;
    milliseconds longest{0};

    [[nodiscard]] std::size_t failed(Kind kind) const;
};

struct Shape {
    double per_second = 0;  ///< 0: as fast as the replies come
    std::size_t concurrency = 64;
    /// Streams of this many lines, half a second apart, instead of the mix of GET, POST and short streams.
    int long_streams = 0;
};

/// Each request on a connection of its own: a client that reuses connections sends a request again by itself when one
/// turns out to be closed, and would hide what is looked for here.
class Recorder {
  public:
    Recorder(std::uint16_t port, Shape shape);

    [[nodiscard]] std::size_t done() const { return load_->done(); }
    /// Lets it go on for about `time`, told by its replies.
    void go_on_for(milliseconds time);
    /// Starts no more requests, waits for those under way.
    [[nodiscard]] Recording finish();

  private:
    [[nodiscard]] harness::Call make(std::size_t number);
    [[nodiscard]] std::string check(std::size_t number, const harness::Reply& reply);
    [[nodiscard]] std::uint64_t id_of(std::size_t number) const { return first_id_ + number; }
    [[nodiscard]] Kind kind_of(std::size_t number) const;

    Shape shape_;
    std::uint64_t first_id_;
    std::mutex mutex_;
    std::map<std::size_t, Clock::time_point> under_way_;
    Recording recording_;
    std::unique_ptr<harness::BackgroundLoad> load_;
};

/// True when the request was under way at one of `moments`, or sent at most 50 ms later: the time in which word of an end
/// may still be on its way.
[[nodiscard]] bool under_way_at(const Outcome& outcome, const std::vector<Clock::time_point>& moments);

/// True when it was also over within 300 ms of that moment: what a killed child had ends at once, and whatever goes on for
/// longer was not its.
[[nodiscard]] bool cut_off_at(const Outcome& outcome, const std::vector<Clock::time_point>& moments);

}  // namespace chaos
