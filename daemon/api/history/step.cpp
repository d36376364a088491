// SPDX-License-Identifier: MIT
#include "api/history/step.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/delimited_message_util.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sstream>
#include <utility>
#include <variant>

#include "api/convert.h"
#include "api/requests/transaction.h"
#include "graph/difference.h"
#include "text/format_number.h"

namespace rta::api {
namespace {

/// Of a node of a std::map or std::set, with its strings.
constexpr std::size_t kEntryBytes = 120;
constexpr std::size_t kMostNamed = 3;
constexpr std::size_t kLongestSummary = 200;

std::size_t memory_of(const Edit& edit) {
    std::size_t bytes = sizeof(Edit) + 64;
    if (const auto* add = std::get_if<AddNode>(&edit)) {
        bytes += kEntryBytes * (add->parameters.size() + add->settings.size());
        bytes += add->annotation.title.size() + add->annotation.description.size();
        for (const auto& [name, value] : add->settings) {
            if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
        }
    } else if (const auto* change = std::get_if<ChangeSettings>(&edit)) {
        bytes += kEntryBytes * (change->settings.size() + change->defaults.size());
    } else if (const auto* describe = std::get_if<Describe>(&edit)) {
        bytes += describe->title.value_or("").size() + describe->description.value_or("").size();
    }
    return bytes;
}

/// "a, b and c", or "7 nodes".
std::string listed(const std::vector<std::string>& items, std::string_view plural) {
    if (items.size() > kMostNamed) return std::to_string(items.size()) + " " + std::string{plural};
    std::string text;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) text += i + 1 == items.size() ? " and " : ", ";
        text += items[i];
    }
    return text;
}

/// Collects edits by their kind.
class Summary {
 public:
    void operator()(const AddNode& edit) { groups_[Group::add].push_back(edit.name); }
    void operator()(const RemoveNode& edit) { groups_[Group::remove].push_back(edit.name); }
    void operator()(const RenameNode& edit) { groups_[Group::rename].push_back(edit.name + " to " + edit.new_name); }
    void operator()(const Connect& edit) { groups_[Group::connect].push_back(edit.from + " -> " + edit.to); }
    void operator()(const Disconnect& edit) { groups_[Group::disconnect].push_back(edit.from + " -> " + edit.to); }
    void operator()(const SetParameter& edit) {
        std::string name = edit.node + "." + edit.parameter;
        if (!parameters_.insert(name).second) return;
        groups_[Group::set].push_back(std::move(name) + " = " + format_number(edit.value));
    }
    void operator()(const ChangeSettings& edit) {
        for (const auto& [name, value] : edit.settings) groups_[Group::settings].push_back(edit.node + "." + name);
        for (const std::string& name : edit.defaults) groups_[Group::settings].push_back(edit.node + "." + name);
    }
    void operator()(const SetLatencyCompensation& edit) {
        groups_[edit.enabled ? Group::compensate : Group::no_compensation].emplace_back("latency compensation");
    }
    void operator()(const Describe& edit) {
        groups_[Group::describe].push_back(edit.node.empty() ? "the graph" : edit.node);
    }
    void operator()(const ReplaceGraph&) {}

    [[nodiscard]] std::string text() const {
        std::string text;
        for (const auto& [group, items] : groups_) {
            const auto& [verb, plural] = kWords[static_cast<std::size_t>(group)];
            text += (text.empty() ? "" : "; ") + std::string{verb} + " " + listed(items, plural);
        }
        if (text.empty()) return "no change";
        if (text.size() <= kLongestSummary) return text;
        return text.substr(0, kLongestSummary) + "...";
    }

 private:
    enum class Group : std::uint8_t {
        add,
        remove,
        rename,
        settings,
        set,
        connect,
        disconnect,
        compensate,
        no_compensation,
        describe,
    };
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kWords{
        {{"add", "nodes"},
         {"remove", "nodes"},
         {"rename", "nodes"},
         {"change", "settings"},
         {"set", "parameters"},
         {"connect", "connections"},
         {"disconnect", "connections"},
         {"switch on", ""},
         {"switch off", ""},
         {"describe", "nodes"}}};

    std::map<Group, std::vector<std::string>> groups_;
    std::set<std::string> parameters_;
};

std::unexpected<Error> damaged() { return fail(ErrorCode::invalid_argument, "the history is damaged"); }

Expected<std::vector<Edit>> to_edits(const google::protobuf::RepeatedPtrField<v1::Edit>& messages) {
    std::vector<Edit> edits;
    edits.reserve(static_cast<std::size_t>(messages.size()));
    for (const v1::Edit& message : messages) {
        auto edit = to_edit(message);
        if (!edit) return std::unexpected(std::move(edit.error()));
        if (std::holds_alternative<ReplaceGraph>(*edit)) return damaged();
        edits.push_back(std::move(*edit));
    }
    return edits;
}

Expected<HistoryStep> to_step(const v1::HistoryStep& message) {
    HistoryStep step{.number = message.number(),
                     .author = message.author(),
                     .client_name = message.client_name(),
                     .utc_us = message.utc_us(),
                     .label = message.summary(),
                     .undone_by = message.undone_by(),
                     .undone = message.undone()};
    auto edits = to_edits(message.edits());
    if (!edits) return std::unexpected(std::move(edits.error()));
    auto inverse = to_edits(message.inverse());
    if (!inverse) return std::unexpected(std::move(inverse.error()));
    if (edits->empty() || inverse->empty()) return damaged();
    step.content = std::make_shared<StepContent>(StepContent{std::move(*edits), std::move(*inverse)});
    return step;
}

}  // namespace

StepContent StepContent::between(const AudioGraph& before, const AudioGraph& after) {
    return {difference(before, after), difference(after, before)};
}

std::size_t StepContent::memory_bytes() const {
    std::size_t bytes = sizeof *this;
    for (const Edit& edit : edits) bytes += memory_of(edit);
    for (const Edit& edit : inverse) bytes += memory_of(edit);
    return bytes;
}

std::string summary_of(std::span<const Edit> edits) {
    Summary summary;
    for (const Edit& edit : edits) std::visit(summary, edit);
    return summary.text();
}

namespace {

std::string text_of(const HistoryStep& step) {
    if (!step.label.empty() || step.content == nullptr) return step.label;
    return summary_of(step.content->edits);
}

}  // namespace

std::string name_of(const HistoryStep& step) {
    std::string name = "step " + std::to_string(step.number) + " of " + step.author;
    const std::string summary = text_of(step);
    return summary.empty() ? name : name + " (" + summary + ")";
}

void to_wire(const HistoryStep& step, v1::HistoryStep& message) {
    message.set_number(step.number);
    message.set_revision(step.revision);
    message.set_author(step.author);
    message.set_client_name(step.client_name);
    message.set_utc_us(step.utc_us);
    message.set_undone(step.undone);
    message.set_undone_by(step.undone_by);
    message.set_summary(text_of(step));
}

void add_edits(const StepContent& content, v1::HistoryStep& message) {
    for (const Edit& edit : content.edits) to_wire(edit, *message.add_edits());
    for (const Edit& edit : content.inverse) to_wire(edit, *message.add_inverse());
}

std::string SavedHistory::write() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> undone;  // order, number
    for (const HistoryStep& step : steps) {
        if (step.can_be_redone()) undone.emplace_back(step.undo_order, step.number);
    }
    std::ranges::sort(undone);
    std::string text = std::to_string(next_number);
    for (const auto& [order, number] : undone) text += " " + std::to_string(number);
    text += "\n";
    google::protobuf::io::StringOutputStream stream{&text};
    for (const HistoryStep& step : steps) {
        v1::HistoryStep message;
        to_wire(step, message);
        message.set_summary(step.label);  // the others follow from the edits
        if (step.content != nullptr) {
            add_edits(*step.content, message);
        } else if (step.graphs != nullptr) {
            add_edits(StepContent::between(step.graphs->before, step.graphs->after->graph), message);
        }
        // A transaction without effect is not a step.
        if (message.edits().empty()) continue;
        google::protobuf::util::SerializeDelimitedToZeroCopyStream(message, &stream);
    }
    return text;
}

Expected<SavedHistory> SavedHistory::read(const std::string& text) {
    const std::size_t line = text.find('\n');
    if (line == std::string::npos) return damaged();
    SavedHistory saved;
    std::istringstream numbers{text.substr(0, line)};
    std::map<std::uint64_t, std::uint64_t> orders;
    std::uint64_t order = 0;
    if (!(numbers >> saved.next_number)) return damaged();
    for (std::uint64_t number = 0; numbers >> number;) orders[number] = ++order;
    google::protobuf::io::ArrayInputStream stream{text.data() + line + 1, static_cast<int>(text.size() - line - 1)};
    for (bool at_end = false;;) {
        v1::HistoryStep message;
        if (!google::protobuf::util::ParseDelimitedFromZeroCopyStream(&message, &stream, &at_end)) {
            if (at_end) return saved;
            return damaged();
        }
        auto step = to_step(message);
        if (!step) return std::unexpected(std::move(step.error()));
        const bool ascends = saved.steps.empty() || saved.steps.back().number < step->number;
        if (!ascends || step->number >= saved.next_number) return damaged();
        if (const auto found = orders.find(step->number); found != orders.end()) step->undo_order = found->second;
        saved.steps.push_back(std::move(*step));
    }
}

}  // namespace rta::api
