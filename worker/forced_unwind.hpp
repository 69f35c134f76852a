// What pthread_exit() and pthread_cancel() throw.
#pragma once

#include <cxxabi.h>

namespace zmqspdy::serving {

#ifdef __GLIBCXX__
/// Nobody may keep it: whoever catches everything catches this before, and throws it on. Otherwise the process is aborted.
using ForcedUnwind = abi::__forced_unwind;
#else
/// Other libraries do not show it.
struct ForcedUnwind {};
#endif

}  // namespace zmqspdy::serving
