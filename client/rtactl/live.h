// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "client/connection.h"
#include "rtactl/command.h"
#include "rtactl/interrupts.h"
#include "rtactl/picture.h"
#include "rtactl/session.h"

namespace rta::rtactl {

/// What the commands that go on until they are interrupted have in common: a conversation of their own, so that in the
/// shell no event piles up behind the commands that follow; signals; and a picture, where there is a terminal.
class Live {
 public:
    /// `picture`: draw, if the session's output is a terminal and --json is not given.
    [[nodiscard]] static Result<std::unique_ptr<Live>> begin(Session& session, bool picture);

    [[nodiscard]] Session& session() { return session_; }
    /// nullptr: lines are printed one after the other.
    [[nodiscard]] Picture* picture() { return picture_ ? &*picture_ : nullptr; }

    /// The answer to a request; whatever is not OK is a Failure. `print`: with --json the answer is printed.
    [[nodiscard]] Result<v1::Response> ask(v1::Request request, bool print = false);

    struct Woken {
        bool ended = false;                ///< the user wants no more of it
        std::optional<v1::Event> event{};  ///< none: the deadline has passed
    };
    /// Waits for an event, for the deadline, or for the end. Sees to the picture meanwhile.
    [[nodiscard]] Result<Woken> wait(const client::Deadline& deadline = client::Deadline::never());

 private:
    Live(Session& session, client::Connection connection, bool picture);

    Session& session_;
    client::Connection connection_;
    Interrupts interrupts_;
    std::optional<Picture> picture_;
};

/// --rate HZ. `unless_given` if it is left out.
[[nodiscard]] Result<float> parse_rate(const Arguments& arguments, float lowest, float highest, float unless_given);
/// --count N, as many as there may be if it is left out.
[[nodiscard]] Result<std::uint64_t> parse_count(const Arguments& arguments);

}  // namespace rta::rtactl
