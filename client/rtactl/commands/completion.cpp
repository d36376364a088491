// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/terminal/completion_scripts.h"
#include "text/suggestion.h"

namespace rta::rtactl::commands {

namespace {

constexpr std::array<std::string_view, 3> kShells{"bash", "zsh", "fish"};
constexpr std::array kScripts{bash_completion, zsh_completion, fish_completion};
static_assert(kShells.size() == kScripts.size());

Result<void> run_completion(Context& context, const Arguments& arguments) {
    const auto* found = std::ranges::find(kShells, arguments.words[0]);
    if (found == kShells.end()) return usage_error(unknown_name("shell", arguments.words[0], kShells));
    context.out() << kScripts[static_cast<std::size_t>(found - kShells.begin())](context.commands());
    return {};
}

}  // namespace

extern constinit const Command kCompletion = checked({
    .position = 710,
    .name = "completion",
    .arguments = {Argument{"bash|zsh|fish", Expects::choice, 1, 1, kShells}},
    .help = "Print the completion script for a shell.",
    .details = "`cmake --install` installs the scripts where the shells look for them. To load one by hand:\n"
               "  bash  source <(rtactl completion bash)\n"
               "  zsh   source <(rtactl completion zsh), after compinit\n"
               "  fish  rtactl completion fish | source",
    .example = "rtactl completion bash",
    .place = Place::command_line,
    .connects = false,
    .run = run_completion,
});

}  // namespace rta::rtactl::commands
