#include "harness/client.hpp"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "harness/transfer.hpp"

namespace harness {

namespace {

constexpr std::string_view kChunked = "Transfer-Encoding: chunked";

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string_view trim(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) {
        text.remove_prefix(1);
    }
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) {
        text.remove_suffix(1);
    }
    return text;
}

}  // namespace

std::optional<std::string> Reply::header(std::string_view name) const {
    for (const auto& [have, value] : headers) {
        if (have == name) {
            return value;
        }
    }
    return std::nullopt;
}

std::string Reply::summary() const {
    return (problem.empty() ? "" : problem + ", ") + "status " + std::to_string(status) + ", " +
           std::to_string(body.size()) + " bytes: " + body.substr(0, 200);
}

Transfer::Transfer() {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    handle_ = ready == CURLE_OK ? curl_easy_init() : nullptr;
    if (handle_ == nullptr) {
        throw std::runtime_error{"curl_easy_init"};
    }
}

Transfer::~Transfer() {
    curl_easy_cleanup(handle_);
    curl_slist_free_all(list_);
}

void Transfer::prepare(std::uint16_t port, Call call) {
    call_ = std::move(call);
    reply_ = {};
    error_[0] = '\0';
    curl_easy_reset(handle_);
    curl_slist_free_all(std::exchange(list_, nullptr));
    list_ = curl_slist_append(nullptr, "Expect:");
    for (const std::string& header : call_.headers) {
        list_ = curl_slist_append(list_, header.c_str());
    }
    const std::string url = "http://127.0.0.1:" + std::to_string(port) + call_.path;
    curl_easy_setopt(handle_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle_, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(handle_, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle_, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    curl_easy_setopt(handle_, CURLOPT_TIMEOUT_MS, static_cast<long>(patience(call_.limit).count()));
    curl_easy_setopt(handle_, CURLOPT_BUFFERSIZE, 262144L);
    curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, list_);
    curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, error_.data());
    curl_easy_setopt(handle_, CURLOPT_PRIVATE, this);
    curl_easy_setopt(handle_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    curl_easy_setopt(handle_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    curl_easy_setopt(handle_, CURLOPT_WRITEDATA, this);
    prepare_body();
}

void Transfer::prepare_body() {
    if (call_.source) {
        unsent_ = call_.source_size;
        const bool chunked =
            std::find(call_.headers.begin(), call_.headers.end(), kChunked) != call_.headers.end();
        curl_easy_setopt(handle_, CURLOPT_POST, 1L);
        curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE,
                         chunked ? curl_off_t{-1} : static_cast<curl_off_t>(unsent_));
        curl_easy_setopt(handle_, CURLOPT_READFUNCTION, &Transfer::on_read);
        curl_easy_setopt(handle_, CURLOPT_READDATA, this);
        curl_easy_setopt(handle_, CURLOPT_UPLOAD_BUFFERSIZE, 262144L);
    } else if (call_.body) {
        curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body->size()));
        curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, call_.body->data());
    }
    if (call_.method == "HEAD") {
        curl_easy_setopt(handle_, CURLOPT_NOBODY, 1L);
    } else {
        curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, call_.method.c_str());
    }
}

Reply Transfer::finish(CURLcode result) {
    if (result != CURLE_OK) {
        reply_.problem = std::string{curl_easy_strerror(result)} + ": " + error_.data();
    }
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &reply_.status);
    return std::move(reply_);
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    const std::string_view line{data, size * count};
    if (line.starts_with("HTTP/")) {  // the final response's headers are those behind the last status line
        static_cast<Transfer*>(self)->reply_.headers.clear();
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
        static_cast<Transfer*>(self)->reply_.headers.emplace_back(lower(std::string{line.substr(0, colon)}),
                                                                  trim(line.substr(colon + 1)));
    }
    return line.size();
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view bytes{data, size * count};
    if (transfer.call_.sink) {
        transfer.call_.sink(bytes);
    } else {
        transfer.reply_.body += bytes;
    }
    return bytes.size();
}

std::size_t Transfer::on_read(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::size_t give = std::min<std::uint64_t>(size * count, transfer.unsent_);
    transfer.call_.source(data, give);
    transfer.unsent_ -= give;
    return give;
}

class Client::Impl {
  public:
    explicit Impl(std::uint16_t port) : port_{port} {}
    Reply send(const Call& call) {
        transfer_.prepare(port_, call);
        return transfer_.finish(curl_easy_perform(transfer_.handle()));
    }

  private:
    std::uint16_t port_;
    Transfer transfer_;
};

Client::Client(std::uint16_t port) : impl_{std::make_unique<Impl>(port)} {}
Client::~Client() = default;

Reply Client::send(const Call& call) {
    return impl_->send(call);
}

Reply Client::get(const std::string& path) {
    Call call;
    call.path = path;
    return send(call);
}

Reply Client::post(const std::string& path, std::string body) {
    Call call;
    call.method = "POST";
    call.path = path;
    call.body = std::move(body);
    return send(call);
}

Reply get_once(std::uint16_t port, const std::string& path) {
    return Client{port}.get(path);
}

std::string line_of(const Reply& reply) {
    if (!reply.ok() || !reply.body.ends_with('\n')) {
        return reply.summary();
    }
    return reply.body.substr(0, reply.body.size() - 1);
}

}  // namespace harness
