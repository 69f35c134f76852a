// Entity tags between a worker and a client that mod_deflate or mod_brotli stands between.
#pragma once

#include "mod_zmqspdy/core/entity_tags.hpp"
#include "mod_zmqspdy/glue/httpd.hpp"

namespace zmqspdy::glue {

/// What the filters that are loaded may have put behind a worker's entity tag (DeflateAlterETag, BrotliAlterETag).
[[nodiscard]] router::TagSuffixes tag_suffixes();

void register_entity_tag_filter();

/// Hook insert_filter: sees to it that a worker's 304 carries the entity tag that the client knows, whatever further
/// filters make of the worker's.
void insert_entity_tag_filter(request_rec* r) noexcept;

}  // namespace zmqspdy::glue
