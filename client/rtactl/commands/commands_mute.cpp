// SPDX-License-Identifier: MIT
#include <optional>
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/language/command.h"
#include "rtactl/language/values.h"
#include "text/names.h"

namespace rta::rtactl {

namespace {

/// Of a parameter that is on or off.
Result<void> set_switch(Session& session, const std::string& node, const std::string& parameter, bool on) {
    v1::SetParameter change;
    change.set_node(node);
    change.set_parameter(parameter);
    change.set_value(on ? 1.0F : 0.0F);
    const std::string title = node + "." + parameter + " = " + (on ? "on" : "off");
    if (session.transaction()) {
        v1::Edit edit;
        *edit.mutable_set_parameter() = change;
        return session.edit({std::move(edit)}, title);
    }
    v1::Request request;
    *request.mutable_set_parameters()->add_changes() = change;
    const auto response = session.perform(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (!session.json()) session.out() << title << '\n';
    return {};
}

Result<void> mute_output(Session& session, bool muted) {
    if (session.transaction()) {
        return usage_error(
            "the device output is no part of the graph, so it cannot be muted or unmuted in a transaction: commit or "
            "abort first");
    }
    v1::Request request;
    request.mutable_mute_output()->set_muted(muted);
    const auto response = session.perform(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (session.json()) return {};
    session.out() << (muted ? "the device output is muted" : "the device output is no longer muted");
    if (response->mute_output().has_frame()) session.out() << ", from frame " << response->mute_output().frame();
    session.out() << (muted ? "; `rtactl unmute` brings it back\n" : "\n");
    return {};
}

/// Word number `index`; on where it was left out.
Result<bool> parse_switch_word(std::string_view command, const Arguments& arguments, std::size_t index) {
    if (arguments.words.size() <= index) return true;
    if (const auto on = parse_switch(arguments.words[index])) return *on;
    return usage_error(std::string{command} + ": " + quoted(arguments.words[index]) + " is neither on nor off");
}

Result<void> mute(Session& session, const Arguments& arguments, bool muted) {
    return arguments.words.empty() ? mute_output(session, muted)
                                   : set_switch(session, arguments.words[0], "mute", muted);
}

}  // namespace

Result<void> run_mute(Session& session, const Arguments& arguments) { return mute(session, arguments, true); }

Result<void> run_unmute(Session& session, const Arguments& arguments) { return mute(session, arguments, false); }

Result<void> run_bypass(Session& session, const Arguments& arguments) {
    const auto on = parse_switch_word("bypass", arguments, 1);
    if (!on) return std::unexpected(on.error());
    return set_switch(session, arguments.words[0], "bypass", *on);
}

Result<void> run_graph_compensate(Session& session, const Arguments& arguments) {
    const auto enabled = parse_switch_word("graph compensate", arguments, 0);
    if (!enabled) return std::unexpected(enabled.error());
    v1::Edit edit;
    edit.mutable_set_latency_compensation()->set_enabled(*enabled);
    return session.edit({std::move(edit)});
}

Result<void> run_panic(Session& session, const Arguments&) {
    v1::Request request;
    request.mutable_panic();
    const auto response = session.perform(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (session.json()) return {};
    session.out() << "every processor starts afresh";
    if (response->panic().has_frame()) session.out() << ", from frame " << response->panic().frame();
    session.out() << "; the device output is muted now: `rtactl unmute` brings it back\n";
    return {};
}

}  // namespace rta::rtactl
