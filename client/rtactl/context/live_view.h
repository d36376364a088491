// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>

#include "rta/daemon_client.h"
#include "rtactl/context/context.h"
#include "rtactl/drawing/picture.h"
#include "rtactl/language/command.h"
#include "rtactl/terminal/interruptible_output.h"
#include "rtactl/terminal/interrupts.h"

namespace rta::rtactl {

/// What the commands that go on until they are interrupted have in common: a conversation of their own, so that in the
/// shell no event piles up behind the commands that follow; signals; and a picture, where there is a terminal.
class Live {
 public:
    /// Runs `body`, which gives up as soon as one of its calls fails; that the user ended it is no failure of it.
    /// `picture`: draw, if the session's output is a terminal and --json is not given.
    static Result<void> run(Session& session, bool picture, const std::function<Result<void>(Live&)>& body);

    [[nodiscard]] Session& session() { return session_; }
    /// nullptr: lines are printed one after the other.
    [[nodiscard]] Picture* picture() { return picture_ ? &*picture_ : nullptr; }

    // Both see to the picture while they wait, and fail as soon as the user wants no more of it.

    /// The answer to a request; whatever is not OK is a Failure. `print`: with --json the answer is printed.
    [[nodiscard]] Result<v1::Response> ask(v1::Request request, bool print = false);
    /// The next event; none: the deadline has passed.
    [[nodiscard]] Result<std::optional<v1::Event>> wait(const client::Deadline& deadline = client::Deadline::never());

 private:
    Live(Session& session, client::DaemonClient connection, bool picture);

    template <class Next>
    auto receive(const Next& next) -> Result<typename std::invoke_result_t<Next>::value_type>;
    void heed_signal();

    Session& session_;
    client::DaemonClient connection_;
    Interrupts interrupts_;
    PatientOutput output_;
    std::optional<Picture> picture_;
    bool ended_ = false;  ///< by the user
};

/// --rate HZ. `unless_given` if it is left out.
[[nodiscard]] Result<float> parse_rate(const Arguments& arguments, float lowest, float highest, float unless_given);
/// --count N, as many as there may be if it is left out.
[[nodiscard]] Result<std::uint64_t> parse_count(const Arguments& arguments);

}  // namespace rta::rtactl
