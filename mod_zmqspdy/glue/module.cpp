// The module record and the hooks.

#include "mod_zmqspdy/glue/config.hpp"
#include "mod_zmqspdy/glue/entity_tag_filter.hpp"
#include "mod_zmqspdy/glue/fence.hpp"
#include "mod_zmqspdy/glue/half_close.hpp"
#include "mod_zmqspdy/glue/handler.hpp"
#include "mod_zmqspdy/glue/httpd.hpp"
#include "mod_zmqspdy/glue/notes.hpp"
#include "mod_zmqspdy/glue/router_process.hpp"
#include "mod_zmqspdy/glue/routing.hpp"
#include "mod_zmqspdy/glue/status.hpp"
#include "mod_zmqspdy/glue/trailers_filter.hpp"
#include "mod_zmqspdy/glue/unread_body.hpp"

namespace zmqspdy::glue {

namespace {

void register_hooks(apr_pool_t*) noexcept {
    ap_hook_check_config(check_config, nullptr, nullptr, APR_HOOK_MIDDLE);
    static const char* const kBeforeLogs[] = {"core.c", nullptr};
    ap_hook_open_logs(open_port, nullptr, kBeforeLogs, APR_HOOK_REALLY_FIRST);
    // Late: the other modules have had their say on the configuration before a process is forked for it.
    ap_hook_post_config(post_config, nullptr, nullptr, APR_HOOK_LAST);
    ap_hook_child_init(child_init, nullptr, nullptr, APR_HOOK_MIDDLE);
    // First: mod_http2 waits for the threads of its streams.
    ap_hook_child_stopping(child_stopping, nullptr, nullptr, APR_HOOK_FIRST);
    ap_hook_monitor(monitor, nullptr, nullptr, APR_HOOK_MIDDLE);
    ap_hook_child_status(child_status, nullptr, nullptr, APR_HOOK_MIDDLE);
    // Behind all modules that map URLs: what comes so far is nobody's. Core's own mapping comes later still.
    ap_hook_translate_name(request_hook<claim_url>, nullptr, nullptr, APR_HOOK_LAST);
    // First: core's own answer is the walk through the file system that ours spares.
    ap_hook_map_to_storage(request_hook<skip_storage>, nullptr, nullptr, APR_HOOK_FIRST);
    // Before those that know better, mod_dav's for one.
    ap_hook_fixups(request_hook<choose_handler>, nullptr, nullptr, APR_HOOK_FIRST);
    register_trailers_filter();
    register_entity_tag_filter();
    ap_hook_insert_filter(insert_entity_tag_filter, nullptr, nullptr, APR_HOOK_MIDDLE);
    register_early_byte_filter();
    register_unread_body_filter();
    ap_hook_handler(request_hook<serve>, nullptr, nullptr, APR_HOOK_MIDDLE);
    ap_hook_handler(request_hook<serve_status>, nullptr, nullptr, APR_HOOK_MIDDLE);
    ap_hook_insert_error_filter(note_error_page, nullptr, nullptr, APR_HOOK_MIDDLE);
    ap_hook_log_transaction(request_hook<carry_notes>, nullptr, nullptr, APR_HOOK_REALLY_FIRST);
}

}  // namespace

}  // namespace zmqspdy::glue

// module_struct, not its typedef `module`: clang takes `module x` for a C++20 module declaration.
extern "C" [[gnu::visibility("default")]] module_struct zmqspdy_module;
module_struct zmqspdy_module = {STANDARD20_MODULE_STUFF,
                                zmqspdy::glue::create_dir_config,
                                zmqspdy::glue::merge_dir_config,
                                zmqspdy::glue::create_server_config,
                                zmqspdy::glue::merge_server_config,
                                zmqspdy::glue::kDirectives.data(),
                                zmqspdy::glue::register_hooks,
                                AP_MODULE_FLAG_NONE};
