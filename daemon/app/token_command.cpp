// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "app/commands.h"
#include "app/logging.h"
#include "app/token_keeper.h"
#include "os/unique_fd.h"
#include "store/state_folder.h"
#include "store/token_file.h"
#include "text/access_token.h"

namespace rta::app {
namespace {

[[nodiscard]] int failed(int status, const Error& error) {
    print_error(error.sentence);
    return status;
}

[[nodiscard]] std::int64_t now_s() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

[[nodiscard]] int print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    return std::fflush(stdout) == 0 ? kExitClean : kExitFailure;
}

[[nodiscard]] std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text + "  ";
}

[[nodiscard]] int print_list(const store::TokenList& list) {
    constexpr std::size_t kTimeWidth = 20;
    std::size_t width = 4;
    for (const TokenInfo& token : list.infos()) width = std::max(width, token.name.size());
    std::string page = padded("NAME", width) + padded("ROLE", 7) + padded("CREATED", kTimeWidth) + "EXPIRES\n";
    for (const TokenInfo& token : list.infos()) {
        page += padded(token.name, width) + padded(std::string{role_name(token.role)}, 7) +
                padded(utc_text(token.created_s), kTimeWidth) +
                (token.expires_s ? utc_text(*token.expires_s) : "never") +
                (token.expired(now_s()) ? " (expired)" : "") + "\n";
    }
    return print(page);
}

/// Excludes a running daemon, which would overwrite what this process writes.
struct Lock {
    std::optional<store::StateFolder> folder{};
    os::UniqueFd file{};
};

[[nodiscard]] Expected<void> lock(const TokenOptions& options, Lock& lock) {
    if (options.state_directory.empty()) {
        auto locked = store::lock_token_file(options.file);
        if (!locked) return std::unexpected(std::move(locked.error()));
        lock.file = std::move(*locked);
        return {};
    }
    return lock.folder.emplace(options.state_directory).open();
}

[[nodiscard]] int change(const TokenOptions& options, const std::string& path) {
    Lock held;
    if (const auto locked = lock(options, held); !locked) {
        const bool in_use = locked.error().code == ErrorCode::already_exists;
        if (!in_use) return failed(kExitFailure, locked.error());
        print_error("the tokens in " + path + " are in use by a running rtad: change them with `rtactl token`");
        return kExitUsage;
    }
    auto list = store::read_token_file(path);
    if (!list) return failed(kExitUsage, list.error());
    std::string output;
    if (options.action == TokenOptions::Action::create) {
        auto secret = list->add(new_token(options.name, options.role, options.lifetime_s, now_s()));
        // Without random numbers, the same command may succeed later.
        if (!secret)
            return failed(secret.error().code == ErrorCode::internal ? kExitFailure : kExitUsage, secret.error());
        output = *secret + "\n";
    } else if (const auto removed = list->remove(options.name); !removed) {
        return failed(kExitUsage, removed.error());
    }
    if (const auto written = store::write_token_file(path, *list); !written)
        return failed(kExitFailure, written.error());
    return print(output);
}

}  // namespace

int run_token(const TokenOptions& options) {
    const std::string path = options.file.empty() ? store::token_file_in(options.state_directory) : options.file;
    if (options.action != TokenOptions::Action::list) return change(options, path);
    const auto list = store::read_token_file(path);
    return list ? print_list(*list) : failed(kExitUsage, list.error());
}

}  // namespace rta::app
