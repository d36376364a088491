// SPDX-License-Identifier: MIT
#include "app/limits.h"

#include <array>
#include <chrono>
#include <string>
#include <type_traits>
#include <vector>

#include "api/client.h"
#include "api/control_time.h"
#include "api/events/outbox.h"
#include "api/list_limits.h"
#include "api/requests/transaction.h"
#include "api/schedule.h"
#include "api/session_tokens.h"
#include "engine/draft.h"
#include "engine/plan_exchange.h"
#include "frame/frame_codec.h"
#include "net/refusals.h"
#include "net/web/http_request.h"
#include "net/web/page_files.h"
#include "store/token_list.h"
#include "text/format_number.h"

namespace rta::app {
namespace {

using api::ClientLimits;
using api::OutboxLimits;
using api::SceneLimits;
using net::ServerLimits;
using net::TlsLimits;

constexpr std::uint64_t kKiB = std::uint64_t{1} << 10U;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;
constexpr std::uint64_t kMillisecond = 1'000;
constexpr std::uint64_t kSecond = 1'000'000;
constexpr std::uint64_t kDay = 86'400 * kSecond;
constexpr std::uint64_t kMostClients = 65'536;
/// A shorter time would disconnect clients whenever the machine is busy.
constexpr std::uint64_t kShortest = 100 * kMillisecond;

/// The member of the member ... of `object`.
template <auto First, auto... Rest>
constexpr auto& member(auto& object) {
    if constexpr (sizeof...(Rest) == 0) {
        return object.*First;
    } else {
        return member<Rest...>(object.*First);
    }
}

template <class T>
concept Time = requires { typename T::period; };

template <auto... Path>
std::uint64_t get(const Limits& limits) {
    const auto& value = member<Path...>(limits);
    if constexpr (Time<std::remove_cvref_t<decltype(value)>>) {
        return static_cast<std::uint64_t>(std::chrono::microseconds{value}.count());
    } else {
        return value;
    }
}

template <auto... Path>
void set(Limits& limits, std::uint64_t number) {
    auto& value = member<Path...>(limits);
    using Value = std::remove_cvref_t<decltype(value)>;
    if constexpr (Time<Value>) {
        value = std::chrono::duration_cast<Value>(std::chrono::microseconds{number});
    } else {
        value = static_cast<Value>(number);
    }
}

struct Range {
    std::uint64_t lowest;
    std::uint64_t highest;
    std::string_view zero = {};  ///< what 0 means; empty: not accepted unless it is the lowest
};

template <auto... Path>
constexpr Limit limit(std::string_view key, std::string_view group, LimitUnit unit, Range range, std::string_view help,
                      std::string_view beyond) {
    return {key,        group, unit,   range.lowest,  range.highest, !range.zero.empty(),
            range.zero, help,  beyond, &get<Path...>, &set<Path...>};
}

constexpr std::string_view kClients = "Clients";
constexpr std::string_view kRequests = "Requests";
constexpr std::string_view kOutput = "Subscriptions and output";
constexpr std::string_view kGraph = "Graph";
constexpr std::string_view kScenes = "Scenes";

constexpr auto kCount = LimitUnit::count;
constexpr auto kBytes = LimitUnit::bytes;
constexpr auto kTime = LimitUnit::time;

constexpr std::array kTable{
    limit<&Limits::clients, &ServerLimits::clients>(
        "max-clients", kClients, kCount, {1, kMostClients},
        "Clients in total; the last places are reserved for the Unix socket and for loopback",
        "a further client is rejected with `RESOURCE_EXHAUSTED` before any memory is reserved for it; on a TLS address, "
        "its connection is closed before the handshake"),
    limit<&Limits::clients, &ServerLimits::clients_per_address>(
        "max-clients-per-address", kClients, kCount, {1, kMostClients},
        "Clients of one IPv4 address or IPv6 /64; of the loopback interface together",
        "the same, for one IPv4 address or one IPv6 /64. All loopback addresses count as one"),
    limit<&Limits::clients, &ServerLimits::clients_per_user>(
        "max-clients-per-user", kClients, kCount, {1, kMostClients}, "Clients of one user on the Unix socket",
        "the same, for one user of the Unix socket"),
    limit<&Limits::clients, &ServerLimits::hello_time>(
        "hello-timeout", kClients, kTime, {kShortest, kDay},
        "Time in which a client must send Hello, and a browser the head of a request",
        "a client that has sent no `hello` is disconnected without a response; an HTTP connection without a request is closed"),
    limit<&Limits::clients, &ServerLimits::idle_time>(
        "idle-timeout", kClients, kTime, {kShortest, kDay, "never"},
        "Time after which a client that sends nothing and has not subscribed is disconnected; 0: never",
        "a client that sends nothing, awaits nothing and has never subscribed is disconnected with "
        "`DEADLINE_EXCEEDED`"),
    limit<&Limits::clients, &ServerLimits::displaceable_time>(
        "make-room-after", kClients, kTime, {kShortest, kDay},
        "Time after which such a client makes room for a new one, when a limit of clients is reached",
        "the same client is disconnected with `RESOURCE_EXHAUSTED` when another one needs its place"),
    limit<&Limits::clients, &ServerLimits::write_time>(
        "write-timeout", kClients, kTime, {kShortest, kDay},
        "Time after which a client that reads nothing of its output is disconnected",
        "a client that takes no byte of its responses and events is disconnected"),
    limit<&Limits::tls, &TlsLimits::handshakes>(
        "max-handshakes", kClients, kCount, {1, 4'096}, "TLS handshakes at the same time",
        "further handshakes wait for their turn, in the order of their first bytes"),
    limit<&Limits::tls, &TlsLimits::handshake_time>("handshake-timeout", kClients, kTime, {kShortest, kDay},
                                                    "Time in which a TLS client must complete its handshake",
                                                    "the connection is closed"),

    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::message_bytes>(
        "max-message-size", kRequests, kBytes, {64 * kKiB, kMaximumFrameBytes},
        "Size of a request. Clients accept at most 4MiB, hence the range",
        "the client receives `INVALID_ARGUMENT`, and is disconnected"),
    limit<&Limits::clients, &ServerLimits::large_messages>(
        "max-large-messages", kRequests, kCount, {1, 256},
        "Clients that send a message of 64KiB or more at the same time", "the messages of the others are read later"),
    limit<&Limits::clients, &ServerLimits::large_message_time>(
        "large-message-timeout", kRequests, kTime, {kShortest, kDay},
        "Time in which a message of 64KiB or more must arrive while other clients wait to send theirs",
        "the client is disconnected with `DEADLINE_EXCEEDED`"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::pending_requests>(
        "max-pending-requests", kRequests, kCount, {1, 16'384}, "Requests of one client that have not been answered",
        "the daemon reads no more of the client until it has answered some"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::pending_bytes>(
        "max-pending-memory", kRequests, kBytes, {64 * kKiB, kGiB},
        "Memory of the requests of one client that have not been answered", "the same"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::pending_bytes_of_all>(
        "max-pending-memory-total", kRequests, kBytes, {kMiB, 64 * kGiB},
        "Memory of the requests of all clients that have not been answered",
        "the same, for every client that has 64 KiB of them"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::slice>(
        "control-slice", kRequests, kTime, {50, 5 * kMillisecond},
        "Time of the control thread that clients use together before it does something else, and of one client's turn",
        "the client waits for its next turn. A step of a request is not interrupted. Shorter slices serve light clients "
        "earlier, longer ones waste less time"),

    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::subscriptions>(
        "max-subscriptions", kOutput, kCount, {0, kMostClients}, "Clients that have subscribed to events",
        "a `subscribe` of a further client is answered with `RESOURCE_EXHAUSTED`"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::telemetry_rates>(
        "max-telemetry-rates", kOutput, kCount, {1, 32},
        "Different rates of telemetry at the same time, and of watched ports",
        "a client that asks for a further rate gets the nearest of them"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::watched_ports>(
        "max-watched-ports", kOutput, kCount, {1, 4096}, "Ports that all clients watch together",
        "a `subscribe` that would exceed it is rejected with `RESOURCE_EXHAUSTED`"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::watched_channels>(
        "max-watched-channels", kOutput, kCount, {1, 16'384}, "Channels of these ports",
        "the same; a port that gets more channels later is not measured while they do not fit"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::watches>(
        "max-watches", kOutput, kCount, {1, 1'048'576},
        "Ports that the clients watch, counted for each client that watches one", "the same"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::output, &OutboxLimits::response_bytes>(
        "max-unread-responses", kOutput, kBytes, {64 * kKiB, 64 * kMiB},
        "Output that a client leaves unread before the daemon stops answering it",
        "the daemon executes no more requests of the client until it reads"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::output, &OutboxLimits::event_bytes>(
        "max-unread-events", kOutput, kBytes, {64 * kKiB, kGiB}, "Events about changes that a client leaves unread",
        "the client is disconnected: changes are never dropped. A single event is always sent. All clients share the "
        "memory of an event"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::output, &OutboxLimits::telemetry_bytes>(
        "max-unread-telemetry", kOutput, kBytes, {64 * kKiB, 64 * kMiB}, "Telemetry that a client leaves unread",
        "the oldest events are dropped, and counted"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::kept_bytes>(
        "max-kept-events", kOutput, kBytes, {0, kGiB},
        "Latest events about changes, at most 10,000, that the daemon keeps for clients that reconnect",
        "a client that has missed more must read the graph again"),

    limit<&Limits::graph, &GraphLimits::nodes>("max-nodes", kGraph, kCount, {1, GraphLimits::kMostElements},
                                               "Nodes of the graph", "the edit is rejected with `RESOURCE_EXHAUSTED`"),
    limit<&Limits::graph, &GraphLimits::connections>("max-connections", kGraph, kCount, {0, GraphLimits::kMostElements},
                                                     "Connections of the graph", "the same"),
    limit<&Limits::graph, &GraphLimits::memory_bytes>(
        "max-graph-memory", kGraph, kBytes, {kMiB, 1'024 * kGiB, "no limit of its own"},
        "Memory of the nodes of the graph, as estimated before they are built; 0: what the machine has left",
        "the same. In any case, an edit is rejected if its nodes need more than what the machine, or `MemoryMax` of the "
        "unit, has left, less 32 MiB"),
    limit<&Limits::graph, &GraphLimits::delay_bytes>(
        "max-delay-memory", kGraph, kBytes, {kMiB, GraphLimits::kMostDelayBytes},
        "Memory of the delays that compensate latencies",
        "the edit is rejected with `FAILED_PRECONDITION`. The delays are allocated on the control thread, which bounds the range"),
    limit<&Limits::graph, &GraphLimits::document_bytes>(
        "max-document-size", kGraph, kBytes, {64 * kKiB, kLongestDocument},
        "Length of the document of the graph, as it is saved, with the longest value of every parameter",
        "the edit is rejected with `RESOURCE_EXHAUSTED`. A longer document could not be read again, which bounds the range"),
    limit<&Limits::kept_bytes>(
        "max-kept-memory", kGraph, kBytes, {0, 64 * kGiB},
        "Memory of removed delay lines and reverbs, which are kept for 60s so that an undo brings back their tails",
        "the oldest are freed. After an undo, their nodes start without a tail, and are named"),

    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::scenes, &SceneLimits::scenes>(
        "max-scenes", kScenes, kCount, {0, 4'096}, "Scenes that are saved",
        "a further scene is rejected with `RESOURCE_EXHAUSTED`"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::scenes, &SceneLimits::bytes>(
        "max-scene-memory", kScenes, kBytes, {64 * kKiB, kGiB}, "Size of all scenes, in memory and on the disk",
        "the same"),
    limit<&Limits::clients, &ServerLimits::requests, &ClientLimits::scenes, &SceneLimits::prepared_bytes>(
        "max-prepared-memory", kScenes, kBytes, {kMiB, 64 * kGiB, "no scene is kept prepared"},
        "Memory of scenes that are kept prepared, with processors for their nodes, as estimated before they are built; "
        "those used last are",
        "the recall of a scene that does not fit takes longer: its processors are built first"),
};

std::string count(std::uint64_t value) { return std::to_string(value); }
std::string size(std::uint64_t bytes) { return limit_text(kBytes, bytes); }

std::string range_text(const Limit& row) {
    return (row.or_zero ? "`0`, " : "") + limit_text(row.unit, row.lowest) + " to " + limit_text(row.unit, row.highest);
}

}  // namespace

std::span<const Limit> limit_table() { return kTable; }

std::span<const FixedLimit> fixed_limit_table() {
    static const std::vector<FixedLimit> table{
        {"size of the first message", size(api::Client::kMaximumHelloBytes),
         "a `hello` with the longest name and token is shorter; a client that has not been admitted gets no more memory"},
        {"size of a response or an event", size(kMaximumFrameBytes), "the protocol: clients accept no longer message"},
        {"elements of one list of a request; of all its lists",
         count(api::kMaximumItems) + "; " + count(api::kMaximumElements),
         "they bound the memory of a parsed request, which is known only after it has been parsed"},
        {"memory of pending requests that each client has in any case", size(api::Client::kPendingBytesOfEach),
         "without it, some clients could stop all others; `max-clients` bounds the sum"},
        {"executed requests of a client that are not answered", count(api::Client::kMaximumWaits),
         "they bound how long a client can delay the transactions of others, whose queue to the audio thread has a fixed "
         "length"},
        {"requests that workers prepare ahead", "8 of each client; 1 large one of all",
         "the workers are shared: a longer queue serves no one earlier. It bounds their queues by `max-clients`"},
        {"large transactions: time of their edits", limit_text(kTime, static_cast<std::uint64_t>(kMaximumEditS * 1e6)),
         "one worker applies those of all clients, which wait for it"},
        {"builds of a transaction whose nodes other clients keep changing", count(api::requests::kMaximumBuilds),
         "a transaction that never gets its turn must end"},
        {"head of an HTTP request, and its fields",
         size(net::HttpReader::kLongestHead) + "; " + count(net::HttpReader::kMostFields),
         "browsers send less; requests have no body"},
        {"HTTP requests, and parts of 64KiB of responses, of all browsers in a second",
         "2000; 1/8 of the time of the control thread", "all clients share it"},
        {"frames of a WebSocket that carry no message", "256, and 10 more in each second without a message",
         "browsers send none; they take time of the control thread"},
        {"files of the page of `--web`, and their size",
         count(net::PageFiles::kMostFiles) + "; " + size(net::PageFiles::kMostBytes), "they are kept in memory"},
        {"telemetry events that a client leaves unread", count(api::Outbox::kTelemetryEvents),
         "older telemetry is of no use"},
        {"rejected clients that may read the reason", count(net::Refusals::kMost) + ", for 1s each",
         "they are beyond the limits of clients; it bounds what those can take"},
        {"access tokens", count(store::TokenList::kMaximumTokens), "every attempt compares a hash with each"},
        {"one-time codes that are valid; of one author",
         count(api::SessionTokens::kMaximumCodes) + "; " + count(api::SessionTokens::kMaximumCodesOfAuthor),
         "the same"},
        {"sessions that began with a code; of one author",
         count(api::SessionTokens::kMaximumSessions) + "; " + count(api::SessionTokens::kMaximumSessionsOfAuthor),
         "the same; the oldest one that has no client and has invited no other makes room for another of its author"},
        {"edits that wait for their time; of one author",
         count(api::Schedule::kMaximumEdits) + ", " + size(api::Schedule::kMaximumBytes) + "; " +
             count(api::Schedule::kMaximumEditsOfAuthor) + ", " + size(api::Schedule::kMaximumBytesOfAuthor),
         "they stay for up to a day after their clients have left; the limits of clients do not bound them"},
        {"edits that wait for their confirmation", count(1),
         "each holds a copy of the graph, and others cannot change the graph in the meantime"},
        {"plans; commands to the audio thread",
         count(PlanExchange::kMaximumPlans) + "; " + count(PlanExchange::kMaximumCommands),
         "the queues of the audio thread have fixed lengths, so that it never allocates"},
    };
    return table;
}

std::string limit_text(LimitUnit unit, std::uint64_t value) {
    if (value == 0 || unit == LimitUnit::count) return std::to_string(value);
    if (unit == LimitUnit::bytes) {
        if (value % kGiB == 0) return std::to_string(value / kGiB) + "GiB";
        if (value % kMiB == 0) return std::to_string(value / kMiB) + "MiB";
        if (value % kKiB == 0) return std::to_string(value / kKiB) + "KiB";
        return std::to_string(value);
    }
    if (value >= kSecond) return format_number(static_cast<double>(value) * 1e-6) + "s";
    if (value >= kMillisecond) return format_number(static_cast<double>(value) * 1e-3) + "ms";
    return std::to_string(value) + "us";
}

std::string limits_as_markdown() {
    std::string text;
    const Limits defaults;
    std::string_view group;
    for (const Limit& row : limit_table()) {
        if (row.group != group) {
            group = row.group;
            text += "\n**" + std::string{group} + "**\n\n| key | default | range | at the limit |\n|---|---|---|---|\n";
        }
        text += "| `" + std::string{row.key} + "` | `" + limit_text(row.unit, row.get(defaults)) + "`" +
                (row.or_zero && row.get(defaults) == 0 ? ": " + std::string{row.zero} : "") + " | " + range_text(row) +
                " | " + std::string{row.beyond} + " |\n";
    }
    text += "\n**Fixed limits**\n\n| what | limit | why it is fixed |\n|---|---|---|\n";
    for (const FixedLimit& row : fixed_limit_table()) {
        text += "| " + std::string{row.what} + " | " + row.value + " | " + std::string{row.why} + " |\n";
    }
    return text;
}

}  // namespace rta::app
