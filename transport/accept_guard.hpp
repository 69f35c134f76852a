// What becomes of connections while no descriptor is left.
#pragma once

#include <cstdint>

#include "transport/log_budget.hpp"

namespace zmqspdy::transport {

/// libzmq aborts the process when its ipc listener gets EMFILE from accept4(), and its tcp listener asks again at once, for ever.
/// From the first call on libzmq's calls come to a function of ours: out of descriptors, it takes the connection with one that
/// it has kept in reserve, closes it, so that the peer hears of it at once, and tells libzmq that accepting has failed in the way
/// (ENFILE) that both listeners take for what it is.
///
/// libzmq's own table of imported functions is changed for that. A function of the name accept4 in the program would take the place
/// of the C library's for everybody in the process, and for nobody when this is loaded with dlopen(), as httpd's modules and other
/// languages' extensions are. Nor can we watch from outside and close the listener in time: a handler may open a thousand
/// files between two looks.
///
/// Before the first listener is bound; any thread. False when libzmq is not to be found, being linked statically.
bool guard_accepts();

/// How many connections have been refused since the start of the process.
[[nodiscard]] std::uint64_t refused_connections() noexcept;

/// Tells the log when connections are refused for want of descriptors, and when there are some again. One thread.
class DescriptorNews {
  public:
    /// `whose`: whose connections, in the plural.
    DescriptorNews(std::string whose, LogBudget::Write write);

    /// Now and then, and when libzmq has failed to accept.
    void look();

  private:
    std::string whose_;
    LogBudget log_;
    std::uint64_t told_ = refused_connections();
    bool short_ = false;
};

}  // namespace zmqspdy::transport
