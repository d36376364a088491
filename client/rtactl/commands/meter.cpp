// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <ostream>
#include <set>

#include "rtactl/context/live_view.h"
#include "rtactl/drawing/event_text.h"
#include "rtactl/drawing/meter_picture.h"
#include "text/suggestion.h"

namespace rta::rtactl::commands {

namespace {

/// Returns the names of the types whose nodes report something.
Result<std::set<std::string>> reporting_types(LiveView& view) {
    v1::Request request;
    request.mutable_list_node_types();
    const auto response = view.call(std::move(request));
    if (!response) return std::unexpected(response.error());
    std::set<std::string> names;
    for (const v1::NodeType& type : response->list_node_types().types()) {
        if (!type.reports().empty()) names.insert(type.name());
    }
    return names;
}

/// Rejects names of nodes for which nothing would ever be shown.
Result<void> check_names(LiveView& view, std::span<const std::string> names) {
    if (names.empty()) return {};
    const auto types = reporting_types(view);
    if (!types) return std::unexpected(types.error());
    const auto response = view.call(get_graph_request(v1::GRAPH_CONTENT_MESSAGE));
    if (!response) return std::unexpected(response.error());
    const auto& nodes = response->get_graph().graph().nodes();
    std::vector<std::string_view> meters;
    for (const v1::Node& node : nodes) {
        if (types->contains(node.type())) meters.emplace_back(node.name());
    }
    for (const std::string& name : names) {
        if (std::ranges::find(meters, name) != meters.end()) continue;
        const auto node = std::ranges::find(nodes, name, [](const v1::Node& other) { return other.name(); });
        if (node == nodes.end()) return not_found(unknown_name("meter", name, meters));
        return fail(Exit::refused,
                    "node " + name + " is of the type " + node->type() +
                        ", which reports no levels: expected a meter, compressor, limiter or gate; `rtactl insert "
                        "meter NAME A B` inserts a meter into a connection");
    }
    return {};
}

/// Removes all levels except those of the named meters, if any are named.
void keep_only(v1::Levels& levels, std::span<const std::string> names) {
    if (names.empty()) return;
    levels.clear_outputs();
    auto& meters = *levels.mutable_meters();
    const auto rest = std::remove_if(meters.begin(), meters.end(), [&](const v1::MeterLevels& meter) {
        return std::ranges::find(names, meter.node()) == names.end();
    });
    meters.erase(rest, meters.end());
}

Result<double> sample_rate_hz(LiveView& view) {
    v1::Request request;
    request.mutable_get_status();
    const auto response = view.call(std::move(request));
    if (!response) return std::unexpected(response.error());
    return response->get_status().device().sample_rate_hz();
}

void show(LiveView& view, MeterPicture& meters, const v1::Event& event) {
    if (view.context().json()) {
        view.context().print_json(event);
    } else if (Picture* picture = view.picture(); picture != nullptr) {
        picture->draw(meters.lines(event.levels(), picture->columns()));
    } else {
        view.context().out() << describe(event) << '\n' << std::flush;
    }
}

Result<void> show_levels(LiveView& view, std::span<const std::string> names, float rate_hz, std::uint64_t count) {
    if (auto checked = check_names(view, names); !checked) return checked;
    const auto device_rate_hz = sample_rate_hz(view);
    if (!device_rate_hz) return std::unexpected(device_rate_hz.error());
    MeterPicture meters{*device_rate_hz};

    v1::Request request;
    request.mutable_subscribe()->add_topics(v1::TOPIC_LEVELS);
    request.mutable_subscribe()->set_telemetry_rate_hz(rate_hz);
    if (const auto subscribed = view.call(std::move(request)); !subscribed) return std::unexpected(subscribed.error());
    for (std::uint64_t seen = 0; seen < count && view.context().out();) {
        auto event = view.wait();
        if (!event) return std::unexpected(std::move(event.error()));
        if (!(*event)->has_levels()) continue;
        keep_only(*(*event)->mutable_levels(), names);
        show(view, meters, **event);
        ++seen;
    }
    return {};
}

Result<void> reset_meters(Context& context, std::span<const std::string> names) {
    v1::Request request;
    request.mutable_reset_meters()->mutable_nodes()->Assign(names.begin(), names.end());
    const auto response = context.change(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (context.json()) return {};
    std::string list;
    for (const std::string& name : names) list.append(list.empty() ? "" : ", ").append(name);
    context.out() << (list.empty() ? "all meters" : list) << ": programme restarts at frame "
                  << response->reset_meters().frame() << '\n';
    return {};
}

Result<void> run_meter(Context& context, const Arguments& arguments) {
    if (arguments.has("--reset")) {
        if (arguments.value("--rate") || arguments.value("--count"))
            return usage_error("--reset does not show levels, so --rate and --count do not apply");
        return reset_meters(context, arguments.words);
    }
    const auto rate_hz = parse_rate(arguments, 1, 100, 10);
    if (!rate_hz) return std::unexpected(rate_hz.error());
    const auto count = parse_count(arguments);
    if (!count) return std::unexpected(count.error());
    return LiveView::run(context, LiveView::Display::picture,
                         [&](LiveView& view) { return show_levels(view, arguments.words, *rate_hz, *count); });
}

constexpr std::array kMeterOptions{kRateOption, kCountOption,
                                   Option{"--reset", "", "Reset integrated loudness, range and maxima, and exit."}};

}  // namespace

extern constinit const Command kMeter = checked({
    .position = 500,
    .name = "meter",
    .arguments = {Argument{"NODE", Expects::meter_node, 0, kUnlimited}},
    .help = "Show the levels of the device output and of all meters, and the gain reduction of dynamics nodes.",
    .details =
        "Runs until interrupted. With NODE, shows these nodes only. On a terminal, draws bars from -60 to 0 dB:\n"
        "= is the RMS, - the peak, | the recent maximum; over means above full scale. Otherwise prints one line\n"
        "for each event. The loudness of a meter (EBU R 128) covers all its channels: momentary M (400 ms),\n"
        "short-term S (3 s) and integrated I (the programme), with the loudness range and the true peaks.\n"
        "The gain reduction of a compressor, limiter or gate is a bar from 30 to 0 dB that grows to the left: < is the\n"
        "current reduction, | the recent maximum; max is the largest since the previous event.\n"
        "The programme starts when a client first subscribes to levels. --reset and panic restart it, for all clients.\n"
        "It is paused while no client is subscribed to levels.",
    .example = "rtactl meter\n"
               "rtactl meter vu --rate 25 --count 50\n"
               "rtactl meter --reset vu",
    .options = kMeterOptions,
    .run = run_meter,
});

}  // namespace rta::rtactl::commands
