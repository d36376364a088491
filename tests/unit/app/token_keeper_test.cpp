// SPDX-License-Identifier: MIT
#include "app/token_keeper.h"

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "api/workers.h"
#include "store/token_file.h"
#include "support/temporary.h"

namespace rta::app {
namespace {

/// Keeps work until the test runs it.
class HeldWorkers final : public api::Workers {
 public:
    /// Runs the oldest work.
    void finish() {
        const auto [work, done] = std::move(jobs.front());
        jobs.pop_front();
        work();
        done();
    }

    std::deque<std::pair<std::function<void()>, std::function<void()>>> jobs;
    bool no_memory = false;

 private:
    void start(Lane, std::function<void()> work, std::function<void()> done) override {
        if (no_memory) throw std::bad_alloc{};
        jobs.emplace_back(std::move(work), std::move(done));
    }
};

class TokenKeeperTest : public testing::Test {
 protected:
    TokenKeeperTest() { EXPECT_TRUE(keeper.open()); }

    void create(const std::string& name) {
        keeper.create({.name = name, .role = Role::read}, workers, [this, name](const auto& created) {
            outcomes.push_back(name + ": " + (created ? "created" : created.error().sentence));
        });
    }
    void revoke(const std::string& name) {
        keeper.revoke(name, "boss", workers, [this, name](const auto& revoked) {
            outcomes.push_back(name + ": " + (revoked ? "revoked" : revoked.error().sentence));
        });
    }
    [[nodiscard]] std::vector<std::string> saved() const {
        std::vector<std::string> names;
        for (const TokenInfo& token : store::read_token_file(path).value().infos()) names.push_back(token.name);
        return names;
    }
    [[nodiscard]] std::vector<std::string> take_outcomes() { return std::exchange(outcomes, {}); }

    using Texts = std::vector<std::string>;
    test::TemporaryDirectory directory;
    std::string path = directory / "tokens";
    HeldWorkers workers;
    TokenKeeper keeper{path, true};
    Texts outcomes;
};

TEST_F(TokenKeeperTest, AChangeIsVisibleWhenItIsSaved) {
    create("desk");
    EXPECT_FALSE(keeper.has_tokens());
    EXPECT_EQ(take_outcomes(), Texts{});
    workers.finish();
    EXPECT_EQ(take_outcomes(), Texts{"desk: created"});
    EXPECT_TRUE(keeper.find_name("desk"));
    EXPECT_EQ(saved(), Texts{"desk"});
}

TEST_F(TokenKeeperTest, ChangesAreMadeOneAfterTheOther) {
    create("desk");
    create("desk");
    revoke("desk");
    revoke("desk");
    create("wall");
    EXPECT_EQ(workers.jobs.size(), 1U);
    while (!workers.jobs.empty()) workers.finish();
    EXPECT_EQ(take_outcomes(),
              (Texts{"desk: created", "desk: a token \"desk\" exists already: revoke it, or choose another name",
                     "desk: revoked", "desk: unknown token \"desk\"; `token list` lists the tokens", "wall: created"}));
    EXPECT_EQ(saved(), Texts{"wall"});
}

TEST_F(TokenKeeperTest, AChangeThatCannotBeSavedIsNotMade) {
    create("desk");
    workers.finish();
    std::filesystem::remove_all(directory.path());
    revoke("desk");
    workers.finish();
    EXPECT_TRUE(keeper.find_name("desk"));
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_TRUE(outcomes[1].starts_with("desk: cannot write ")) << outcomes[1];
}

TEST_F(TokenKeeperTest, ALackOfMemoryDoesNotStopTheChangesBehindIt) {
    workers.no_memory = true;
    create("desk");
    EXPECT_EQ(take_outcomes(), Texts{"desk: memory ran out while changing the access tokens"});
    workers.no_memory = false;
    keeper.create({.name = "lost", .role = Role::read}, workers, [](const auto&) { throw std::bad_alloc{}; });
    create("wall");
    while (!workers.jobs.empty()) workers.finish();
    EXPECT_EQ(take_outcomes(), Texts{"wall: created"});
    EXPECT_EQ(saved(), (Texts{"lost", "wall"}));
}

}  // namespace
}  // namespace rta::app
