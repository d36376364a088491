// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

#include "support/daemon.h"
#include "support/temporary.h"

namespace rta::test {

/// A token with the role admin, in a token file of its own.
class TestToken {
 public:
    TestToken() {
        const RunResult created = run(Command{
            rtad_program().string(), {"token", "new", "--role", "admin", "--tokens", tokens().string(), "e2e"}, {}});
        if (created.status != ExitStatus{0, 0}) throw std::runtime_error("no token: " + created.error);
        secret_ = created.output.substr(0, created.output.find('\n'));
        write_text(file(), secret_ + "\n");
        std::filesystem::permissions(file(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    }
    [[nodiscard]] std::filesystem::path tokens() const { return directory_ / "tokens"; }
    [[nodiscard]] std::filesystem::path file() const { return directory_ / "e2e.token"; }
    [[nodiscard]] const std::string& secret() const { return secret_; }

 private:
    TemporaryDirectory directory_;
    std::string secret_;
};

/// The token for all daemons of a test program: their token files are copies of its file.
inline const TestToken& test_token() {
    static const TestToken token;
    return token;
}

}  // namespace rta::test
