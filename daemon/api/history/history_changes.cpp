// SPDX-License-Identifier: MIT
#include "api/history/history_changes.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

namespace rta::api {

std::string HistoryChanges::write() const {
    std::string text = std::to_string(first_number);
    for (const std::uint64_t number : redoable) text += " " + std::to_string(number);
    return text + "\n" + SavedHistory{steps, next_number}.write();
}

Expected<void> HistoryChanges::apply(const std::string& text, SavedHistory& history) {
    const std::size_t line = text.find('\n');
    std::istringstream numbers{text.substr(0, line)};
    std::uint64_t first = 0;
    if (line == std::string::npos || !(numbers >> first))
        return fail(ErrorCode::invalid_argument, "a change of the history is damaged");
    std::map<std::uint64_t, std::uint64_t> orders;
    for (std::uint64_t number = 0; numbers >> number;) orders.emplace(number, orders.size() + 1);
    auto changes = SavedHistory::read(text.substr(line + 1));
    if (!changes) return std::unexpected(std::move(changes.error()));
    history.next_number = changes->next_number;
    for (HistoryStep& step : changes->steps) {
        const auto place = std::ranges::lower_bound(history.steps, step.number, {}, &HistoryStep::number);
        if (place != history.steps.end() && place->number == step.number) {
            *place = std::move(step);
        } else {
            history.steps.insert(place, std::move(step));
        }
    }
    std::erase_if(history.steps, [first](const HistoryStep& step) { return step.number < first; });
    for (HistoryStep& step : history.steps) {
        const auto order = orders.find(step.number);
        step.undo_order = order == orders.end() ? 0 : order->second;
    }
    return {};
}

}  // namespace rta::api
