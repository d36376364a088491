// SPDX-License-Identifier: MIT
#include "graph/edit_summary.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "text/format_number.h"

namespace rta {
namespace {

constexpr std::size_t kMostNamed = 3;
constexpr std::size_t kLongestSummary = 200;

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
        const std::string name = edit.node + "." + edit.parameter;
        if (edit.kind == SetParameter::Kind::toggle) return groups_[Group::toggle].push_back(name);
        if (edit.kind == SetParameter::Kind::add)
            return groups_[Group::set].push_back(name + (edit.value < 0.0F ? " - " : " + ") +
                                                 format_number(std::abs(edit.value)));
        // Of several values, the last one counts.
        std::vector<std::string>& all = groups_[Group::set];
        const auto [place, is_new] = parameters_.emplace(name, all.size());
        if (is_new) all.emplace_back();
        all[place->second] = name + " = " + format_number(edit.value);
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
    void operator()(const ReplaceGraph&) { groups_[Group::replace].emplace_back("the graph"); }

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
        toggle,
        connect,
        disconnect,
        compensate,
        no_compensation,
        describe,
        replace,
    };
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kWords{
        {{"add", "nodes"},
         {"remove", "nodes"},
         {"rename", "nodes"},
         {"change", "settings"},
         {"set", "parameters"},
         {"toggle", "parameters"},
         {"connect", "connections"},
         {"disconnect", "connections"},
         {"switch on", ""},
         {"switch off", ""},
         {"describe", "nodes"},
         {"replace", ""}}};

    std::map<Group, std::vector<std::string>> groups_;
    std::map<std::string, std::size_t> parameters_;  ///< their places in the group
};

}  // namespace

std::string summary_of(std::span<const Edit> edits) {
    Summary summary;
    for (const Edit& edit : edits) std::visit(summary, edit);
    return summary.text();
}

}  // namespace rta
