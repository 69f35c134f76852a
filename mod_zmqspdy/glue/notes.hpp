// What an access log may say of a request: who answered it, and if nobody did, why.
#pragma once

#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

/// Sets `zmqspdy-reason`: one word of docs/operations.md's list, for a request that this module, and not a worker, brought
/// to its end. `word` must live as long as the request.
void note_reason(request_rec* r, const char* word);

/// 503 with Retry-After, the note, and a page that tells the client so in `sentence`, which names nothing of the inside.
/// Returns the status.
[[nodiscard]] int unavailable(request_rec* r, const char* word, const char* sentence);

/// The request whose response `r` is a part of: itself, but for a subrequest.
[[nodiscard]] request_rec* page_of(request_rec* r);

/// Hook of httpd's: an error page takes the response's place.
void note_error_page(request_rec* r) noexcept;
/// httpd has sent, or is sending, an error page or an ErrorDocument in place of this response.
[[nodiscard]] bool has_error_page(request_rec* r);

/// Hook before any access log: where an ErrorDocument has taken over, %{zmqspdy-...}n is looked for in its request.
int carry_notes(request_rec* r);

}  // namespace zmqspdy::glue
