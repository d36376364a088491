// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <ostream>

#include "rtactl/context/live_view.h"
#include "rtactl/drawing/event_text.h"
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
        return not_found(unknown_name("topic or node", node, kTopicNames));
    }
    return {};
}

Result<void> print_events(LiveView& view, v1::Subscribe wanted, std::uint64_t count) {
    if (auto valid = check_ports(view, wanted); !valid) return valid;
    v1::Request request;
    *request.mutable_subscribe() = std::move(wanted);
    if (auto subscribed = view.query(std::move(request)); !subscribed)
        return std::unexpected(std::move(subscribed.error()));
    Context& context = view.context();
    for (std::uint64_t seen = 0; seen < count; ++seen) {
        const auto event = view.wait();
        if (!event) return std::unexpected(event.error());
        if (context.json()) {
            context.print_json(**event);
        } else {
            context.out() << Styled{describe(**event), style_of(**event)} << '\n'
                          << std::flush;  // readers of a pipe must see it immediately
        }
        // The reader has left, or the disk is full: run_program() reports it.
        if (!context.out()) return {};
    }
    return {};
}

Result<void> run_watch(Context& context, const Arguments& arguments) {
    auto wanted = subscription(arguments);
    if (!wanted) return std::unexpected(std::move(wanted.error()));
    const auto count = parse_count(arguments);
    if (!count) return std::unexpected(count.error());
    return LiveView::run(context, LiveView::Display::lines,
                         [&](LiveView& view) { return print_events(view, std::move(*wanted), *count); });
}

constexpr std::array kWatchOptions{
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
        "only output: prints the peak and the RMS level of each channel. With --json, first prints the response to the\n"
        "subscription, then one line for each event. The first change follows the change_number in the response.",
    .example = "rtactl watch\n"
               "rtactl watch load xruns --rate 1\n"
               "rtactl watch sine gain:out --rate 5\n"
               "rtactl --json watch",
    .options = kWatchOptions,
    .run = run_watch,
});

}  // namespace rta::rtactl::commands
