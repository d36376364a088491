// SPDX-License-Identifier: MIT
#include "api/history/step.h"

#include <utility>
#include <variant>

#include "api/convert.h"
#include "graph/difference.h"
#include "graph/edit_summary.h"

namespace rta::api {
namespace {

/// Of a node of a std::map or std::set, with its strings.
constexpr std::size_t kEntryBytes = 120;

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

}  // namespace

StepContent StepContent::between(const AudioGraph& before, const AudioGraph& after) {
    return {difference(before, after), difference(after, before), StepChanges::between(before, after)};
}

std::size_t StepContent::memory_bytes() const {
    std::size_t bytes = sizeof *this + changes.memory_bytes();
    for (const Edit& edit : edits) bytes += memory_of(edit);
    for (const Edit& edit : inverse) bytes += memory_of(edit);
    return bytes;
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

}  // namespace rta::api
