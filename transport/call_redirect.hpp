// Where one library's calls of a function lead.
#pragma once

namespace zmqspdy::transport {

/// Every shared library loaded so far whose file name contains `library` calls `replacement` instead of the C function `function`;
/// nobody else does. `replacement` has the same signature, throws nothing, and stays loaded for as long as they do. Returns how
/// many entries of their tables of imported functions were changed, 0 when they do not import it.
int redirect_calls(const char* library, const char* function, void* replacement) noexcept;

}  // namespace zmqspdy::transport
