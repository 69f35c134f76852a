#include "harness/httpd_conf.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "harness/paths.hpp"

namespace harness {

namespace fs = std::filesystem;

namespace {

/// Modules may be compiled into httpd or lie beside it.
std::string load_module(const std::string& name) {
    const fs::path file = fs::path{HTTPD_MODULES} / ("mod_" + name + ".so");
    if (!fs::exists(file)) {
        return {};
    }
    return "<IfModule !" + name + "_module>\n  LoadModule " + name + "_module " + file.string() +
           "\n</IfModule>\n";
}

/// httpd started by root gives its children to another user, and some such user there must be.
std::string user_and_group() {
    if (::geteuid() != 0) {
        return {};
    }
    const bool debian = ::getpwnam("www-data") != nullptr;
    return debian ? "User www-data\nGroup www-data\n" : "User nobody\nGroup #65534\n";
}

std::string mpm_settings(bool single_child) {
    const bool prefork = mpm() == "prefork";
    if (single_child) {
        return prefork ? "StartServers 1\nServerLimit 1\nMaxRequestWorkers 1\n"
                       : "StartServers 1\nServerLimit 1\nThreadsPerChild 32\nMinSpareThreads 1\n"
                         "MaxSpareThreads 32\nMaxRequestWorkers 32\n";
    }
    return prefork
               ? "StartServers 4\nMinSpareServers 2\nMaxSpareServers 80\nServerLimit "
                 "80\nMaxRequestWorkers 80\n"
               : "StartServers 2\nServerLimit 2\nThreadLimit 128\nThreadsPerChild 128\nMinSpareThreads 1\n"
                 "MaxSpareThreads 256\nMaxRequestWorkers 256\n";
}

std::string further_modules(const HttpdSetup& setup) {
    std::string lines;
    for (const std::string& name : setup.modules) {
        lines += load_module(name);
    }
    if (setup.tls) {
        lines += load_module("ssl") + load_module("http2") + "Protocols h2 h2c http/1.1\n";
    }
    return lines;
}

/// The whole server once more, over TLS.
std::string tls_host(std::uint16_t port) {
    const std::string address = "127.0.0.1:" + std::to_string(port);
    return "Listen " + address + "\n<VirtualHost " + address +
           ">\n  SSLEngine on\n  SSLCertificateFile server.pem\n  SSLCertificateKeyFile "
           "server.key\n</VirtualHost>\n";
}

}  // namespace

std::string httpd_conf(const HttpdSetup& setup, const fs::path& root, const Ports& ports) {
    std::ostringstream conf;
    conf << "ServerRoot \"" << root.string() << "\"\n"
         << "DefaultRuntimeDir \"" << (root / "run").string() << "\"\n"
         << "PidFile run/httpd.pid\n"
         << "ServerName localhost\n"
         << "Listen 127.0.0.1:" << ports.http << "\n"
         << "ErrorLog error_log\n"
         << "LogLevel notice\n"
         << user_and_group() << load_module("mpm_" + mpm()) << load_module("unixd")
         << load_module("authz_core") << load_module("alias") << "LoadModule zmqspdy_module " << module_file()
         << "\n"
         << further_modules(setup) << mpm_settings(setup.single_child) << "GracefulShutdownTimeout 20\n"
         << "Timeout 60\n"
         << "KeepAlive On\n"
         << "MaxKeepAliveRequests 0\n"
         << "KeepAliveTimeout 15\n"
         << "DocumentRoot \"" << (root / "htdocs").string() << "\"\n";
    if (setup.listen_directive) {
        conf << "ZmqSpdyListen tcp://127.0.0.1:" << ports.workers << "\n";
    }
    conf << setup.global << "\n"
         << "<Location \"/\">\n"
         << (setup.all_to_workers ? "  SetHandler zmq-spdy\n" : "") << setup.location << "\n</Location>\n"
         << "<Location \"/static/\">\n  SetHandler None\n</Location>\n"
         << setup.sections << "\n";
    if (setup.tls) {
        conf << tls_host(ports.tls);
    }
    return conf.str();
}

}  // namespace harness
