// Request bodies that a response does not wait for.
#pragma once

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

void register_unread_body_filter();

/// Adds the input filter that UnreadBody needs, which does nothing without one.
[[nodiscard]] ap_filter_t* add_unread_body_filter(request_rec* r);

/// While it lives, whoever waits for more of the request body is told that this was all, and the connection ends with the
/// response. httpd reads the rest of a body before it sends an error page: that of a filter that refuses a
/// response would wait for an upload that may take hours, or never end.
class UnreadBody {
  public:
    /// `filter`: add_unread_body_filter()'s, or null: then it does nothing.
    explicit UnreadBody(ap_filter_t* filter) noexcept : filter_{filter} {
        if (filter_)
            filter_->ctx = filter_;
    }
    ~UnreadBody() {
        if (filter_)
            filter_->ctx = nullptr;
    }
    UnreadBody(const UnreadBody&) = delete;
    UnreadBody& operator=(const UnreadBody&) = delete;

  private:
    ap_filter_t* filter_;
};

/// Sends what is left of a response whose EOS has been passed on, before httpd waits for the rest of the request.
void flush_connection(request_rec* r);

}  // namespace zmqspdy::glue
