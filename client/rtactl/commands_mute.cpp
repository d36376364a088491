// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/command.h"
#include "rtactl/session.h"

namespace rta::rtactl {

namespace {

Result<void> mute_node(Session& session, const std::string& node, bool muted) {
    v1::SetParameter change;
    change.set_node(node);
    change.set_parameter("mute");
    change.set_value(muted ? 1.0F : 0.0F);
    const std::string title = node + ".mute = " + (muted ? "on" : "off");
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

Result<void> mute(Session& session, const Arguments& arguments, bool muted) {
    return arguments.words.empty() ? mute_output(session, muted) : mute_node(session, arguments.words[0], muted);
}

}  // namespace

Result<void> run_mute(Session& session, const Arguments& arguments) { return mute(session, arguments, true); }

Result<void> run_unmute(Session& session, const Arguments& arguments) { return mute(session, arguments, false); }

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
