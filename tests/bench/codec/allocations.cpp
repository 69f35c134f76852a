#include "allocations.hpp"

#include <sys/resource.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

// Of the thread, so that counting costs no atomic instruction in the code that is being timed.
constinit thread_local std::uint64_t count = 0;

void* counted(std::size_t size) {
    ++count;
    if (void* const memory = std::malloc(size == 0 ? 1 : size))
        return memory;
    throw std::bad_alloc{};
}

void* counted(std::size_t size, std::align_val_t alignment) {
    ++count;
    const auto step = static_cast<std::size_t>(alignment);
    if (void* const memory = std::aligned_alloc(step, (size + step - 1) / step * step))
        return memory;
    throw std::bad_alloc{};
}

}  // namespace

std::uint64_t zmqspdy::bench::allocations() noexcept {
    return count;
}

std::uint64_t zmqspdy::bench::page_faults() noexcept {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_minflt);
}

// The other forms, for arrays and without exceptions, call these.
void* operator new(std::size_t size) {
    return counted(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return counted(size, alignment);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}
