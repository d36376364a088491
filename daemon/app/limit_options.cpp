// SPDX-License-Identifier: MIT
#include "app/limit_options.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "app/option_checks.h"
#include "text/format_number.h"

namespace rta::app {
namespace {

using std::chrono::milliseconds;

constexpr const char* kGroup = "Limits for clients";
constexpr std::uint32_t kMostClients = 65'536;
constexpr double kLongestS = 86'400.0;
/// A shorter time would disconnect clients whenever the machine is busy.
constexpr double kShortestS = 0.1;

struct Count {
    const char* flag;
    const char* name;
    std::size_t net::ServerLimits::* value;
    const char* help;
};
constexpr Count kCounts[] = {
    {"--max-clients", "number of clients", &net::ServerLimits::clients,
     "Clients in total; the last places are reserved for the Unix socket and for loopback"},
    {"--max-clients-per-address", "number of clients", &net::ServerLimits::clients_per_address,
     "Clients of one IPv4 address or IPv6 /64; of the loopback interface together"},
    {"--max-clients-per-user", "number of clients", &net::ServerLimits::clients_per_user,
     "Clients of one user on the Unix socket"},
};

struct Time {
    const char* flag;
    milliseconds net::ServerLimits::* value;
    bool may_be_off;  ///< 0 switches the limit off
    const char* help;
};
constexpr Time kTimes[] = {
    {"--hello-timeout", &net::ServerLimits::hello_time, false, "Time in which a client must send Hello"},
    {"--idle-timeout", &net::ServerLimits::idle_time, true,
     "Time after which a client that sends nothing and has not subscribed is disconnected; 0: never"},
    {"--write-timeout", &net::ServerLimits::write_time, false,
     "Time after which a client that reads nothing of its output is disconnected"},
};

void add(CLI::App& app, net::ServerLimits& limits, const Count& count) {
    std::size_t& value = limits.*count.value;
    app.add_option(count.flag, value, count.help)
        ->type_name("N")
        ->check(in_range(count.name, 1, kMostClients))
        ->default_str(std::to_string(value))
        ->group(kGroup);
}

void add(CLI::App& app, net::ServerLimits& limits, const Time& time) {
    milliseconds& value = limits.*time.value;
    const auto set = [&value](double seconds) {
        value = std::chrono::round<milliseconds>(std::chrono::duration<double>{seconds});
    };
    add_time(app, time.flag, set, {.lowest_s = kShortestS, .highest_s = kLongestS, .or_zero = time.may_be_off},
             time.help)
        ->default_str(format_number(std::chrono::duration<double>{value}.count()))
        ->group(kGroup);
}

}  // namespace

void define_limits(CLI::App& app, net::ServerLimits& limits) {
    for (const Count& count : kCounts) add(app, limits, count);
    for (const Time& time : kTimes) add(app, limits, time);
}

}  // namespace rta::app
