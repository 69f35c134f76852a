// The base of a Catch2 listener, whichever of Catch2's versions is there. Instead of "catch.hpp", and before whatever else
// includes that: Catch2 2 hides the interfaces of its listeners otherwise.
#pragma once

#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "catch.hpp"

namespace harness {

#if defined(CATCH_VERSION_MAJOR) && CATCH_VERSION_MAJOR >= 3
using ListenerBase = Catch::EventListenerBase;
#else
using ListenerBase = Catch::TestEventListenerBase;
#endif

}  // namespace harness
