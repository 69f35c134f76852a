#include "transport/accept_guard.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>

#include "transport/file_descriptor.hpp"

namespace zmqspdy::transport {

namespace {

/// More than one: another thread may be quicker to take the descriptor that was given up.
constexpr std::size_t kReserve = 4;
/// When even that failed: the listener is readable still, and must not keep its thread busy.
constexpr int kPauseMs = 5;

class Reserve {
  public:
    /// Takes one connection of `listener` and closes it. False when that did not succeed.
    bool refuse(int listener) noexcept {
        const std::lock_guard lock{mutex_};
        bool refused = false;
        for (auto& spare : spares_) {
            if (!spare)
                continue;
            spare = {};
            const FileDescriptor connection{::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
            refused = static_cast<bool>(connection) || errno == EAGAIN || errno == ECONNABORTED;
            if (refused)
                break;
        }
        fill();
        return refused;
    }

    /// True when there is a descriptor for each, and one more.
    bool replenish() noexcept {
        const std::lock_guard lock{mutex_};
        return fill() && FileDescriptor{open_spare()};
    }

  private:
    static int open_spare() noexcept { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

    bool fill() noexcept {
        for (auto& spare : spares_) {
            if (!spare)
                spare = FileDescriptor{open_spare()};
            if (!spare)
                return false;
        }
        return true;
    }

    std::mutex mutex_;
    std::array<FileDescriptor, kReserve> spares_;
};

std::atomic<std::uint64_t> refused_count{0};

/// Never destroyed: libzmq's thread may outlive what is static.
Reserve& reserve() {
    static auto* const one = new Reserve;
    return *one;
}

bool is_shortage(int error) noexcept {
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/// What libzmq gets in place of accept4().
int accept_or_refuse(int listener, sockaddr* address, socklen_t* length, int flags) noexcept {
    const int accepted = ::accept4(listener, address, length, flags);
    if (accepted >= 0 || !is_shortage(errno))
        return accepted;
    if (reserve().refuse(listener))
        refused_count.fetch_add(1);
    else
        (void)::poll(nullptr, 0, kPauseMs);
    errno = ENFILE;
    return -1;
}

int accept_or_refuse_plain(int listener, sockaddr* address, socklen_t* length) noexcept {
    return accept_or_refuse(listener, address, length, 0);
}

/// The dynamic section of a loaded object.
class LoadedObject {
  public:
    explicit LoadedObject(const dl_phdr_info& info) noexcept : info_{info} {
        for (int i = 0; i < info.dlpi_phnum; ++i) {
            const auto& segment = info.dlpi_phdr[i];
            if (segment.p_type == PT_DYNAMIC)
                dynamic_ = reinterpret_cast<const ElfW(Dyn)*>(info.dlpi_addr + segment.p_vaddr);
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
        return reinterpret_cast<const Type*>(address < info_.dlpi_addr ? address + info_.dlpi_addr : address);
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
        auto* const start = reinterpret_cast<void*>(where & ~(page - 1));
        const bool sealed = is_sealed(where, page);
        if (sealed && ::mprotect(start, page, PROT_READ | PROT_WRITE) != 0)
            return false;
        __atomic_store_n(reinterpret_cast<void**>(where), replacement, __ATOMIC_RELEASE);
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

int redirect_in(dl_phdr_info* info, std::size_t, void* count) noexcept {
    if (info->dlpi_name == nullptr || std::strstr(info->dlpi_name, "libzmq") == nullptr)
        return 0;
    const LoadedObject object{*info};
    *static_cast<int*>(count) += object.replace("accept4", reinterpret_cast<void*>(&accept_or_refuse)) +
                                 object.replace("accept", reinterpret_cast<void*>(&accept_or_refuse_plain));
    return 0;
}

/// libzmq calls us for as long as it is there: what this code is part of must not be unloaded before.
void stay_loaded() noexcept {
    Dl_info own{};
    if (::dladdr(reinterpret_cast<void*>(&accept_or_refuse), &own) != 0 && own.dli_fname != nullptr)
        (void)::dlopen(own.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

std::string limit() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0)
        return "";
    return " of " + std::to_string(files.rlim_cur);
}

}  // namespace

bool guard_accepts() {
    static const bool done = [] {
        int count = 0;
        stay_loaded();
        (void)reserve().replenish();
        ::dl_iterate_phdr(redirect_in, &count);
        return count > 0;
    }();
    return done;
}

std::uint64_t refused_connections() noexcept {
    return refused_count.load();
}

DescriptorNews::DescriptorNews(std::string whose, LogBudget::Write write)
    : whose_{std::move(whose)}, log_{std::move(write)} {}

void DescriptorNews::look() {
    const auto refused = refused_connections();
    if (refused != told_) {
        log_.line("none" + limit() + " descriptors is left: refused " + std::to_string(refused - told_) +
                  " of " + whose_ +
                  "; raise the limit (ulimit -n, LimitNOFILE=), or close files that are no longer needed");
        told_ = refused;
        short_ = true;
    } else if (short_ && reserve().replenish()) {
        short_ = false;
        log_.line("there are descriptors again: accepting " + whose_);
    }
    log_.settle();
}

}  // namespace zmqspdy::transport
