// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "rtactl/commands/commands.h"
#include "rtactl/drawing/help_page.h"
#include "rtactl/language/invocation.h"
#include "rtactl/language/lexer.h"

namespace rta::rtactl {
namespace {

Result<Invocation> parse(std::string_view line, Place place = Place::command_line) {
    return parse_invocation(all_commands(), *split_words(line), place);
}

/// Returns the lines of an example that are rtactl commands, without the other commands of a pipe.
std::vector<std::string> example_lines(const Command& command) {
    std::vector<std::string> lines;
    std::istringstream text{std::string{command.example}};
    for (std::string line; std::getline(text, line);) {
        if (const std::size_t pipe = line.find(" | "); pipe != std::string::npos)
            line = line.starts_with("rtactl ") ? line.substr(0, pipe) : line.substr(pipe + 3);
        lines.push_back(line);
    }
    return lines;
}

TEST(CommandTable, HasEveryCommandOfTheContract) {
    for (const std::string_view name :
         {"status",       "devices",      "types",      "play",      "add",        "remove",       "rename",
          "insert",       "connect",      "disconnect", "set",       "get",        "mute",         "unmute",
          "bypass",       "panic",        "graph show", "graph dot", "graph save", "graph load",   "graph check",
          "graph clear",  "meter",        "top",        "watch",     "shell",      "begin",        "commit",
          "abort",        "undo",         "redo",       "history",   "scene save", "scene recall", "scene list",
          "scene rename", "scene remove", "scene diff"}) {
        EXPECT_NE(all_commands().find(name), nullptr) << name;
    }
    EXPECT_EQ(all_commands().find("measure"), nullptr) << "what does not work yet does not exist";
}

TEST(CommandTable, NamesPositionsAndOptionsAreUnique) {
    std::set<std::string_view> names;
    std::set<int> positions;
    for (const Command* command : all_commands().all()) {
        EXPECT_TRUE(names.insert(command->name).second) << command->name;
        EXPECT_TRUE(positions.insert(command->position).second) << command->name;
        for (const Option& option : command->options)
            EXPECT_EQ(find_option(global_options(), option.name), nullptr) << command->name << " " << option.name;
    }
}

TEST(CommandTable, EveryCommandHasAHelpPageWithAnExample) {
    for (const Command* entry : all_commands().all()) {
        const Command& command = *entry;
        const auto invocation = parse(std::string{command.name} + " --help",
                                      command.place == Place::shell ? Place::shell : Place::command_line);
        ASSERT_TRUE(invocation) << command.name << ": " << invocation.error().sentence;
        EXPECT_TRUE(invocation->help);
        ASSERT_EQ(invocation->command, &command);
        std::ostringstream page;
        print_help(page, command);
        EXPECT_NE(page.str().find(command.help), std::string::npos);
        EXPECT_NE(page.str().find("Usage: "), std::string::npos);
        EXPECT_NE(page.str().find("Example"), std::string::npos) << command.name;
        for (const Option& option : command.options)
            EXPECT_NE(page.str().find(option.help), std::string::npos) << option.name;
    }
}

TEST(CommandTable, EveryExampleIsAValidCommand) {
    for (const Command* entry : all_commands().all()) {
        const Command& command = *entry;
        const std::vector<std::string> lines = example_lines(command);
        ASSERT_FALSE(lines.empty()) << command.name;
        for (std::string line : lines) {
            const Place place = command.place == Place::shell ? Place::shell : Place::command_line;
            if (place == Place::command_line) {
                ASSERT_TRUE(line.starts_with("rtactl ")) << line;
                line.erase(0, std::string_view{"rtactl "}.size());
            }
            const auto invocation = parse(line, place);
            ASSERT_TRUE(invocation) << line << ": " << invocation.error().sentence;
            EXPECT_EQ(invocation->command, &command) << line;
        }
    }
}

TEST(CommandTable, TheHelpListsEveryCommandAndOption) {
    std::ostringstream page;
    print_help(page, all_commands(), Place::command_line);
    for (const Command* command : all_commands().all()) {
        const bool listed = page.str().find("  " + std::string{command->name} + " ") != std::string::npos;
        EXPECT_EQ(listed, command->place != Place::program) << command->name;
    }
    for (const Option& option : global_options())
        EXPECT_NE(page.str().find(option.name), std::string::npos) << option.name;
}

TEST(Invocation, TakesOptionsAnywhere) {
    for (const std::string_view line :
         {"--json --timeout 3 set a.b=1 --ramp 5", "set --ramp=5 --json a.b=1 --timeout=3",
          "set a.b=1 --ramp 5 --timeout 3 --json"}) {
        const auto invocation = parse(line);
        ASSERT_TRUE(invocation) << invocation.error().sentence;
        EXPECT_EQ(invocation->command, all_commands().find("set"));
        EXPECT_EQ(invocation->arguments.words, std::vector<std::string>{"a.b=1"});
        EXPECT_EQ(invocation->arguments.value("--ramp"), "5");
        EXPECT_EQ(invocation->globals.value("--timeout"), "3");
        EXPECT_TRUE(invocation->globals.has("--json"));
    }
    EXPECT_EQ(parse("set a.b=1 --ramp=")->arguments.value("--ramp"), "");
}

TEST(Invocation, TakesNumbersAndADashForArguments) {
    EXPECT_EQ(parse("graph save -")->arguments.words[0], "-");
    EXPECT_EQ(parse("connect a -6")->arguments.words[1], "-6");
    EXPECT_EQ(parse("connect a -.5")->arguments.words[1], "-.5");
    EXPECT_EQ(parse("remove -- --json -x")->arguments.words, (std::vector<std::string>{"--json", "-x"}));
}

TEST(Invocation, FindsCommandsOfTwoWords) {
    EXPECT_EQ(parse("graph save f")->command, all_commands().find("graph save"));
    EXPECT_EQ(parse("graph --json save f")->command, all_commands().find("graph save"));
    EXPECT_EQ(parse("graph --help")->group, "graph");
    EXPECT_EQ(parse("--help")->command, nullptr);
    EXPECT_EQ(parse("")->command, nullptr);
}

TEST(Invocation, RefusesAndSuggests) {
    struct Case {
        std::string_view line;
        std::string_view says;
    };
    for (const auto& [line, says] : {
             Case{"stauts", "did you mean \"status\"?"},
             Case{"disconect a b", "did you mean \"disconnect\"?"},
             Case{"xyzzy", "`rtactl --help` lists all commands"},
             Case{"''", "unknown command \"\""},
             Case{"graph", "one of show, dot, save, load, check, diff, compensate, clear"},
             Case{"load f", "unknown command \"load\"; did you mean \"graph load\"?"},
             Case{"lod f", "did you mean \"graph load\"?"},
             Case{"graph-load f", "did you mean \"graph load\"?"},
             Case{"discon a b", "did you mean \"disconnect\"?"},
             Case{"disc a b", "unknown command \"disc\"; `rtactl --help` lists all commands"},
             Case{"graph svae f", "did you mean \"graph save\"?"},
             Case{"graph xyzzy", "expected one of: show, dot, save"},
             Case{"set a.b=1 --rmp 3", "did you mean \"--ramp\"?"},
             Case{"status --ramp 3", "status does not take --ramp; expected one of: "},
             Case{"--hots x status", "did you mean \"--host\"?"},
             Case{"status -x", "unknown option \"-x\""},
             Case{"set a.b=1 --ramp", "--ramp needs a value: --ramp MS"},
             Case{"--timeout", "--timeout needs a value"},
             Case{"status --json=yes", "--json takes no value"},
             Case{"status now", "unexpected argument \"now\"; usage: status"},
             Case{"add sine", "missing argument; usage: add TYPE NAME [p=v...]"},
             Case{"connect a b c d", "unexpected argument \"d\""},
             Case{"remove", "missing argument; usage: remove NAME..."},
             Case{"begin", "is only available inside `rtactl shell`"},
         }) {
        const auto invocation = parse(line);
        ASSERT_FALSE(invocation) << line;
        EXPECT_EQ(invocation.error().exit, Exit::usage);
        EXPECT_NE(invocation.error().sentence.find(says), std::string::npos)
            << line << ": " << invocation.error().sentence;
    }
}

TEST(Invocation, KnowsWhatTheShellDoesNotTake) {
    EXPECT_NE(parse("shell", Place::shell).error().sentence.find("is not available inside the shell"),
              std::string::npos);
    EXPECT_NE(parse("status --json", Place::shell).error().sentence.find("give it to rtactl itself"),
              std::string::npos);
    EXPECT_NE(parse("status --jsno", Place::shell).error().sentence.find("unknown option"), std::string::npos);
    EXPECT_TRUE(parse("begin", Place::shell));
}

TEST(Invocation, RefusesWhatIsNotUtf8AndCutsAMegabyteShort) {
    EXPECT_NE(parse_invocation(all_commands(), std::vector<std::string>{"remove", "a\xff"}, Place::command_line)
                  .error()
                  .sentence.find("expected UTF-8"),
              std::string::npos);
    const std::string megabyte(1'000'000, 'x');
    EXPECT_LT(parse_invocation(all_commands(), std::vector<std::string>{megabyte}, Place::command_line)
                  .error()
                  .sentence.size(),
              300U);
    EXPECT_LT(parse_invocation(all_commands(), std::vector<std::string>{"status", megabyte}, Place::command_line)
                  .error()
                  .sentence.size(),
              300U);
    EXPECT_LT(parse_invocation(all_commands(), std::vector<std::string>{"--" + megabyte}, Place::command_line)
                  .error()
                  .sentence.size(),
              400U);
}

}  // namespace
}  // namespace rta::rtactl
