// SPDX-License-Identifier: MIT
#include "rtactl/program.h"

#include <chrono>
#include <cstdlib>
#include <optional>
#include <ostream>

#include "rtactl/drawing/help_page.h"
#include "rtactl/language/values.h"
#include "rtactl/terminal/printable_stream.h"
#include "text/names.h"

namespace rta::rtactl {

namespace {

Result<std::chrono::milliseconds> parse_timeout(std::string_view text) {
    constexpr double kLongestS = 86'400;
    const auto seconds = parse_value(text, ValueUnit::seconds);
    if (!seconds) return usage_error("--timeout: " + seconds.error());
    if (!(*seconds >= 0.001 && *seconds <= kLongestS)) {
        return usage_error("--timeout: " + quoted(text) + " is out of range; write a time from 1ms to 86400s");
    }
    return std::chrono::milliseconds{static_cast<long long>(*seconds * 1000.0)};
}

/// What RTACTL_HOST says, if anything: a path is a socket, everything else an address.
Result<std::optional<client::Endpoint>> environment_endpoint() {
    const char* const text = std::getenv("RTACTL_HOST");  // NOLINT(concurrency-mt-unsafe): nothing changes it
    if (text == nullptr || *text == '\0') return std::nullopt;
    if (std::string_view{text}.find('/') != std::string_view::npos) return client::UnixEndpoint{text};
    auto endpoint = client::parse_tcp_endpoint(text);
    if (!endpoint)
        return usage_error("the environment variable RTACTL_HOST: " + endpoint.error() + ", or a socket's path");
    return std::move(*endpoint);
}

}  // namespace

Result<SessionOptions> session_options(const Arguments& globals) {
    SessionOptions options;
    options.json = globals.has("--json");
    const auto host = globals.value("--host");
    const auto socket = globals.value("--socket");
    if (host && socket) return usage_error("--host and --socket are two ways to one daemon; give one of them");
    if (host) {
        auto endpoint = client::parse_tcp_endpoint(*host);
        if (!endpoint) return usage_error("--host: " + endpoint.error());
        options.endpoints.emplace_back(std::move(*endpoint));
    } else if (socket) {
        if (socket->empty()) return usage_error("--socket: the path is empty");
        options.endpoints.emplace_back(client::UnixEndpoint{std::string{*socket}});
    } else {
        auto endpoint = environment_endpoint();
        if (!endpoint) return std::unexpected(std::move(endpoint.error()));
        if (*endpoint) {
            options.endpoints.push_back(std::move(**endpoint));
        } else {
            options.endpoints = client::local_endpoints();
        }
    }
    if (const auto timeout = globals.value("--timeout")) {
        const auto parsed = parse_timeout(*timeout);
        if (!parsed) return std::unexpected(parsed.error());
        options.timeout = *parsed;
    }
    return options;
}

namespace {

Result<void> run(const Invocation& invocation, SessionOptions options, Streams streams) {
    Session session{std::move(options), streams};
    return run(session, invocation);
}

Result<void> run_words(std::span<const std::string> words, Streams streams) {
    const auto invocation = parse_invocation(words, Place::command_line);
    if (!invocation) return std::unexpected(invocation.error());
    if (invocation->globals.has("--version")) {
        streams.out << "rtactl " << RTA_VERSION << '\n';
        return {};
    }
    if (invocation->command == nullptr && !invocation->help) {
        return usage_error("no command is given; `rtactl --help` lists them");
    }
    auto options = session_options(invocation->globals);
    if (!options) return std::unexpected(std::move(options.error()));
    if (options->json) return run(*invocation, std::move(*options), streams);
    PrintableStream out{streams.out};
    const Streams shown{.in = streams.in,
                        .out = out,
                        .err = streams.err,
                        .interactive = streams.interactive,
                        .terminal = streams.terminal,
                        .descriptor = streams.descriptor,
                        .screen = &streams.out};
    const Result<void> outcome = run(*invocation, std::move(*options), shown);
    out.flush();
    return outcome;
}

}  // namespace

Result<void> run(Session& session, const Invocation& invocation) {
    if (invocation.help) {
        if (invocation.command != nullptr) {
            print_help(session.out(), *invocation.command);
        } else if (!invocation.group.empty()) {
            print_group_help(session.out(), invocation.group);
        } else {
            print_help(session.out(), session.line == 0 ? Place::command_line : Place::shell);
        }
        return {};
    }
    const Command& command = *invocation.command;
    if (session.transaction() && command.in_transaction == InTransaction::refused) {
        return usage_error(std::string{command.name} + " cannot be part of a transaction: commit or abort first");
    }
    return command.run(session, invocation.arguments);
}

Exit run(std::span<const std::string> words, Streams given) {
    // JSON escapes what it holds; errors are text in any case.
    PrintableStream err{given.err};
    const Streams streams{.in = given.in,
                          .out = given.out,
                          .err = err,
                          .interactive = given.interactive,
                          .terminal = given.terminal,
                          .descriptor = given.descriptor,
                          .screen = given.screen};
    const auto result = run_words(words, streams);
    streams.out.flush();
    if (!result) {
        if (!result.error().sentence.empty()) streams.err << "rtactl: " << result.error().sentence << '\n';
        return result.error().exit;
    }
    if (!streams.out) {
        streams.err << "rtactl: the output cannot be written\n";
        return Exit::refused;
    }
    return Exit::done;
}

}  // namespace rta::rtactl
