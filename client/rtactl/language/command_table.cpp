// SPDX-License-Identifier: MIT
#include "rtactl/language/command_table.h"

#include <algorithm>

namespace rta::rtactl {

CommandTable::CommandTable(std::span<const Command* const> commands) : commands_{commands.begin(), commands.end()} {
    std::ranges::sort(commands_, {}, &Command::position);
}

const Command* CommandTable::find(std::string_view name) const {
    const auto found = std::ranges::find(commands_, name, &Command::name);
    return found == commands_.end() ? nullptr : *found;
}

std::vector<std::string_view> CommandTable::first_words(Place place) const {
    std::vector<std::string_view> words;
    for (const Command* command : commands_) {
        if (command->place != Place::anywhere && command->place != place) continue;
        const std::string_view word = command->name.substr(0, command->name.find(' '));
        if (std::ranges::find(words, word) == words.end()) words.push_back(word);
    }
    return words;
}

std::vector<std::string_view> CommandTable::second_words(std::string_view first) const {
    std::vector<std::string_view> words;
    for (const Command* command : commands_) {
        const std::string_view name = command->name;
        if (name.size() > first.size() && name.starts_with(first) && name[first.size()] == ' ')
            words.push_back(name.substr(first.size() + 1));
    }
    return words;
}

}  // namespace rta::rtactl
