// A worker whose handlers do what handlers had better not: for tests of the process around them.
// Usage: unruly NAME [--router ENDPOINT]...
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <zmqspdy/worker.hpp>

using namespace zmqspdy;

namespace {

// Gone when the destructors of static objects have run: whoever still uses it then crashes.
struct Fragile {
    Fragile() = default;
    Fragile(const Fragile&) = delete;
    Fragile& operator=(const Fragile&) = delete;
    ~Fragile() { value.store(nullptr); }
    std::atomic<const volatile int*> value{new int{1}};  // NOLINT: for as long as the process
};
Fragile fragile;

// Looks at nothing that could tell it to return.
Response deaf(Request&) {
    while (*fragile.value.load() == 1)
        std::this_thread::yield();
    return {};
}

Response endless(Request&) {
    return Response::stream("text/plain", [](Writer& out) {
        while (out.write("more\n"))
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
    });
}

Response slow(Request& request) {
    return Response::text(request.sleep_for(std::chrono::milliseconds{300}) ? "done\n" : "cancelled\n");
}

}  // namespace

int main(int argc, char** argv) {
    Worker worker{Options::from_args(argc, argv)};
    worker.get("/deaf", deaf);
    worker.get("/endless", endless);
    worker.get("/slow", slow);
    worker.get("/pid", [](Request&) { return Response::text(std::to_string(::getpid()) + "\n"); });
    return worker.run();
}
