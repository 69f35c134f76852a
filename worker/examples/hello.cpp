// The smallest worker: hello NAME [--router ENDPOINT]... [--capacity N] [--relay]
#include <zmqspdy/worker.hpp>

using namespace zmqspdy;

int main(int argc, char** argv) {
    const Options options = Options::from_args(argc, argv);
    Worker worker{options};
    const auto greet = [greeting = "Hello from " + options.name + "\n"](Request&) {
        return Response::text(greeting);
    };
    worker.any("/*path", greet, Run::on_io_thread);
    return worker.run();
}
