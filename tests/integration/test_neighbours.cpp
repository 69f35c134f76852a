// The installed configuration beside what else answers requests of an httpd: workers get what is left.
#include <filesystem>

#include "catch.hpp"
#include "harness/puppet_worker.hpp"
#include "harness/raw_client.hpp"
#include "helpers.hpp"

using namespace harness;
namespace fs = std::filesystem;

namespace {

const std::string kToken = "kT0ken-_w1th=every.letter";

/// "STATUS BODY"; the connection ends behind it.
std::string ask(const Httpd& httpd, const std::string& target) {
    const std::string response =
        raw_exchange(httpd.port(), "GET " + target + " HTTP/1.0\r\nHost: localhost\r\n\r\n");
    const auto body = response.find("\r\n\r\n");
    return response.size() < 12 || body == std::string::npos
               ? response
               : response.substr(9, 3) + " " + response.substr(body + 4);
}

/// An httpd whose main file is `lines`, in which ROOT and PORT stand for its folder and its port, and CONF for the installed
/// configuration.
struct Site {
    explicit Site(std::string lines)
        : httpd{{.modules = {"rewrite", "status", "cgid", "proxy", "proxy_http", "dir", "authz_host", "mime"},
                 .all_to_workers = false,
                 .sections = "Include more.conf"}},
          root{httpd.root().path()} {
        const auto replace = [&](const std::string& word, const std::string& text) {
            for (auto at = lines.find(word); at != std::string::npos;
                 at = lines.find(word, at + text.size())) {
                lines.replace(at, word.size(), text);
            }
        };
        replace("CONF", "Include " SAMPLE_CONF "/zmqspdy.conf");
        replace("ROOT", root.string());
        replace("PORT", std::to_string(httpd.port()));
        file("more.conf", lines);
    }

    void file(const std::string& name, const std::string& text, fs::perms mode = fs::perms{0644}) const {
        fs::create_directories((root / name).parent_path());
        write_file(root / name, text);
        fs::permissions(root / name, mode);
    }

    Httpd httpd;
    fs::path root;
};

/// Answers every request with its path and query.
PuppetWorker::Script tells_path() {
    return {.completed = [](PuppetWorker::Stream stream) {
        stream.reply({{":status", "200"}, {":version", "HTTP/1.1"}, {"content-type", "text/plain"}});
        stream.data("worker " + stream.seen().path(), true);
    }};
}

const std::string kServer =
    "TypesConfig /dev/null\n<Directory \"/\">\nRequire all denied\n</Directory>\n"
    "<Directory \"ROOT/htdocs\">\nRequire all granted\n</Directory>\n";

}  // namespace

TEST_CASE("The installed configuration leaves Alias, ScriptAlias, ProxyPass and other handlers alone",
          "[citizen]") {
    // As a2enmod orders them, and the other way round.
    const bool first = GENERATE(true, false);
    CAPTURE(first);
    const std::string others =
        "Alias \"/icons/\" \"ROOT/icons/\"\n<Directory \"ROOT/icons\">\nRequire all granted\n</Directory>\n"
        "ScriptSock cgi\nScriptAlias \"/cgi-bin/\" \"ROOT/cgi-bin/\"\n"
        "<Directory \"ROOT/cgi-bin\">\nRequire all granted\n</Directory>\n"
        "<Location \"/server-status\">\nSetHandler server-status\nRequire local\n</Location>\n"
        "ProxyPass \"/proxied/\" \"http://127.0.0.1:PORT/static/\"\n"
        "Redirect \"/moved\" \"http://localhost/elsewhere\"\n"
        "<Location \"/own/\">\nZmqSpdyServe off\n</Location>\n"
        "AddHandler cgi-script .cgi\n"
        "RewriteEngine on\nRewriteRule ^/pretty/(.*)$ /icons/$1 [PT]\nRewriteRule ^/old/(.*)$ /new/$1 [PT]\n"
        "RewriteRule ^/noted - [E=NOTED:1]\n";
    Site site{kServer + (first ? "CONF\n" + others : others + "CONF\n")};
    site.file("icons/a.txt", "an icon\n");
    site.file("htdocs/own/page.txt", "a page\n");
    site.file("htdocs/index.html", "the front page\n");
    site.file("cgi-bin/hello", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\ncgi\\n'\n", fs::perms{0755});
    site.httpd.start();
    PuppetWorker worker{site.httpd, false, tells_path()};
    CHECK(ask(site.httpd, "/icons/a.txt") == "200 an icon\n");
    CHECK(ask(site.httpd, "/pretty/a.txt") == "200 an icon\n");
    CHECK(ask(site.httpd, "/icons/none").starts_with("404 "));
    CHECK(ask(site.httpd, "/icons/" + std::string(5000, 'x')).starts_with("403 "));
    CHECK(ask(site.httpd, "/cgi-bin/hello") == "200 cgi\n");
    CHECK(ask(site.httpd, "/server-status?auto").find("Total Accesses") != std::string::npos);
    CHECK(ask(site.httpd, "/proxied/index.txt") == "200 a static file\n");
    CHECK(ask(site.httpd, "/static/index.txt") == "200 a static file\n");
    CHECK(ask(site.httpd, "/own/page.txt") == "200 a page\n");
    CHECK(ask(site.httpd, "/moved").starts_with("302 "));
    CHECK(worker.requests().empty());
    const std::string longest = "/" + std::string(6000, 'y');
    for (const std::string& path : {std::string{"/"}, std::string{"/index.html"}, std::string{"/a/b?c"},
                                    std::string{"/a.cgi"}, std::string{"/noted"}, longest}) {
        CAPTURE(path);
        CHECK(ask(site.httpd, path) == "200 worker " + path);
    }
    CHECK(ask(site.httpd, "/old/x%20y?q") == "200 worker /new/x%20y?q");
}

TEST_CASE(
    "Certificates are renewed under the installed configuration: certbot's challenges are answered by httpd",
    "[citizen]") {
    SECTION("its apache plugin, which writes into the virtual host") {
        const std::string challenges = "ROOT/work/http_challenges";
        Site site{kServer +
                  "CONF\n<VirtualHost *>\n        RewriteEngine on\n"
                  "        RewriteRule ^/\\.well-known/acme-challenge/([A-Za-z0-9-_=]+)$ " +
                  challenges +
                  "/$1 [END]\n  ServerName localhost\n  DocumentRoot \"ROOT/htdocs\"\n        <Directory " +
                  challenges +
                  ">\n            Require all granted\n        </Directory>\n"
                  "        <Location /.well-known/acme-challenge>\n            Require all granted\n"
                  "        </Location>\n</VirtualHost>\n"};
        site.file("work/http_challenges/token-_1=", "the proof");
        site.httpd.start();
        PuppetWorker worker{site.httpd, false, tells_path()};
        CHECK(ask(site.httpd, "/.well-known/acme-challenge/token-_1=") == "200 the proof");
        CHECK(worker.requests().empty());
        CHECK(ask(site.httpd, "/page") == "200 worker /page");
    }
    SECTION("webroot, which writes below the DocumentRoot") {
        Site site{kServer + "CONF\n"};
        site.file("htdocs/.well-known/acme-challenge/" + kToken, "the proof");
        site.httpd.start();
        PuppetWorker worker{site.httpd, false, tells_path()};
        CHECK(ask(site.httpd, "/.well-known/acme-challenge/" + kToken) == "200 the proof");
        CHECK(worker.requests().empty());
        CHECK(ask(site.httpd, "/.well-known/other") == "200 worker /.well-known/other");
    }
}

TEST_CASE("ZmqSpdyServe in a <Location> is for what is below it, and SetHandler has the last word",
          "[citizen]") {
    Site site{
        kServer +
        "<Location \"/api/\">\nZmqSpdyServe on\n</Location>\n<Location \"/api/files/\">\nSetHandler None\n"
        "</Location>\nAlias \"/api/docs/\" \"ROOT/docs/\"\n<Directory \"ROOT/docs\">\nRequire all granted\n"
        "</Directory>\n<Location \"/forced/\">\nSetHandler zmq-spdy\n</Location>\nAlias \"/forced/\" "
        "\"ROOT/docs/\"\n"};
    site.file("docs/a.txt", "a text\n");
    site.file("htdocs/api/files/b.txt", "a file\n");
    site.httpd.start();
    PuppetWorker worker{site.httpd, false, tells_path()};
    CHECK(ask(site.httpd, "/api/docs/a.txt") == "200 a text\n");
    CHECK(ask(site.httpd, "/api/files/b.txt") == "200 a file\n");
    CHECK(ask(site.httpd, "/elsewhere").starts_with("404 "));
    CHECK(worker.requests().empty());
    CHECK(ask(site.httpd, "/api/x") == "200 worker /api/x");
    CHECK(ask(site.httpd, "/forced/a.txt") == "200 worker /forced/a.txt");
}
