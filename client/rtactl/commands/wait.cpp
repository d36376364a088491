// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rta/type_table.h"
#include "rtactl/context/error_report.h"
#include "rtactl/context/live_view.h"
#include "rtactl/language/condition.h"
#include "text/format_number.h"
#include "text/quantity.h"
#include "text/quoting.h"
#include "text/suggestion.h"

namespace rta::rtactl::commands {

namespace {

using Kind = Condition::Kind;

constexpr float kLevelsPerSecond = 20.0F;
/// After this many events, the daemon is asked although more may follow.
constexpr int kEventsBeforeAsking = 256;

/// Finds out whether a condition holds, by requests and by events.
class ConditionCheck {
 public:
    ConditionCheck(const Condition& condition, LiveView& view) : condition_{condition}, view_{view} {}

    [[nodiscard]] v1::Request subscribe() const {
        v1::Request request;
        v1::Subscribe& subscribe = *request.mutable_subscribe();
        const bool levels = condition_.kind == Kind::level || condition_.kind == Kind::silence;
        subscribe.add_topics(levels ? v1::TOPIC_LEVELS : v1::TOPIC_CHANGES);
        if (levels) subscribe.set_telemetry_rate_hz(kLevelsPerSecond);
        if (!condition_.node.empty()) subscribe.add_nodes(condition_.node);
        return request;
    }

    /// Asks the daemon whether it holds.
    [[nodiscard]] Result<bool> ask();
    /// Returns whether the daemon must be asked because of a change.
    [[nodiscard]] bool concerns(const v1::Event& event) const;
    /// Returns whether it holds according to an event of levels.
    [[nodiscard]] bool take_levels(const v1::Event& event);

    /// Sets why nothing is known.
    void lose(std::string why) {
        seen_ = std::move(why);
        measured_ = false;
    }
    /// Returns the last state, as a clause.
    [[nodiscard]] const std::string& seen() const { return seen_; }

 private:
    [[nodiscard]] Result<bool> ask_status();
    [[nodiscard]] Result<bool> ask_graph();
    [[nodiscard]] Result<bool> ask_pending();
    [[nodiscard]] Result<bool> compare(const v1::Node& node);
    [[nodiscard]] bool is_running(const v1::DeviceState& device);
    [[nodiscard]] bool reaches(std::uint64_t revision, const char* what);
    [[nodiscard]] std::optional<float> peak_of(const v1::Levels& levels) const;
    /// Prints what proves that it holds.
    bool conclude(bool holds, const google::protobuf::Message& message) {
        if (holds && view_.context().json()) view_.context().print_json(message);
        return holds;
    }

    const Condition& condition_;
    LiveView& view_;
    std::string seen_ = "the daemon has not been reached";
    bool measured_ = false;        ///< levels have been received from this daemon
    double sample_rate_hz_ = 0.0;  ///< 0: not known yet
    double silent_frames_ = 0.0;
};

Result<bool> ConditionCheck::ask() {
    switch (condition_.kind) {
        case Kind::running:
        case Kind::revision:
        case Kind::heard:
        case Kind::level:
        case Kind::silence:
            return ask_status();
        case Kind::node:
        case Kind::no_node:
        case Kind::value:
            return ask_graph();
        case Kind::idle:
            return ask_pending();
    }
    std::unreachable();
}

bool ConditionCheck::concerns(const v1::Event& event) const {
    switch (condition_.kind) {
        case Kind::running:
            return event.has_device_changed();
        case Kind::revision:
            return event.has_graph_changed();
        case Kind::heard:
            return event.has_transaction_heard();
        case Kind::node:
        case Kind::no_node:
        case Kind::value:
            return event.has_graph_changed() || event.has_parameters_changed();
        case Kind::idle:
            return event.has_pending_changed();
        case Kind::level:
        case Kind::silence:
            break;
    }
    return false;
}

bool ConditionCheck::is_running(const v1::DeviceState& device) {
    seen_ = "the device is " + (device.running() ? device.state() : "not open yet");
    if (!device.fallback_reason().empty()) seen_ += " (" + device.fallback_reason() + ")";
    return device.running() && device.state() == "running";
}

bool ConditionCheck::reaches(std::uint64_t revision, const char* what) {
    seen_ = what + std::to_string(revision);
    return revision >= condition_.number;
}

Result<bool> ConditionCheck::ask_status() {
    v1::Request request;
    request.mutable_get_status();
    const auto response = view_.call(std::move(request));
    if (!response) return std::unexpected(response.error());
    const v1::StatusResult& status = response->get_status();
    switch (condition_.kind) {
        case Kind::running:
            return conclude(is_running(status.device()), *response);
        case Kind::revision:
            return conclude(reaches(status.engine().revision(), "the graph has revision "), *response);
        case Kind::heard:
            return conclude(reaches(status.engine().heard_revision(), "what is heard has revision "), *response);
        default:
            sample_rate_hz_ = status.device().sample_rate_hz();
            silent_frames_ = 0.0;
            if (!measured_) seen_ = "no levels have been measured";
            return false;
    }
}

Result<bool> ConditionCheck::ask_graph() {
    const auto response = view_.call(get_graph_request(v1::GRAPH_CONTENT_MESSAGE, {condition_.node}));
    const bool missing = !response && response.error().code == v1::NOT_FOUND;
    if (!response && !missing) return std::unexpected(response.error());
    const v1::Node* node = nullptr;
    if (response) {
        for (const v1::Node& each : response->get_graph().graph().nodes()) {
            if (each.name() == condition_.node) node = &each;
        }
    }
    seen_ = "node " + condition_.node + (node == nullptr ? " does not exist" : " exists");
    const v1::Response empty;
    const v1::Response& shown = response ? *response : empty;
    if (condition_.kind == Kind::node) return conclude(node != nullptr, shown);
    if (condition_.kind == Kind::no_node) return conclude(node == nullptr, shown);
    if (node == nullptr) return false;
    const auto equal = compare(*node);
    return equal ? conclude(*equal, shown) : equal;
}

/// Waiting would not help: a node keeps its type, and the number of its parameters.
std::string no_parameter(const v1::Node& node, const v1::NodeType* type, const std::string& name) {
    std::vector<std::string_view> names;
    for (const auto& [known, value] : node.parameters()) names.emplace_back(known);
    std::ranges::sort(names);
    const std::string begin = "cannot wait for " + node.name() + "." + name + ": ";
    if (type == nullptr || !find_setting(*type, name)) return begin + unknown_name("parameter", name, names);
    std::string sentence = begin + name + " is a setting; expected one of its parameters: ";
    for (const std::string_view known : names) sentence.append(known == names.front() ? "" : ", ").append(known);
    return sentence;
}

Result<bool> ConditionCheck::compare(const v1::Node& node) {
    const std::string& name = condition_.assignment.name;
    const auto response = view_.call(list_types_request(node.type()));
    if (!response) return std::unexpected(response.error());
    const v1::NodeType* const type = find_type(response->list_node_types(), node.type());
    const auto parameter = type == nullptr ? std::nullopt : find_parameter(*type, name);
    const auto current = node.parameters().find(name);
    if (!parameter || current == node.parameters().end()) return usage_error(no_parameter(node, type, name));
    const auto wanted = resolve(type, condition_.assignment);
    if (!wanted) return usage_error(condition_.node + "." + wanted.error());
    seen_ = condition_.node + "." + name + " is " + format_value(current->second, parameter->unit());
    const float* const number = std::get_if<float>(&*wanted);
    return number != nullptr && *number == current->second;
}

Result<bool> ConditionCheck::ask_pending() {
    v1::Request request;
    request.mutable_list_pending();
    const auto response = view_.call(std::move(request));
    if (!response) return std::unexpected(response.error());
    const int waiting = response->list_pending().edits_size();
    seen_ = std::to_string(waiting) + (waiting == 1 ? " edit waits" : " edits wait") + " for its time";
    return conclude(waiting == 0, *response);
}

/// Returns nullopt if the node reports no levels.
std::optional<float> ConditionCheck::peak_of(const v1::Levels& levels) const {
    const google::protobuf::RepeatedPtrField<v1::ChannelLevel>* channels =
        condition_.node.empty() ? &levels.outputs() : nullptr;
    for (const v1::MeterLevels& meter : levels.meters()) {
        if (meter.node() == condition_.node && !meter.channels().empty()) channels = &meter.channels();
    }
    if (channels == nullptr) return std::nullopt;
    float peak = -std::numeric_limits<float>::infinity();
    for (const v1::ChannelLevel& channel : *channels) peak = std::max(peak, channel.peak_db());
    return peak;
}

bool ConditionCheck::take_levels(const v1::Event& event) {
    measured_ = true;
    const v1::Levels& levels = event.levels();
    const std::string what = condition_.node.empty() ? "the device output" : condition_.node;
    const auto peak = peak_of(levels);
    if (!peak) {
        silent_frames_ = 0.0;
        seen_ = "no meter is named " + condition_.node;
        return false;
    }
    seen_ = "the peak of " + what + " is " + format_value(*peak, "dB");
    if (condition_.kind == Kind::level) return conclude(*peak >= condition_.level_db, event);
    silent_frames_ = *peak > Condition::kSilenceDb ? 0.0 : silent_frames_ + levels.frame_count();
    const bool known = sample_rate_hz_ > 0.0;
    return conclude(known && silent_frames_ >= Condition::kSilenceS * sample_rate_hz_, event);
}

/// Returns true when the condition holds, false if it does not until the deadline.
Result<bool> follow_connection(LiveView& view, ConditionCheck& check, const client::Deadline& deadline) {
    if (auto connected = view.connect(deadline); !connected) return std::unexpected(std::move(connected.error()));
    // Before the first question: no change is missed in between.
    if (auto subscribed = view.call(check.subscribe()); !subscribed)
        return std::unexpected(std::move(subscribed.error()));
    bool ask = true;
    for (int events = 0; !deadline.passed();) {
        const auto event = view.wait(ask ? client::Deadline::in({}) : deadline);
        if (!event) return std::unexpected(event.error());
        if (*event && (*event)->has_levels() && check.take_levels(**event)) return true;
        if (*event && check.concerns(**event)) ask = true;
        if (!ask || (*event && ++events < kEventsBeforeAsking)) continue;
        const auto holds = check.ask();
        if (!holds || *holds) return holds;
        ask = false;
        events = 0;
    }
    return false;
}

Result<void> wait_until(LiveView& view, const Condition& condition, const client::Deadline& deadline) {
    ConditionCheck check{condition, view};
    Exit exit = Exit::refused;
    do {
        const auto holds = follow_connection(view, check, deadline);
        if (holds && *holds) return {};
        if (view.ended()) return fail(Exit::refused, "interrupted: " + check.seen(), v1::UNAVAILABLE);
        if (!holds && !holds.error().transient) return std::unexpected(holds.error());
        if (!holds) check.lose(holds.error().sentence);
        exit = holds ? Exit::refused : holds.error().exit;
    } while (!deadline.passed());
    return fail(exit,
                quoted(condition.text) + " does not hold after " +
                    format_number(std::chrono::duration<double>{view.context().timeout()}.count()) +
                    " s (--timeout): " + check.seen(),
                v1::DEADLINE_EXCEEDED);
}

Result<void> run_wait(Context& context, const Arguments& arguments) {
    const auto condition = parse_condition(arguments.words);
    if (!condition) return usage_error(condition.error());
    const auto deadline = client::Deadline::in(context.timeout());
    return LiveView::follow(context, [&](LiveView& view) { return wait_until(view, *condition, deadline); });
}

}  // namespace

extern constinit const Command kWait = checked({
    .position = 525,
    .name = "wait",
    .arguments = {Argument{"CONDITION", Expects::condition, 1, 3}},
    .help = "Wait until a condition holds; see its help for the conditions.",
    .details =
        "The conditions are\n"
        "    running              rtad answers, and the requested device runs\n"
        "    revision N           the graph has revision N or a later one\n"
        "    heard N              every transaction up to revision N has begun to be heard\n"
        "    node NAME            the node exists\n"
        "    no-node NAME         the node does not exist\n"
        "    NODE.PARAM=VALUE     the parameter has the value, as its target while it ramps\n"
        "    level [NODE] LEVEL   the peak of the device output, or of a meter node, is LEVEL or more\n"
        "    silence [NODE]       the same peaks have been -90 dBFS or less for a second\n"
        "    pending none         no edit waits for its time\n"
        "Exits with 0 as soon as the condition holds, also if it holds already. After --timeout, exits with 1, or with\n"
        "3 if no daemon answers then, with the last state on stderr. Waits for a daemon that has not been started,\n"
        "and for one that is restarted.\n"
        "With --json, prints the response or the event that proves that the condition holds.",
    .example = "rtactl wait running --timeout 60\n"
               "rtactl wait heard 12\n"
               "rtactl wait vol.gain_db=0dB\n"
               "rtactl wait level -40dB\n"
               "rtactl wait silence vu --timeout 30",
    .run = run_wait,
});

}  // namespace rta::rtactl::commands
