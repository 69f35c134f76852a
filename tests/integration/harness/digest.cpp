#include "harness/digest.hpp"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

namespace harness {

struct Sha256::Context {
    EVP_MD_CTX* md = EVP_MD_CTX_new();
    Context() = default;
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    ~Context() { EVP_MD_CTX_free(md); }
};

Sha256::Sha256() : context_{std::make_unique<Context>()} {
    if (EVP_DigestInit_ex(context_->md, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error{"no SHA-256 in OpenSSL"};
    }
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) {
    EVP_DigestUpdate(context_->md, bytes.data(), bytes.size());
}

std::string Sha256::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    EVP_DigestFinal_ex(context_->md, digest.data(), &size);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += digits[digest[i] >> 4U];
        text += digits[digest[i] & 15U];
    }
    return text;
}

void PatternSource::fill(char* out, std::size_t size) noexcept {
    for (std::size_t i = 0; i < size; ++i) {
        if (have_ == 0) {  // splitmix64
            state_ += 0x9e3779b97f4a7c15U;
            word_ = (state_ ^ (state_ >> 30U)) * 0xbf58476d1ce4e5b9U;
            word_ = (word_ ^ (word_ >> 27U)) * 0x94d049bb133111ebU;
            word_ ^= word_ >> 31U;
            have_ = 8;
        }
        out[i] = static_cast<char>(word_ & 0xffU);
        word_ >>= 8U;
        --have_;
    }
}

std::string PatternSource::take(std::size_t size) {
    std::string bytes(size, '\0');
    fill(bytes.data(), size);
    return bytes;
}

}  // namespace harness
