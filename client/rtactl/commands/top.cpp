// SPDX-License-Identifier: MIT
#include <algorithm>
#include <ostream>
#include <sstream>

#include "rtactl/context/live_view.h"
#include "rtactl/drawing/print.h"
#include "rtactl/language/command.h"

namespace rta::rtactl {

namespace {

/// The graph as it was when it last changed: it may be large, and mostly stays as it is.
class LatestGraph {
 public:
    Result<void> refresh(Live& live, std::uint64_t change_number) {
        if (known_ && change_number_ == change_number) return {};
        auto response = live.ask(get_graph_request(v1::GRAPH_CONTENT_MESSAGE));
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

Result<v1::StatusResult> ask_status(Live& live) {
    v1::Request request;
    request.mutable_get_status();
    auto response = live.ask(std::move(request), true);
    if (!response) return std::unexpected(std::move(response.error()));
    return std::move(*response->mutable_get_status());
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
    return lines;
}

/// The latest event of node loads.
class LatestLoads {
 public:
    /// Waits until the deadline, or for the first event. With --json, events are printed as they come.
    Result<void> follow(Live& live, const client::Deadline& deadline, bool until_first) {
        while (!(until_first && known_)) {
            auto event = live.wait(deadline);
            if (!event) return std::unexpected(std::move(event.error()));
            if (!*event) return {};
            if (!(*event)->has_node_loads()) continue;
            if (live.session().json()) live.session().print_json(**event);
            loads_ = std::move(*(*event)->mutable_node_loads());
            known_ = true;
        }
        return {};
    }
    [[nodiscard]] const v1::NodeLoads& loads() const { return loads_; }

 private:
    v1::NodeLoads loads_;
    bool known_ = false;
};

Result<void> subscribe(Live& live) {
    v1::Request request;
    request.mutable_subscribe()->add_topics(v1::TOPIC_NODE_LOADS);
    auto subscribed = live.ask(std::move(request));
    if (!subscribed) return std::unexpected(std::move(subscribed.error()));
    return {};
}

Result<void> show(Live& live, LatestGraph& latest, const v1::NodeTypesResult& types, const v1::NodeLoads& loads,
                  bool first) {
    const auto status = ask_status(live);
    if (!status) return std::unexpected(status.error());
    if (live.session().json()) return {};
    if (auto refreshed = latest.refresh(live, status->engine().change_number()); !refreshed) return refreshed;
    std::ostringstream text;
    print_top(text, *status, latest.graph(), types, loads);
    if (Picture* picture = live.picture(); picture != nullptr) {
        picture->draw(lines_of(text.str()));
    } else {
        live.session().out() << (first ? "" : "\n") << text.str() << std::flush;
    }
    return {};
}

Result<void> show_over_and_over(Live& live, float rate_hz, std::uint64_t count) {
    const auto types = live.ask(list_types_request());
    if (!types) return std::unexpected(types.error());
    if (auto subscribed = subscribe(live); !subscribed) return subscribed;
    LatestGraph latest;
    LatestLoads loads;
    // The first comes after half a second.
    constexpr std::chrono::milliseconds kPatience{2'000};
    if (auto followed = loads.follow(live, client::Deadline::in(kPatience), true); !followed) return followed;
    const std::chrono::milliseconds pause{static_cast<long long>(1000.0F / rate_hz)};
    for (std::uint64_t shown = 0; shown < count && live.session().out(); ++shown) {
        if (auto seen = show(live, latest, types->list_node_types(), loads.loads(), shown == 0); !seen) return seen;
        if (shown + 1 == count) return {};
        if (auto followed = loads.follow(live, client::Deadline::in(pause), false); !followed) return followed;
    }
    return {};
}

}  // namespace

Result<void> run_top(Session& session, const Arguments& arguments) {
    const auto rate_hz = parse_rate(arguments, 0.1F, 10, 1);
    if (!rate_hz) return std::unexpected(rate_hz.error());
    const auto count = parse_count(arguments);
    if (!count) return std::unexpected(count.error());
    return Live::run(session, true, [&](Live& live) { return show_over_and_over(live, *rate_hz, *count); });
}

}  // namespace rta::rtactl
