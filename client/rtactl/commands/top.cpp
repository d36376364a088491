// SPDX-License-Identifier: MIT
#include <array>
#include <ostream>
#include <sstream>

#include "rtactl/context/live_view.h"
#include "rtactl/drawing/status_page.h"

namespace rta::rtactl::commands {

namespace {

/// The graph, fetched again only after a change: it may be large.
class LatestGraph {
 public:
    Result<void> refresh(LiveView& view, std::uint64_t change_number) {
        if (known_ && change_number_ == change_number) return {};
        auto response = view.call(get_graph_request(v1::GRAPH_CONTENT_MESSAGE));
        if (!response) return std::unexpected(std::move(response.error()));
        graph_ = std::move(*response->mutable_get_graph()->mutable_graph());
        change_number_ = response->get_graph().change_number();
        known_ = true;
        return {};
    }
    [[nodiscard]] const v1::Graph& graph() const { return graph_; }

 private:
    v1::Graph graph_;
    std::uint64_t change_number_ = 0;
    bool known_ = false;
};

Result<v1::StatusResult> ask_status(LiveView& view) {
    v1::Request request;
    request.mutable_get_status();
    auto response = view.query(std::move(request));
    if (!response) return std::unexpected(std::move(response.error()));
    return std::move(*response->mutable_get_status());
}

/// The node loads of the latest event.
class LatestLoads {
 public:
    /// Receives events until the deadline. With --json, prints them.
    Result<void> follow(LiveView& view, const client::Deadline& deadline) {
        for (bool waiting = true; waiting;) {
            const auto received = receive(view, deadline);
            if (!received) return std::unexpected(received.error());
            waiting = *received;
        }
        return {};
    }
    /// Waits for the first event, until the deadline.
    Result<void> wait_for_first(LiveView& view, const client::Deadline& deadline) {
        for (bool waiting = true; waiting && !known_;) {
            const auto received = receive(view, deadline);
            if (!received) return std::unexpected(received.error());
            waiting = *received;
        }
        return {};
    }
    [[nodiscard]] const v1::NodeLoads& loads() const { return loads_; }

 private:
    /// Returns false if the deadline passed.
    Result<bool> receive(LiveView& view, const client::Deadline& deadline) {
        auto event = view.wait(deadline);
        if (!event) return std::unexpected(std::move(event.error()));
        if (!*event) return false;
        if (!(*event)->has_node_loads()) return true;
        if (view.context().json()) view.context().print_json(**event);
        loads_ = std::move(*(*event)->mutable_node_loads());
        known_ = true;
        return true;
    }

    v1::NodeLoads loads_;
    bool known_ = false;
};

Result<void> subscribe(LiveView& view) {
    v1::Request request;
    request.mutable_subscribe()->add_topics(v1::TOPIC_NODE_LOADS);
    auto subscribed = view.call(std::move(request));
    if (!subscribed) return std::unexpected(std::move(subscribed.error()));
    return {};
}

Result<void> show(LiveView& view, LatestGraph& latest, const v1::NodeTypesResult& types, const v1::NodeLoads& loads,
                  bool first) {
    const auto status = ask_status(view);
    if (!status) return std::unexpected(status.error());
    if (view.context().json()) return {};
    if (auto refreshed = latest.refresh(view, status->engine().change_number()); !refreshed) return refreshed;
    StyleRecorder text;
    print_top(text, *status, latest.graph(), types, loads);
    if (Picture* picture = view.picture(); picture != nullptr) {
        picture->draw(text.lines());
    } else {
        view.context().out() << (first ? "" : "\n") << text.str() << std::flush;
    }
    return {};
}

Result<void> show_repeatedly(LiveView& view, float rate_hz, std::uint64_t count) {
    const auto types = view.call(list_types_request());
    if (!types) return std::unexpected(types.error());
    if (auto subscribed = subscribe(view); !subscribed) return subscribed;
    LatestGraph latest;
    LatestLoads loads;
    // The daemon sends the first event after half a second.
    constexpr std::chrono::milliseconds kFirstEvent{2'000};
    if (auto waited = loads.wait_for_first(view, client::Deadline::in(kFirstEvent)); !waited) return waited;
    const std::chrono::milliseconds pause{static_cast<long long>(1000.0F / rate_hz)};
    for (std::uint64_t shown = 0; shown < count && view.context().out(); ++shown) {
        if (auto seen = show(view, latest, types->list_node_types(), loads.loads(), shown == 0); !seen) return seen;
        if (shown + 1 == count) return {};
        if (auto followed = loads.follow(view, client::Deadline::in(pause)); !followed) return followed;
    }
    return {};
}

Result<void> run_top(Context& context, const Arguments& arguments) {
    const auto rate_hz = parse_rate(arguments, 0.1F, 10, 1);
    if (!rate_hz) return std::unexpected(rate_hz.error());
    const auto count = parse_count(arguments);
    if (!count) return std::unexpected(count.error());
    return LiveView::run(context, LiveView::Display::picture,
                         [&](LiveView& view) { return show_repeatedly(view, *rate_hz, *count); });
}

constexpr std::array kTopOptions{Option{"--rate", "HZ", "Set the refresh rate, 0.1 to 10 Hz; default 1 Hz."},
                                 Option{"--count", "N", "Exit after N updates."}};

}  // namespace

extern constinit const Command kTop = checked({
    .position = 510,
    .name = "top",
    .help = "Show load, dropouts, clients and the nodes that take the most time, until interrupted.",
    .details =
        "Load is the time that device callbacks take, as a share of the time available, over the last second.\n"
        "The share of a node is its part of a block's duration: over the last half second, and on average since the\n"
        "first client subscribed. Without a terminal, prints one page after the other.",
    .example = "rtactl top\n"
               "rtactl top --rate 2 --count 3",
    .options = kTopOptions,
    .run = run_top,
});

}  // namespace rta::rtactl::commands
