// SPDX-License-Identifier: MIT
#include "rtactl/language/command.h"

namespace rta::rtactl {

const Argument* Command::argument_at(std::size_t index) const {
    for (const Argument& argument : arguments) {
        if (argument.name.empty()) break;
        if (index < argument.maximum) return &argument;
        index -= argument.maximum;
    }
    return nullptr;
}

std::string arguments_text(const Command& command) {
    std::string text;
    for (const Argument& argument : command.arguments) {
        if (argument.name.empty()) break;
        std::string one{argument.name};
        if (argument.maximum == kUnlimited) one += "...";
        if (argument.minimum == 0) one = "[" + one + "]";
        text.append(text.empty() ? "" : " ").append(one);
    }
    return text;
}

}  // namespace rta::rtactl
