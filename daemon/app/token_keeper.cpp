// SPDX-License-Identifier: MIT
#include "app/token_keeper.h"

#include <memory>
#include <utility>

#include "api/exception_barrier.h"
#include "api/workers.h"
#include "app/logging.h"
#include "store/token_file.h"
#include "text/access_token.h"

namespace rta::app {
namespace {

std::optional<TokenInfo> copy_of(const TokenInfo* token) {
    return token == nullptr ? std::nullopt : std::optional{*token};
}

std::string by(const std::string& author) { return author.empty() ? "" : " by " + author; }

}  // namespace

TokenInfo new_token(std::string name, Role role, std::optional<std::int64_t> lifetime_s, std::int64_t now_s) {
    TokenInfo token{.name = std::move(name), .role = role, .created_s = now_s};
    if (lifetime_s) token.expires_s = now_s + *lifetime_s;
    return token;
}

Expected<void> TokenKeeper::open() {
    if (path_.empty()) return {};
    if (locks_) {
        auto lock = store::lock_token_file(path_);
        if (lock) {
            lock_ = std::move(*lock);
        } else if (lock.error().code == ErrorCode::already_exists) {
            return fail(ErrorCode::already_exists, lock.error().sentence + "; give this one its own --tokens FILE");
        } else {
            // The tokens of a directory that cannot be written are valid, and cannot be changed.
            log(net::LogLevel::info, lock.error().sentence + "; clients cannot change the access tokens");
        }
    }
    auto list = store::read_token_file(path_);
    if (!list) return std::unexpected(std::move(list.error()));
    list_ = std::move(*list);
    return {};
}

std::optional<TokenInfo> TokenKeeper::find_secret(std::string_view secret) const {
    return copy_of(list_.find_secret(secret));
}

std::optional<TokenInfo> TokenKeeper::find_name(std::string_view name) const { return copy_of(list_.find_name(name)); }

void TokenKeeper::create(const NewToken& token, api::Workers& workers,
                         const std::function<void(Expected<Created>)>& done) {
    if (path_.empty()) return Access::create(token, workers, done);
    const auto created = std::make_shared<Created>();
    add({.apply = [this, token, created](store::TokenList& list) -> Expected<void> {
             created->info = new_token(token.name, token.role, token.lifetime_s, now_s());
             auto secret = list.add(created->info);
             if (!secret) return std::unexpected(std::move(secret.error()));
             created->secret = std::move(*secret);
             return {};
         },
         .done =
             [created, author = token.author, done](const Expected<void>& outcome) {
                 if (!outcome) return done(std::unexpected(outcome.error()));
                 const TokenInfo& info = created->info;
                 log(net::LogLevel::info, "access token " + info.name + " (" + std::string{role_name(info.role)} +
                                              ") was created" + by(author) +
                                              (info.expires_s ? "; it expires at " + utc_text(*info.expires_s) : ""));
                 done(std::move(*created));
             },
         .workers = workers});
}

void TokenKeeper::revoke(const std::string& name, const std::string& author, api::Workers& workers,
                         const std::function<void(Expected<void>)>& done) {
    if (path_.empty()) return Access::revoke(name, author, workers, done);
    add({.apply = [name](store::TokenList& list) { return list.remove(name); },
         .done =
             [name, author, done](const Expected<void>& outcome) {
                 if (outcome) log(net::LogLevel::info, "access token " + name + " was revoked" + by(author));
                 done(outcome);
             },
         .workers = workers});
}

void TokenKeeper::add(Change change) {
    changes_.push_back(std::move(change));
    start_next();
}

void TokenKeeper::start_next() {
    while (!busy_ && !changes_.empty()) {
        busy_ = true;
        Expected<void> outcome;
        const auto ran = api::guarded("changing the access tokens", [&] { outcome = start(); });
        if (!ran) outcome = ran;
        if (!outcome) finish(outcome);
    }
}

/// Makes the first change, and writes the file on a worker. After an error, nothing has been started.
Expected<void> TokenKeeper::start() {
    const Change& change = changes_.front();
    const auto next = std::make_shared<store::TokenList>(list_);
    if (auto applied = change.apply(*next); !applied) return applied;
    const auto written = std::make_shared<Expected<void>>();
    change.workers.run(
        "saving the access tokens", [path = path_, next, written] { *written = store::write_token_file(path, *next); },
        [this, next, written](const Expected<void>& ran) {
            const Expected<void>& outcome = ran ? *written : ran;
            if (outcome) list_ = std::move(*next);
            finish(outcome);
            start_next();
        });
    return {};
}

/// Changes that `done` adds wait for their turn. An exception of `done` must not stop the changes behind it.
void TokenKeeper::finish(const Expected<void>& outcome) {
    const Change change = std::move(changes_.front());
    changes_.pop_front();
    static_cast<void>(api::guarded("reporting a change of the access tokens", [&] { change.done(outcome); }));
    busy_ = false;
}

}  // namespace rta::app
