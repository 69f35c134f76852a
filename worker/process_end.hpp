// The end of a process in which handlers are still running.
#pragma once

namespace zmqspdy::serving {

/// From now on exit(), and with it the end of main(), flushes the C streams and ends the process at once: destructors of
/// static objects and functions registered with atexit() before are left out, since threads that were left to themselves may
/// use what they would take away.
void end_process_without_destructors() noexcept;

}  // namespace zmqspdy::serving
