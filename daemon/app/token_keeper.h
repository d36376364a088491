// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "api/access.h"
#include "os/unique_fd.h"
#include "store/token_list.h"
#include "text/error.h"

namespace rta::app {

/// The access tokens of the daemon: reads their file at the start and writes it on a worker after each change. Changes are
/// made one after the other. A change is visible when it is on the disk, and not at all if that fails. [control]
class TokenKeeper final : public api::Access {
 public:
    /// `path` is the token file; empty: no tokens. With `locks`, the file is locked by this object; otherwise the
    /// lock of the state directory, which holds the file, excludes other processes.
    TokenKeeper(std::string path, bool locks) : path_{std::move(path)}, locks_{locks} {}

    /// Reads the file. Must be called once, before any client is served. After an error, the daemon must not start: see
    /// store::read_token_file().
    [[nodiscard]] Expected<void> open();

    [[nodiscard]] bool has_tokens() const override { return !list_.empty(); }
    [[nodiscard]] std::optional<TokenInfo> find_secret(std::string_view secret) const override;
    [[nodiscard]] std::optional<TokenInfo> find_name(std::string_view name) const override;
    [[nodiscard]] std::vector<TokenInfo> list() const override { return list_.infos(); }
    void create(const NewToken& token, api::Workers& workers,
                const std::function<void(Expected<Created>)>& done) override;
    void revoke(const std::string& name, const std::string& author, api::Workers& workers,
                const std::function<void(Expected<void>)>& done) override;

 private:
    struct Change {
        /// Changes a copy of the tokens. An error refuses the change.
        std::function<Expected<void>(store::TokenList&)> apply;
        std::function<void(const Expected<void>&)> done;
        api::Workers& workers;
    };
    void add(Change change);
    void start_next();
    [[nodiscard]] Expected<void> start();
    void finish(const Expected<void>& outcome);

    const std::string path_;
    const bool locks_;
    os::UniqueFd lock_;
    store::TokenList list_;
    std::deque<Change> changes_;
    bool busy_ = false;  ///< the first one of changes_ is being made
};

/// Returns a token with the given name, role and lifetime that is created now.
[[nodiscard]] TokenInfo new_token(std::string name, Role role, std::optional<std::int64_t> lifetime_s,
                                  std::int64_t now_s);

}  // namespace rta::app
