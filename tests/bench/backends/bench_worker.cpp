// The backend behind this module: bench_worker NAME [OPTION]... as the examples. Handlers as anybody would write them;
// the small answer is given on the I/O thread, as handlers that never wait may be.
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <zmqspdy/worker.hpp>

#include "answers.hpp"

using namespace zmqspdy;

namespace {

Response small(Request&) {
    return Response::text(std::string(bench::kSmall));
}

Response chunk(Request&) {
    return Response::bytes("application/octet-stream", std::string(bench::kChunk, bench::kFill));
}

Response stream(Request&) {
    return Response::stream("application/octet-stream",
                            [](Writer& out) {
                                static const std::string block(bench::kChunk, bench::kFill);
                                for (std::size_t i = 0; i < bench::kChunksOfStream; ++i) {
                                    if (!out.write(block))
                                        return;
                                }
                            })
        .header("content-length", std::to_string(bench::kChunk * bench::kChunksOfStream));
}

Response upload(Request& request) {
    std::size_t size = 0;
    for (const std::string_view part : request.body())
        size += part.size();
    return size == bench::kUpload ? small(request) : Response{}.status(400);
}

Response wait(Request& request) {
    (void)request.sleep_for(bench::kWait);
    return small(request);
}

Response idle(Request& request) {
    return Response::stream("application/octet-stream", [&request](Writer& out) {
        if (out.write(std::string_view{&bench::kFill, 1}))
            (void)request.sleep_for(std::chrono::hours{1});
    });
}

}  // namespace

int main(int argc, char** argv) {
    Worker worker{Options::from_args(argc, argv)};
    worker.get("/small", small, Run::on_io_thread);
    worker.get("/64k", chunk, Run::on_io_thread);
    worker.get("/100m", stream);
    worker.post("/upload", upload);
    worker.get("/wait", wait);
    worker.get("/idle", idle);
    return worker.run();
}
