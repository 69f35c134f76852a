#include "spdy/header_compression.hpp"

#define ZLIB_CONST
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

#include "spdy/dictionary.hpp"

namespace zmqspdy::spdy {

namespace {

// 4 KiB of history is several blocks of headers; with memLevel 4 a direction costs about 30 KiB instead of
// 260.
constexpr int kWindowBits = 12;
constexpr int kMemLevel = 4;

constexpr std::size_t kMaxStored = 0xffff;
// zlib header for a 2 KiB window (the dictionary fits), level 0, FDICT, then the DICTID.
constexpr std::array<unsigned char, 6> kStoredPreamble{0x38, 0x30, 0xe3, 0xc6, 0xa7, 0xc2};
static_assert((kStoredPreamble[0] << 8 | kStoredPreamble[1]) % 31 == 0);

// Writes the three bits of a stored, non-final deflate block (and the five that align it), LEN and NLEN.
std::byte* put_stored_header(std::byte* at, std::size_t size) noexcept {
    *at++ = std::byte{0};
    *at++ = static_cast<std::byte>(size);
    *at++ = static_cast<std::byte>(size >> 8);
    *at++ = static_cast<std::byte>(~size);
    *at++ = static_cast<std::byte>(~size >> 8);
    return at;
}
constexpr std::size_t kStoredHeader = 5;

const Bytef* as_zlib(const std::byte* bytes) noexcept {
    return reinterpret_cast<const Bytef*>(bytes);
}
Bytef* as_zlib(std::byte* bytes) noexcept {
    return reinterpret_cast<Bytef*>(bytes);
}

}  // namespace

void DeflateEnd::operator()(z_stream_s* stream) const noexcept {
    deflateEnd(stream);
    std::default_delete<z_stream_s>{}(stream);
}

void InflateEnd::operator()(z_stream_s* stream) const noexcept {
    inflateEnd(stream);
    std::default_delete<z_stream_s>{}(stream);
}

HeaderCompressor::HeaderCompressor(int level) {
    if (level <= 0)
        return;
    auto stream = std::make_unique<z_stream>();
    if (deflateInit2(stream.get(), std::min(level, 9), Z_DEFLATED, kWindowBits, kMemLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc{};  // all arguments are legal
    deflate_.reset(stream.release());
    deflateSetDictionary(deflate_.get(), kDictionary.data(), static_cast<uInt>(kDictionary.size()));
}

void HeaderCompressor::append(Bytes plain, std::vector<std::byte>& out) {
    if (deflate_)
        append_deflated(plain, out);
    else
        append_stored(plain, out);
}

// By hand: what deflate() writes at level 0, without its copy into a window that nothing refers to.
void HeaderCompressor::append_stored(Bytes plain, std::vector<std::byte>& out) {
    const std::size_t blocks = (plain.size() + kMaxStored - 1) / kMaxStored + 1;
    const std::size_t old_size = out.size();
    out.resize(old_size + (first_ ? kStoredPreamble.size() : 0) + blocks * kStoredHeader + plain.size());
    std::byte* at = out.data() + old_size;
    if (first_) {
        at = std::transform(kStoredPreamble.begin(), kStoredPreamble.end(), at,
                            [](unsigned char c) { return std::byte{c}; });
        first_ = false;
    }
    while (!plain.empty()) {
        const std::size_t size = std::min(plain.size(), kMaxStored);
        at = std::copy_n(plain.data(), size, put_stored_header(at, size));
        plain = plain.subspan(size);
    }
    // The empty block of Z_SYNC_FLUSH, which peers may look for at the end.
    put_stored_header(at, 0);
}

void HeaderCompressor::append_deflated(Bytes plain, std::vector<std::byte>& out) {
    std::size_t size = out.size();
    deflate_->next_in = as_zlib(plain.data());
    deflate_->avail_in = static_cast<uInt>(plain.size());
    do {
        const auto room = std::max<std::size_t>(256, plain.size() / 2);
        out.resize(size + room);
        deflate_->next_out = as_zlib(out.data() + size);
        deflate_->avail_out = static_cast<uInt>(room);
        deflate(deflate_.get(), Z_SYNC_FLUSH);  // cannot fail: the stream is sound and there is room
        size += room - deflate_->avail_out;
    } while (deflate_->avail_out == 0);
    out.resize(size);
}

std::string_view to_string(InflateError error) noexcept {
    switch (error) {
        case InflateError::corrupt:
            return "a header block is not valid zlib data";
        case InflateError::no_dictionary:
            return "the header compression does not use the SPDY/3 dictionary";
        case InflateError::wrong_dictionary:
            return "the header compression uses another dictionary than that of SPDY/3";
        case InflateError::cut_short:
            return "a header block does not end with a flush";
        case InflateError::ended:
            return "the header compression was ended";
        case InflateError::too_large:
            return "a header block is too large";
    }
    return "a header block cannot be inflated";
}

void HeaderDecompressor::begin() {
    auto stream = std::make_unique<z_stream>();
    // 0: as large a window as the peer's zlib header asks for.
    if (inflateInit2(stream.get(), 0) != Z_OK)
        throw std::bad_alloc{};
    inflate_.reset(stream.release());
    // The checksum stands at the end of a zlib stream, and ours has no end: do not compute it.
    inflateValidate(inflate_.get(), 0);
    plain_.resize(std::min<std::size_t>(4096, max_plain_ + 1));
}

std::variant<Bytes, InflateError> HeaderDecompressor::inflate(Bytes block) {
    if (!inflate_)
        begin();
    if (block.empty())
        return Bytes{};

    z_stream& stream = *inflate_;
    stream.next_in = as_zlib(block.data());
    stream.avail_in = static_cast<uInt>(block.size());
    std::size_t have = 0;
    bool at_block_end = false;
    do {
        if (have == plain_.size())
            plain_.resize(std::min(2 * have, max_plain_ + 1));
        stream.next_out = as_zlib(plain_.data() + have);
        stream.avail_out = static_cast<uInt>(plain_.size() - have);
        const int result = ::inflate(&stream, Z_SYNC_FLUSH);
        have = plain_.size() - stream.avail_out;
        if (have > max_plain_)
            return InflateError::too_large;
        switch (result) {
            case Z_OK:
            case Z_BUF_ERROR:  // nothing left to do
                break;
            case Z_NEED_DICT:
                if (inflateSetDictionary(&stream, kDictionary.data(),
                                         static_cast<uInt>(kDictionary.size())) != Z_OK)
                    return InflateError::wrong_dictionary;
                has_dictionary_ = true;
                break;
            case Z_STREAM_END:
                return InflateError::ended;
            case Z_MEM_ERROR:
                throw std::bad_alloc{};
            default:
                return InflateError::corrupt;
        }
        // Bit 7: zlib stands right after a deflate block, as it does after each flush, so it holds no more
        // output.
        at_block_end = (stream.data_type & 128) != 0;
    } while (stream.avail_in > 0 || (stream.avail_out == 0 && !at_block_end));

    if (!at_block_end)
        return InflateError::cut_short;
    if (!has_dictionary_)
        return InflateError::no_dictionary;
    return Bytes{plain_.data(), have};
}

}  // namespace zmqspdy::spdy
