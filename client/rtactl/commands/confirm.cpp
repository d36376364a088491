// SPDX-License-Identifier: MIT
#include <array>
#include <cstdint>
#include <optional>
#include <ostream>

#include "rtactl/context/undo_call.h"
#include "rtactl/language/whole_number.h"
#include "text/quoting.h"

namespace rta::rtactl::commands {

namespace {

Result<std::optional<std::uint64_t>> parse_id(const Arguments& arguments) {
    if (arguments.words.empty()) return std::nullopt;
    const std::string& word = arguments.words[0];
    if (const auto id = parse_whole_number(word)) return id;
    return usage_error(quoted(word) +
                       " is not the id of a confirmation; expected a whole number, as printed by `rtactl status`");
}

Result<void> run_confirm(Context& context, const Arguments& arguments) {
    const auto id = parse_id(arguments);
    if (!id) return std::unexpected(id.error());
    v1::Request request;
    if (arguments.has("--revert")) {
        v1::Revert& revert = *request.mutable_revert();
        if (*id) revert.set_id(**id);
        const auto response = context.change(std::move(request));
        if (!response) return std::unexpected(response.error());
        print_undo(context, response->revert());
        return {};
    }
    v1::Confirm& confirm = *request.mutable_confirm();
    if (*id) confirm.set_id(**id);
    const auto response = context.change(std::move(request));
    if (!response) return std::unexpected(response.error());
    const v1::OpenConfirmation& edit = response->confirm().confirmation();
    if (!context.json()) {
        context.out() << "confirmed the edit of " << edit.author() << (edit.summary().empty() ? "" : ": ")
                      << edit.summary() << '\n';
    }
    return {};
}

constexpr std::array kConfirmOptions{Option{"--revert", "", "Revert the edit now, instead of keeping it."}};

}  // namespace

extern constinit const Command kConfirm = checked({
    .position = 385,
    .name = "confirm",
    .arguments = {Argument{"ID", Expects::text, 0}},
    .help = "Keep the edit that waits for its confirmation, or revert it.",
    .details =
        "An edit with --confirm-within is reverted, with a crossfade, unless it is confirmed in time: also if the client\n"
        "disconnects or rtad is started again. At most one edit waits; `rtactl status` shows it. Until then, the daemon\n"
        "refuses the edits of other authors, except changes of parameters, mute, panic and volume. Later edits of the\n"
        "same author are reverted together with it; parameters that were set in the meantime keep their values.",
    .example = "rtactl confirm\n"
               "rtactl confirm --revert",
    .options = kConfirmOptions,
    .run = run_confirm,
});

}  // namespace rta::rtactl::commands
