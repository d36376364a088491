// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/language/whole_number.h"
#include "text/quoting.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_cancel(Context& context, const Arguments& arguments) {
    const std::string& word = arguments.words[0];
    const auto id = parse_whole_number(word);
    if (!id)
        return usage_error(quoted(word) + " is not the id of an edit; expected a whole number from `rtactl pending`");
    v1::Request request;
    request.mutable_cancel_pending()->set_id(*id);
    const auto response = context.change(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (!context.json())
        context.out() << "cancelled edit " << *id << ": " << response->cancel_pending().edit().summary() << '\n';
    return {};
}

}  // namespace

extern constinit const Command kCancel = checked({
    .position = 380,
    .name = "cancel",
    .arguments = {Argument{"ID", Expects::text}},
    .help = "Cancel an edit that waits for its time; see pending.",
    .details = "An edit can be cancelled until the daemon sends it to the audio thread, a few milliseconds ahead.",
    .example = "rtactl cancel 3",
    .run = run_cancel,
});

}  // namespace rta::rtactl::commands
