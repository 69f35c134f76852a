// A worker that does exactly what a test tells it, right or wrong, and keeps what it was sent.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/eventually.hpp"
#include "harness/httpd.hpp"

namespace harness {

/// Speaks the protocol by itself, without the framework, on a thread of its own. Its frames are not held to any rule: what
/// a test puts into a header block goes out as it is. No response may be larger than the windows (64 KiB).
class PuppetWorker {
  public:
    using Fields = std::vector<std::pair<std::string, std::string>>;

    /// One request as it arrived.
    struct Seen {
        Fields headers;  ///< pseudo headers too; one entry for each value
        Fields trailers;
        std::string body;
        int priority = 0;
        bool fin_on_trailers = false;  ///< instead of an empty DATA behind them
        std::string end;               ///< "FIN", the name of a reset, or "" while the request is open

        [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
        [[nodiscard]] std::string path() const { return header(":path").value_or(""); }
    };

    /// What actions do to one stream, on the worker's thread.
    class Stream {
      public:
        [[nodiscard]] const Seen& seen() const;
        /// `fields` with `:status` first; a NUL in a value separates several.
        void reply(const Fields& fields, bool fin = false);
        void headers(const Fields& fields, bool fin = false);
        void data(std::string_view bytes, bool fin = false);
        /// RST_STREAM INTERNAL_ERROR
        void reset();
        /// Gives back `size` bytes of the window of the request's body; with Script::takes_body it happens by itself.
        void take(std::size_t size);

      private:
        friend class PuppetWorker;
        struct Peer;
        Stream(Peer& peer, unsigned id) : peer_{peer}, id_{id} {}
        Peer& peer_;
        unsigned id_;
    };
    using Action = std::function<void(Stream)>;
    struct Script {
        Action opened = {};      ///< at SYN_STREAM
        Action completed = {};   ///< at the end of the request, which may be the same moment
        bool takes_body = true;  ///< makes room for more of a request's body as soon as it has arrived
    };

    /// Returns when httpd has taken it in. `service` as in ZmqSpdyService.
    PuppetWorker(const Httpd& httpd, bool relayed, Script script, const std::string& service = "");
    ~PuppetWorker();
    PuppetWorker(const PuppetWorker&) = delete;
    PuppetWorker& operator=(const PuppetWorker&) = delete;

    /// All requests so far, in the order they came.
    [[nodiscard]] std::vector<Seen> requests() const;
    /// The last request of this path once it satisfies `wanted`; nothing when it does not in time.
    [[nodiscard]] std::optional<Seen> await(
        const std::string& path,
        const std::function<bool(const Seen&)>& wanted = [](const Seen&) { return true; }) const;
    /// Runs `action` for the last request of this path, which must have come, and returns when it has.
    void act(const std::string& path, const Action& action);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

/// 200, then `fields`, with `body`.
[[nodiscard]] PuppetWorker::Script answers(PuppetWorker::Fields fields, std::string body);

}  // namespace harness
