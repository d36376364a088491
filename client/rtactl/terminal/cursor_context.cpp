// SPDX-License-Identifier: MIT
#include "rtactl/terminal/cursor_context.h"

#include "rtactl/language/invocation.h"

namespace rta::rtactl {

namespace {

void read_option(CursorContext& context, Place place, const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const Option* option = find_option(context, place, name);
    context.options.push_back(name);
    if (option == nullptr) return;
    if (equals != std::string::npos) {
        context.globals.options[name] = word.substr(equals + 1);
    } else if (!option->value_name.empty()) {
        context.awaits_value = option;
    }
}

void read_name(CursorContext& context, const CommandTable& table, const std::string& word) {
    const std::string name = context.group.empty() ? word : context.group + " " + word;
    context.command = table.find(name);
    if (context.command == nullptr) context.group = name;
}

}  // namespace

const Option* find_option(const CursorContext& context, Place place, std::string_view name) {
    const Option* option = context.command == nullptr ? nullptr : find_option(context.command->options, name);
    return option == nullptr && place != Place::shell ? find_option(global_options(), name) : option;
}

CursorContext read_cursor_context(const CommandTable& table, std::span<const std::string> words, Place place) {
    CursorContext context;
    for (const std::string& word : words) {
        if (context.awaits_value != nullptr) {
            context.globals.options[std::string{context.awaits_value->name}] = word;
            context.awaits_value = nullptr;
        } else if (!context.only_words && word == "--") {
            context.only_words = true;
        } else if (!context.only_words && is_option(word)) {
            read_option(context, place, word);
        } else if (context.command == nullptr) {
            read_name(context, table, word);
        } else {
            context.words.push_back(word);
        }
    }
    return context;
}

Arguments global_options_in(const CommandTable& table, std::span<const std::string> words) {
    CursorContext context = read_cursor_context(table, words, Place::command_line);
    std::erase_if(context.globals.options,
                  [](const auto& option) { return find_option(global_options(), option.first) == nullptr; });
    return std::move(context.globals);
}

}  // namespace rta::rtactl
