#include "transport/call_redirect.hpp"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace zmqspdy::transport {

namespace {

/// The loader tells addresses as numbers.
template <typename Type>
Type* at(ElfW(Addr) address) noexcept {
    return reinterpret_cast<Type*>(address);  // NOLINT(performance-no-int-to-ptr)
}

/// The dynamic section of a loaded object.
class LoadedObject {
  public:
    explicit LoadedObject(const dl_phdr_info& info) noexcept : info_{info} {
        for (int i = 0; i < info.dlpi_phnum; ++i) {
            const auto& segment = info.dlpi_phdr[i];
            if (segment.p_type == PT_DYNAMIC)
                dynamic_ = at<const ElfW(Dyn)>(info.dlpi_addr + segment.p_vaddr);
        }
    }

    /// Where calls of `function` look for it: replaced by `replacement`. Returns how many there were.
    int replace(const char* function, void* replacement) const noexcept {
        if (dynamic_ == nullptr)
            return 0;
        int count = 0;
        if (value(DT_PLTREL) == DT_RELA)
            count += replace<ElfW(Rela)>(DT_JMPREL, DT_PLTRELSZ, function, replacement);
        else
            count += replace<ElfW(Rel)>(DT_JMPREL, DT_PLTRELSZ, function, replacement);
        count += replace<ElfW(Rela)>(DT_RELA, DT_RELASZ, function, replacement);
        count += replace<ElfW(Rel)>(DT_REL, DT_RELSZ, function, replacement);
        return count;
    }

  private:
    [[nodiscard]] ElfW(Addr) value(ElfW(Sxword) tag) const noexcept {
        for (const auto* entry = dynamic_; entry->d_tag != DT_NULL; ++entry) {
            if (entry->d_tag == tag)
                return entry->d_un.d_ptr;
        }
        return 0;
    }
    /// Some loaders leave addresses as they are in the file.
    template <typename Type>
    [[nodiscard]] const Type* table(ElfW(Sxword) tag) const noexcept {
        const auto address = value(tag);
        if (address == 0)
            return nullptr;
        return at<const Type>(address < info_.dlpi_addr ? address + info_.dlpi_addr : address);
    }
    static constexpr std::size_t symbol_of(std::uint64_t info) noexcept {
        return static_cast<std::size_t>(sizeof(void*) == 8 ? info >> 32U : info >> 8U);
    }

    template <typename Entry>
    int replace(ElfW(Sxword) tag, ElfW(Sxword) size_tag, const char* function,
                void* replacement) const noexcept {
        const auto* const entries = table<Entry>(tag);
        const auto* const symbols = table<ElfW(Sym)>(DT_SYMTAB);
        const char* const names = table<char>(DT_STRTAB);
        if (entries == nullptr || symbols == nullptr || names == nullptr)
            return 0;
        int count = 0;
        for (std::size_t i = 0; i < value(size_tag) / sizeof(Entry); ++i) {
            const auto symbol = symbol_of(entries[i].r_info);
            if (symbol != 0 && std::strcmp(names + symbols[symbol].st_name, function) == 0)
                count += write(info_.dlpi_addr + entries[i].r_offset, replacement) ? 1 : 0;
        }
        return count;
    }

    /// Most objects' tables become read-only once they are filled in.
    [[nodiscard]] bool write(ElfW(Addr) where, void* replacement) const noexcept {
        const auto page = static_cast<ElfW(Addr)>(::sysconf(_SC_PAGESIZE));
        auto* const start = at<void>(where & ~(page - 1));
        const bool sealed = is_sealed(where, page);
        if (sealed && ::mprotect(start, page, PROT_READ | PROT_WRITE) != 0)
            return false;
        __atomic_store_n(at<void*>(where), replacement, __ATOMIC_RELEASE);
        if (sealed)
            (void)::mprotect(start, page, PROT_READ);
        return true;
    }
    /// A page that only begins with what is to be sealed is not.
    [[nodiscard]] bool is_sealed(ElfW(Addr) where, ElfW(Addr) page) const noexcept {
        for (int i = 0; i < info_.dlpi_phnum; ++i) {
            const auto& segment = info_.dlpi_phdr[i];
            const auto begin = info_.dlpi_addr + segment.p_vaddr;
            if (segment.p_type == PT_GNU_RELRO && where >= begin &&
                where < ((begin + segment.p_memsz) & ~(page - 1)))
                return true;
        }
        return false;
    }

    const dl_phdr_info& info_;
    const ElfW(Dyn) * dynamic_ = nullptr;
};

struct Redirection {
    const char* library;
    const char* function;
    void* replacement;
    int count = 0;
};

int redirect_in(dl_phdr_info* info, std::size_t, void* data) noexcept {
    auto& wanted = *static_cast<Redirection*>(data);
    if (info->dlpi_name != nullptr && std::strstr(info->dlpi_name, wanted.library) != nullptr)
        wanted.count += LoadedObject{*info}.replace(wanted.function, wanted.replacement);
    return 0;
}

}  // namespace

int redirect_calls(const char* library, const char* function, void* replacement) noexcept {
    Redirection wanted{library, function, replacement};
    ::dl_iterate_phdr(redirect_in, &wanted);
    return wanted.count;
}

}  // namespace zmqspdy::transport
