// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/context.h"
#include "text/access_token.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_token_new(Context& context, const Arguments& arguments) {
    v1::Request request;
    v1::CreateToken& create = *request.mutable_create_token();
    const auto role = arguments.value("--role");
    if (!role) return usage_error("token new needs --role ROLE: read, control or admin");
    create.set_name(arguments.words[0]);
    create.set_role(std::string{*role});
    if (const auto expires = arguments.value("--expires")) {
        const auto lifetime_s = parse_lifetime(*expires);
        if (!lifetime_s) return usage_error("--expires: " + lifetime_s.error());
        create.set_lifetime_s(static_cast<std::uint64_t>(*lifetime_s));
    }
    const auto response = context.change(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (!context.json()) context.out() << response->create_token().token() << '\n';
    return {};
}

constexpr std::array kTokenNewOptions{
    Option{"--role", "ROLE", "Set what clients with the token may do: read, control or admin.", Expects::role},
    Option{"--expires", "TIME", "Let the token expire after this time, such as 30d, 12h or 90min."},
};

}  // namespace

extern constinit const Command kTokenNew = checked({
    .position = 116,
    .name = "token new",
    .arguments = {Argument{"NAME"}},
    .help = "Create an access token and print it, once.",
    .details =
        "The daemon keeps only a hash of it. NAME is the author of everything that clients with the token change. A\n"
        "client sends the token in Hello; rtactl reads it from the file of --token-file or RTACTL_TOKEN_FILE. From the\n"
        "first token on, clients on TCP need one. Needs the role admin.",
    .example = "rtactl token new --role control desk\n"
               "rtactl token new --role read --expires 30d wall-display",
    .options = kTokenNewOptions,
    .run = run_token_new,
});

}  // namespace rta::rtactl::commands
