#include "worker/process_end.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace zmqspdy::serving {

void end_process_without_destructors() noexcept {
    // The last that is registered is called first.
#ifdef __GLIBC__
    (void)::on_exit(
        [](int status, void*) {
            (void)std::fflush(nullptr);
            ::_exit(status);
        },
        nullptr);
#else
    (void)std::atexit([] {
        (void)std::fflush(nullptr);
        ::_exit(EXIT_SUCCESS);
    });
#endif
}

}  // namespace zmqspdy::serving
