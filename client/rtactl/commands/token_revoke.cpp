// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/drawing/wording.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_token_revoke(Context& context, const Arguments& arguments) {
    v1::Request request;
    request.mutable_revoke_token()->set_name(arguments.words[0]);
    const auto response = context.change(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (context.json()) return {};
    context.out() << "revoked " << arguments.words[0] << ", disconnected "
                  << counted(response->revoke_token().disconnected_count(), "client") << '\n';
    return {};
}

}  // namespace

extern constinit const Command kTokenRevoke = checked({
    .position = 118,
    .name = "token revoke",
    .arguments = {Argument{"NAME"}},
    .help = "Revoke an access token and disconnect the clients that use it.",
    .details =
        "NAME may be that of a session, which began with a one-time code of `rtactl web`: session/1. The sessions of a\n"
        "token, and its codes, end with it. Needs the role admin.",
    .example = "rtactl token revoke desk",
    .run = run_token_revoke,
});

}  // namespace rta::rtactl::commands
