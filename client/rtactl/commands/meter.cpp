// SPDX-License-Identifier: MIT
#include <algorithm>
#include <ostream>

#include "rtactl/context/live_view.h"
#include "rtactl/drawing/meter_picture.h"
#include "rtactl/drawing/print.h"
#include "rtactl/language/command.h"
#include "text/names.h"

namespace rta::rtactl {

namespace {

constexpr std::string_view kMeterType = "meter";

/// A name that is no meter is a slip of the user's: else nothing would ever be shown under it.
Result<void> check_names(Live& live, std::span<const std::string> names) {
    if (names.empty()) return {};
    const auto response = live.ask(get_graph_request(v1::GRAPH_CONTENT_MESSAGE));
    if (!response) return std::unexpected(response.error());
    const auto& nodes = response->get_graph().graph().nodes();
    std::vector<std::string_view> meters;
    for (const v1::Node& node : nodes) {
        if (node.type() == kMeterType) meters.emplace_back(node.name());
    }
    for (const std::string& name : names) {
        if (std::ranges::find(meters, name) != meters.end()) continue;
        const auto node = std::ranges::find(nodes, name, [](const v1::Node& other) { return other.name(); });
        if (node == nodes.end()) return fail(Exit::refused, no_such("meter", name, meters));
        return fail(Exit::refused, "node " + name + " is a " + node->type() +
                                       "; only nodes of the type meter can be shown: `rtactl insert meter NAME A B` "
                                       "puts one into a connection");
    }
    return {};
}

/// The meters that were asked for, and nothing else; all there is if none was.
void keep_only(v1::Levels& levels, std::span<const std::string> names) {
    if (names.empty()) return;
    levels.clear_outputs();
    auto& meters = *levels.mutable_meters();
    const auto rest = std::remove_if(meters.begin(), meters.end(), [&](const v1::MeterLevels& meter) {
        return std::ranges::find(names, meter.node()) == names.end();
    });
    meters.erase(rest, meters.end());
}

Result<double> sample_rate_hz(Live& live) {
    v1::Request request;
    request.mutable_get_status();
    const auto response = live.ask(std::move(request));
    if (!response) return std::unexpected(response.error());
    return response->get_status().device().sample_rate_hz();
}

void show(Live& live, MeterPicture& meters, const v1::Event& event) {
    if (live.session().json()) {
        live.session().print_json(event);
    } else if (Picture* picture = live.picture(); picture != nullptr) {
        picture->draw(meters.lines(event.levels(), picture->columns()));
    } else {
        live.session().out() << describe(event) << '\n' << std::flush;
    }
}

Result<void> show_levels(Live& live, std::span<const std::string> names, float rate_hz, std::uint64_t count) {
    if (auto checked = check_names(live, names); !checked) return checked;
    const auto device_rate_hz = sample_rate_hz(live);
    if (!device_rate_hz) return std::unexpected(device_rate_hz.error());
    MeterPicture meters{*device_rate_hz};

    v1::Request request;
    request.mutable_subscribe()->add_topics(v1::TOPIC_LEVELS);
    request.mutable_subscribe()->set_telemetry_rate_hz(rate_hz);
    if (const auto subscribed = live.ask(std::move(request)); !subscribed) return std::unexpected(subscribed.error());
    for (std::uint64_t seen = 0; seen < count && live.session().out();) {
        auto event = live.wait();
        if (!event) return std::unexpected(std::move(event.error()));
        if (!(*event)->has_levels()) continue;
        keep_only(*(*event)->mutable_levels(), names);
        show(live, meters, **event);
        ++seen;
    }
    return {};
}

Result<void> reset_meters(Session& session, std::span<const std::string> names) {
    v1::Request request;
    request.mutable_reset_meters()->mutable_nodes()->Assign(names.begin(), names.end());
    const auto response = session.perform(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (session.json()) return {};
    std::string list;
    for (const std::string& name : names) list.append(list.empty() ? "" : ", ").append(name);
    session.out() << (list.empty() ? "all meters" : list) << ": the programme begins at frame "
                  << response->reset_meters().frame() << '\n';
    return {};
}

}  // namespace

Result<void> run_meter(Session& session, const Arguments& arguments) {
    if (arguments.has("--reset")) {
        if (arguments.value("--rate") || arguments.value("--count")) {
            return usage_error("--reset shows nothing, so there is nothing for --rate and --count to say");
        }
        return reset_meters(session, arguments.words);
    }
    const auto rate_hz = parse_rate(arguments, 1, 100, 10);
    if (!rate_hz) return std::unexpected(rate_hz.error());
    const auto count = parse_count(arguments);
    if (!count) return std::unexpected(count.error());
    return Live::run(session, true, [&](Live& live) { return show_levels(live, arguments.words, *rate_hz, *count); });
}

}  // namespace rta::rtactl
