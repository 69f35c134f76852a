#include "worker/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace zmqspdy::serving {

void open_standard_streams() noexcept {
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
        if (::fcntl(stream, F_GETFD) >= 0 || errno != EBADF)
            continue;
        // The lowest number that is free: this one, unless another thread is faster.
        const int null = ::open("/dev/null", O_RDWR);  // NOLINT: programs that handlers start get it, too
        if (null > STDERR_FILENO)
            ::close(null);
    }
}

}  // namespace zmqspdy::serving
