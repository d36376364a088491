// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/undo_call.h"
#include "rtactl/drawing/text_table.h"
#include "text/access_token.h"

namespace rta::rtactl::commands {

namespace {

constexpr std::uint32_t kUsualSteps = 20;
constexpr std::int64_t kMicrosecondsPerSecond = 1'000'000;

void print_history(std::ostream& out, const v1::HistoryResult& history) {
    if (history.steps_size() == 0) {
        out << "no changes of the graph yet\n";
        return;
    }
    TextTable table;
    table.heading({"STEP", "TIME", "AUTHOR", "CLIENT", "UNDONE BY", "CHANGE"});
    for (const v1::HistoryStep& step : history.steps()) {
        table.add({std::to_string(step.number()), utc_text(step.utc_us() / kMicrosecondsPerSecond), step.author(),
                   step.client_name(), step.undone() ? step.undone_by() : "", step.summary()});
    }
    table.print(out);
}

Result<void> run_history(Context& context, const Arguments& arguments) {
    const auto steps = parse_steps("history", arguments, kUsualSteps);
    if (!steps) return std::unexpected(steps.error());
    v1::Request request;
    request.mutable_get_history()->set_steps(*steps);
    const auto response = context.query(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (!context.json()) print_history(context.out(), response->get_history());
    return {};
}

}  // namespace

extern constinit const Command kHistory = checked({
    .position = 360,
    .name = "history",
    .arguments = {Argument{"N", Expects::text, 0}},
    .help = "List the latest changes of the graph, 20 or N, with who made them and whether they are undone.",
    .details = "The latest comes first. Times are in UTC.",
    .example = "rtactl history\n"
               "rtactl history 100",
    .run = run_history,
});

}  // namespace rta::rtactl::commands
