// An httpd and a worker that answers as a test says.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "harness/httpd.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"

namespace harness {

/// One child, and a worker that answers every request as `action` says.
struct Gateway {
    Gateway(bool relayed, PuppetWorker::Action action)
        : httpd{Httpd::started({.single_child = true})},
          worker{*httpd, relayed, {.completed = std::move(action)}} {}

    [[nodiscard]] std::string get(const std::string& path, const std::string& fields = "") const {
        return raw_exchange(
            httpd->port(),
            "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields + "\r\n");
    }

    std::unique_ptr<Httpd> httpd;
    PuppetWorker worker;
};

}  // namespace harness
