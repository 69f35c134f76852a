// httpd's headers, in the one order and with the declarations that C++ needs.
#pragma once

#include <ap_config.h>
#include <ap_expr.h>
#include <ap_listen.h>
#include <ap_mpm.h>
#include <apr_buckets.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>
#include <httpd.h>
#include <mpm_common.h>
#include <util_filter.h>

extern "C" {
APLOG_USE_MODULE(zmqspdy);
}
