// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <ostream>
#include <ranges>

#include "rtactl/context/error_report.h"
#include "rtactl/context/live_view.h"
#include "rtactl/drawing/event_text.h"
#include "text/quoting.h"
#include "text/suggestion.h"

namespace rta::rtactl::commands {

namespace {

/// Names of the topics, and the topics in the same order.
constexpr std::array<std::string_view, 5> kTopicNames{"changes", "levels", "load", "xruns", "node_loads"};
constexpr std::array kTopics{v1::TOPIC_CHANGES, v1::TOPIC_LEVELS, v1::TOPIC_LOAD, v1::TOPIC_XRUNS,
                             v1::TOPIC_NODE_LOADS};
static_assert(kTopicNames.size() == kTopics.size());

/// Words that are not topics are ports.
Result<v1::Subscribe> subscription(const Arguments& arguments) {
    v1::Subscribe subscribe;
    for (const std::string& word : arguments.words) {
        const auto* found = std::ranges::find(kTopicNames, word);
        if (found != kTopicNames.end()) {
            subscribe.add_topics(kTopics[static_cast<std::size_t>(found - kTopicNames.begin())]);
            continue;
        }
        subscribe.add_watches()->set_port(word);
        subscribe.mutable_watches()->rbegin()->set_spectrum(arguments.has("--spectrum"));
    }
    if (arguments.has("--spectrum") && subscribe.watches().empty())
        return usage_error("--spectrum needs a port: expected NODE or NODE:PORT");
    if (arguments.words.empty()) subscribe.add_topics(v1::TOPIC_CHANGES);
    if (const auto nodes = arguments.value("--nodes")) {
        for (const auto node : std::views::split(*nodes, ',')) subscribe.add_nodes(std::string{std::string_view{node}});
    }
    if (arguments.has("--rate")) {
        const auto rate = parse_rate(arguments, 1, 100, 10);
        if (!rate) return std::unexpected(rate.error());
        subscribe.set_telemetry_rate_hz(*rate);
    }
    return subscribe;
}

/// Rejects words that are neither topics nor ports of nodes: nothing would be shown for them.
Result<void> check_ports(LiveView& view, const v1::Subscribe& wanted) {
    for (const v1::PortWatch& watch : wanted.watches()) {
        const std::string node = watch.port().substr(0, watch.port().find(':'));
        const auto found = view.call(get_graph_request(v1::GRAPH_CONTENT_MESSAGE, {node}));
        if (!found && found.error().exit != Exit::refused) return std::unexpected(found.error());
        const auto has_name = [&](const v1::Node& other) { return other.name() == node; };
        if (found && std::ranges::any_of(found->get_graph().graph().nodes(), has_name)) continue;
        if (std::ranges::find(kTopicNames, node) != kTopicNames.end()) {
            return not_found("invalid port " + quoted(watch.port()) + ": the graph does not contain a node " +
                             quoted(node) + "; for the topic, write " + node);
        }
        return not_found(unknown_name("topic or node", node, kTopicNames));
    }
    return {};
}

bool subscribes_to_changes(const v1::Subscribe& subscribe) {
    return std::ranges::find(subscribe.topics(), v1::TOPIC_CHANGES) != subscribe.topics().end();
}

/// Prints events across connections.
class Watch {
 public:
    Watch(LiveView& view, v1::Subscribe subscribe, std::uint64_t count)
        : view_{view}, subscribe_{std::move(subscribe)}, left_{count} {}

    /// Returns when all events are printed. Fails if the first connection fails, or if a later one cannot be expected to
    /// succeed.
    Result<void> run();

 private:
    [[nodiscard]] Result<void> subscribe();
    [[nodiscard]] Result<void> print_events();
    void print(const v1::Event& event);
    void report_return(const v1::SubscribeResult& result) const;

    LiveView& view_;
    v1::Subscribe subscribe_;
    std::uint64_t left_;  ///< events to print
    bool connected_ = false;
    std::uint64_t latest_ = 0;  ///< number of the latest change
    std::string instance_;      ///< empty before the first connection
};

void Watch::print(const v1::Event& event) {
    Context& context = view_.context();
    if (context.json()) return context.print_json(event);
    context.out() << Styled{describe(event), style_of(event)} << '\n'
                  << std::flush;  // readers of a pipe must see it immediately
}

void Watch::report_return(const v1::SubscribeResult& result) const {
    const Streams& streams = view_.context().streams();
    if (result.instance_id() != instance_) return warn(streams, "connected again: rtad was restarted");
    const bool complete = result.change_number() == latest_ || !subscribes_to_changes(subscribe_);
    warn(streams, complete ? "connected again"
                           : "connected again: the changes " + std::to_string(latest_ + 1) + " to " +
                                 std::to_string(result.change_number()) + " were missed");
}

Result<void> Watch::subscribe() {
    v1::Request request;
    *request.mutable_subscribe() = subscribe_;
    if (!instance_.empty() && subscribes_to_changes(subscribe_)) {
        request.mutable_subscribe()->set_resume_after(latest_);
        request.mutable_subscribe()->set_resume_instance(instance_);
    }
    const auto subscribed = view_.query(std::move(request));
    if (!subscribed) return std::unexpected(subscribed.error());
    const v1::SubscribeResult& result = subscribed->subscribe();
    if (!instance_.empty()) report_return(result);
    connected_ = true;
    instance_ = result.instance_id();
    latest_ = result.change_number();
    return {};
}

Result<void> Watch::print_events() {
    if (auto connected = view_.connect(); !connected) return connected;
    if (instance_.empty()) {
        if (auto valid = check_ports(view_, subscribe_); !valid) return valid;
    }
    if (auto subscribed = subscribe(); !subscribed) return subscribed;
    // Without an output, the reader has left, or the disk is full: run_program() reports it.
    for (; left_ > 0 && view_.context().out(); --left_) {
        const auto event = view_.wait();
        if (!event) return std::unexpected(event.error());
        print(**event);
        if ((*event)->number() != 0) latest_ = (*event)->number();
    }
    return {};
}

Result<void> Watch::run() {
    for (;;) {
        const Result<void> printed = print_events();
        if (printed || view_.ended()) return {};
        if (!printed.error().transient || instance_.empty()) return printed;
        if (std::exchange(connected_, false))
            warn(view_.context().streams(), printed.error().sentence + "; connecting again");
    }
}

Result<void> run_watch(Context& context, const Arguments& arguments) {
    auto wanted = subscription(arguments);
    if (!wanted) return std::unexpected(std::move(wanted.error()));
    const auto count = parse_count(arguments);
    if (!count) return std::unexpected(count.error());
    return LiveView::follow(context, [&](LiveView& view) { return Watch{view, std::move(*wanted), *count}.run(); });
}

constexpr std::array kWatchOptions{
    Option{"--nodes", "NODE,...",
           "Print only changes that concern these nodes or no node, and only their levels and loads.", Expects::node},
    kRateOption, kCountOption,
    Option{"--spectrum", "", "Also measure the spectra of the ports; without --json, print the strongest frequency."}};

}  // namespace

extern constinit const Command kWatch = checked({
    .position = 520,
    .name = "watch",
    .arguments = {Argument{"TOPIC|PORT", Expects::topic_or_output, 0, kUnlimited, kTopicNames}},
    .help = "Print events as they happen, one line each, until interrupted.",
    .details =
        "The topics are changes, levels, load, xruns and node_loads; the default is changes: changes of the graph,\n"
        "of parameters and of the device, from any client. Any other word is an output port, NODE:PORT, or NODE for its\n"
        "only output: prints the peak and the RMS level of each channel. If the connection is lost, connects again, also to\n"
        "a daemon that was restarted, and continues with the changes that were missed, if the daemon keeps them; stderr says\n"
        "so. A node of --nodes that is renamed is not followed. With --json, prints the response to the subscription, also\n"
        "after each reconnection, and one line for each event. The first change follows the change_number in the response.",
    .example = "rtactl watch\n"
               "rtactl watch load xruns --rate 1\n"
               "rtactl watch osc vol:out --rate 5\n"
               "rtactl --json watch",
    .options = kWatchOptions,
    .run = run_watch,
});

}  // namespace rta::rtactl::commands
