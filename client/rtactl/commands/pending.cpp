// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/drawing/text_table.h"
#include "rtactl/drawing/wording.h"
#include "text/access_token.h"

namespace rta::rtactl::commands {

namespace {

void print_edits(std::ostream& out, const v1::PendingResult& pending) {
    if (pending.edits_size() == 0) {
        out << "no edits wait for their time\n";
        return;
    }
    TextTable table;
    table.heading({"ID", "FRAME", "TIME", "AUTHOR", "CLIENT", "EDIT"});
    for (const v1::PendingEdit& edit : pending.edits()) {
        table.add({std::to_string(edit.id()), std::to_string(edit.frame()), utc_text(edit.utc_us() / 1'000'000),
                   edit.author(), edit.client_name(), edit.summary()});
    }
    table.print(out);
}

Result<void> run_pending(Context& context, const Arguments&) {
    v1::Request request;
    request.mutable_list_pending();
    const auto response = context.query(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (context.json()) return {};
    print_edits(context.out(), response->list_pending());
    v1::Request get_status;
    get_status.mutable_get_status();
    const auto status = context.call(std::move(get_status));
    if (!status) return std::unexpected(status.error());
    if (status->get_status().has_confirmation())
        context.out() << confirmation_text(status->get_status().confirmation()) << '\n';
    return {};
}

}  // namespace

extern constinit const Command kPending = checked({
    .position = 370,
    .name = "pending",
    .help = "List the edits that wait for their time, made with --at, or for a confirmation.",
    .details =
        "The daemon keeps those with a time in memory: they survive the client that made them, but not the daemon.",
    .example = "rtactl pending",
    .run = run_pending,
});

}  // namespace rta::rtactl::commands
