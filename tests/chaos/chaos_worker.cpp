// A worker that writes down which requests it runs: "run ID PID" before it does anything, "post ID PID" too for one
// that must not run twice, "cancelled ID PID" when it is told to stop. The lines outlive it, however it ends. They go to
// the file NAME in the folder ZMQSPDY_CHAOS_LOG, which all processes of that name share: PID tells them apart.
// Usage: chaos_worker NAME [OPTION]... as the other examples.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <zmqspdy/worker.hpp>

using namespace zmqspdy;
using std::chrono::milliseconds;

namespace {

int journal = -1;

void note(const char* what, const std::string& id) {
    static const std::string self = std::to_string(::getpid());
    const std::string line = std::string(what) + " " + id + " " + self + "\n";
    // One write, so that the lines of several threads never mix.
    if (::write(journal, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        std::abort();  // what is not written down cannot be counted
}

std::string started(Request& request) {
    std::string id{request.header("x-request-id").value_or("none")};
    note("run", id);
    return id;
}

Response get(Request& request) {
    const std::string id = started(request);
    (void)request.sleep_for(milliseconds{10});
    return Response::text("got " + id + "\n");
}

Response post(Request& request) {
    const std::string id = started(request);
    note("post", id);
    std::string body{request.text()};
    (void)request.sleep_for(milliseconds{10});
    return Response::text(std::move(body));
}

Response stream(Request& request) {
    const std::string id = started(request);
    const int lines = std::stoi(std::string(request.param("lines")));
    const milliseconds pause{std::stoi(std::string(request.param("ms")))};
    return Response::stream("text/plain", [&request, id, lines, pause](Writer& out) {
        for (int i = 0; i < lines; ++i) {
            if (!out.write(id + " " + std::to_string(i) + "\n") || !request.sleep_for(pause))
                return;
        }
    });
}

Response hang(Request& request) {
    const std::string id = started(request);
    const std::stop_callback gone(request.stop_token(), [&id] { note("cancelled", id); });
    (void)request.sleep_for(std::chrono::minutes{1});
    return Response::text("nobody stopped " + id + "\n");
}

}  // namespace

int main(int argc, char** argv) {
    const Options options = Options::from_args(argc, argv);
    const char* const folder = std::getenv("ZMQSPDY_CHAOS_LOG");
    if (folder == nullptr)
        throw std::runtime_error("ZMQSPDY_CHAOS_LOG must name a folder");
    journal = ::open((std::string(folder) + "/" + options.name).c_str(),
                     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (journal < 0)
        throw std::runtime_error("cannot write into ZMQSPDY_CHAOS_LOG");
    Worker worker{options};
    worker.get("/get", get);
    worker.post("/post", post);
    worker.get("/stream/:lines/:ms", stream);
    worker.get("/hang", hang);
    return worker.run();
}
