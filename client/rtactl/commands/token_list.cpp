// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/drawing/text_table.h"
#include "text/access_token.h"

namespace rta::rtactl::commands {

namespace {

void print_sessions(std::ostream& out, const v1::ListTokensResult& tokens) {
    if (tokens.sessions_size() == 0) return;
    TextTable table;
    table.heading({"SESSION", "ROLE", "CLIENTS", "BEGAN", "ENDS", "AUTHOR"});
    for (const v1::SessionState& session : tokens.sessions()) {
        table.add({session.name(), session.role(), std::to_string(session.client_count()),
                   utc_text(session.created_s()), utc_text(session.expires_s()), session.author()});
    }
    out << '\n';
    table.print(out);
}

void print_tokens(std::ostream& out, const v1::ListTokensResult& tokens) {
    if (tokens.tokens_size() == 0) {
        out << "no access tokens: clients on TCP need none\n";
        return;
    }
    TextTable table;
    table.heading({"NAME", "ROLE", "CLIENTS", "CREATED", "EXPIRES"});
    for (const v1::TokenState& token : tokens.tokens()) {
        const std::string expires = token.has_expires_s() ? utc_text(token.expires_s()) : "never";
        table.add({token.name(), token.role(), std::to_string(token.client_count()), utc_text(token.created_s()),
                   expires + (token.expired() ? " (expired)" : "")},
                  token.expired() ? Style::warning : Style::plain);
    }
    table.print(out);
}

Result<void> run_token_list(Context& context, const Arguments&) {
    v1::Request request;
    request.mutable_list_tokens();
    const auto response = context.query(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (context.json()) return {};
    print_tokens(context.out(), response->list_tokens());
    print_sessions(context.out(), response->list_tokens());
    return {};
}

}  // namespace

extern constinit const Command kTokenList = checked({
    .position = 117,
    .name = "token list",
    .help = "List the access tokens, with their roles and the number of clients that use them.",
    .details = "Also lists the sessions that began with a one-time code of `rtactl web`. Needs the role admin.",
    .example = "rtactl token list",
    .run = run_token_list,
});

}  // namespace rta::rtactl::commands
