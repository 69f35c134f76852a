// What a worker has for all of its requests: hooks, error pages, a log, options of its own.
//
//     SHOP_TOKEN=secret build/shop --access-log - --currency EUR
#include <zmqspdy/worker.hpp>

using namespace zmqspdy;

int main(int argc, char** argv) {
    std::string token;
    std::string currency = "GBP";
    OwnOptions own{"SHOP_"};
    own.add("--token", token, "What clients must send as a bearer token (default: nothing)")
        .add("--currency", currency, "What prices are in (default: GBP)");
    Worker worker{Options::from_args(argc, argv, own)};

    worker.before([&](const Request& request) -> std::optional<Response> {
        if (token.empty() || request.header("authorization") == "Bearer " + token)
            return std::nullopt;
        worker.log(LogLevel::warning, "no token from " + std::string(request.client_address()));
        return Response::text("who are you?\n").status(401).header("www-authenticate", "Bearer");
    });
    worker.after(
        [](const Request&, Response& response) { response.header("x-content-type-options", "nosniff"); });
    worker.error_page([](const Request&, const HttpError& error) {
        return Response::html("<h1>" + std::to_string(error.status()) + "</h1>\n");
    });

    auto orders = worker.group("/orders");
    orders.get("/:id", [&](const Request& request) {
        return Response::text(std::to_string(request.number<int>("id")) + " " + currency + "\n");
    });
    orders.get("/:id/history", [](const Request&) {
        return Response::stream("text/plain", [](Writer& out) {
            for (const char* line : {"ordered\n", "paid\n"}) {
                if (!out.write(line))
                    return;
            }
        });
    });
    orders.del("/:id",
               [](const Request&) -> Response { throw std::runtime_error("nothing is ever deleted"); });
    return worker.run();
}
