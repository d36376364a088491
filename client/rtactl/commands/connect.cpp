// SPDX-License-Identifier: MIT
#include "rta/edits.h"
#include "rtactl/context/context.h"
#include "rtactl/language/assignment.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl::commands {

namespace {

Result<float> parse_gain(const std::string& word) {
    const auto gain = parse_assignment(word);
    if (!gain || gain->name != "gain_db") {
        return usage_error("invalid value " + quoted(word) +
                           " of a connection: expected gain_db=v, such as gain_db=-6");
    }
    const auto value = parse_value(gain->value, ValueUnit::decibel);
    if (!value) return usage_error("cannot set gain_db: " + value.error());
    return static_cast<float>(*value);
}

Result<void> run_connect(Context& context, const Arguments& arguments) {
    v1::Edit edit = connect_edit(arguments.words[0], arguments.words[1]);
    std::string done = "connected " + arguments.words[0] + " -> " + arguments.words[1];
    if (arguments.words.size() > 2) {
        const auto gain_db = parse_gain(arguments.words[2]);
        if (!gain_db) return std::unexpected(gain_db.error());
        edit.mutable_connect()->set_gain_db(*gain_db);
        done += " at " + format_value(*gain_db, "dB");
    }
    return context.edit({std::move(edit)}, std::move(done));
}

}  // namespace

extern constinit const Command kConnect = checked({
    .position = 250,
    .name = "connect",
    .arguments = {Argument{"A", Expects::output}, Argument{"B", Expects::input},
                  Argument{"gain_db=v", Expects::connection_value, 0}},
    .help = "Connect output A to input B, or change the gain of an existing connection.",
    .details = "A and B are NODE or NODE:PORT. The port may be omitted if the node has only one.",
    .example = "rtactl connect osc vol\n"
               "rtactl connect osc vol gain_db=-6",
    .options = kEditOptions,
    .in_transaction = InTransaction::collected,
    .run = run_connect,
});

}  // namespace rta::rtactl::commands
