// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <type_traits>

#include "rta/backoff.h"
#include "rta/daemon_client.h"
#include "rtactl/context/context.h"
#include "rtactl/drawing/picture.h"
#include "rtactl/terminal/interruptible_output.h"
#include "rtactl/terminal/interrupts.h"

namespace rta::rtactl {

/// Runs commands that continue until they are interrupted. Uses a separate client, so that no events queue up for the
/// following lines of a shell; handles signals; and draws a picture if the output is a terminal.
class LiveView {
 public:
    enum class Display : std::uint8_t {
        lines,    ///< one line after the other
        picture,  ///< drawn in place, if the output is a terminal and --json is not given
    };

    /// Runs `body`, which must return as soon as a call fails. An interruption by the user is not an error.
    static Result<void> run(Context& context, Display display, const std::function<Result<void>(LiveView&)>& body);
    /// Runs `body`, which connects itself, with connect(), and may do so again after a failure that is transient.
    static Result<void> follow(Context& context, const std::function<Result<void>(LiveView&)>& body);

    [[nodiscard]] Context& context() { return context_; }
    /// Returns nullptr if lines are printed.
    [[nodiscard]] Picture* picture() { return picture_ ? &*picture_ : nullptr; }

    /// Connects, within the context's timeout and before the deadline. Pauses first if it has tried before: the pauses
    /// grow until a message is received.
    [[nodiscard]] Result<void> connect(const client::Deadline& deadline = client::Deadline::never());
    /// Returns the instance of the daemon, as in HelloResult.
    [[nodiscard]] const std::string& instance() const { return client_->hello().instance_id(); }
    /// Returns whether the user has ended the program.
    [[nodiscard]] bool ended() const { return ended_; }

    // These redraw the picture while they wait, and fail as soon as the user ends the program. A response other than OK
    // is a Failure.

    /// Sends a request that prepares the command.
    [[nodiscard]] Result<v1::Response> call(v1::Request request) { return exchange(std::move(request), false); }
    /// Sends a request whose response is printed with --json.
    [[nodiscard]] Result<v1::Response> query(v1::Request request) { return exchange(std::move(request), true); }
    /// Waits for the next event; returns nullopt if the deadline passes first.
    [[nodiscard]] Result<std::optional<v1::Event>> wait(const client::Deadline& deadline = client::Deadline::never());

 private:
    LiveView(Context& context, Display display);

    [[nodiscard]] Result<v1::Response> exchange(v1::Request request, bool print);
    template <class Next>
    auto receive(const Next& next) -> Result<typename std::invoke_result_t<Next>::value_type>;
    void handle_signal();
    [[nodiscard]] Result<void> pause(const client::Deadline& deadline);

    Context& context_;
    std::optional<client::DaemonClient> client_;
    client::Backoff backoff_;
    bool tried_ = false;  ///< to connect
    Interrupts interrupts_;
    InterruptibleOutput output_;
    std::optional<Picture> picture_;
    bool ended_ = false;  ///< by the user
};

inline constexpr Option kRateOption{"--rate", "HZ", "Set the rate of telemetry events, 1 to 100 Hz; default 10 Hz."};
inline constexpr Option kCountOption{"--count", "N", "Exit after N events."};

/// Reads --rate HZ.
[[nodiscard]] Result<float> parse_rate(const Arguments& arguments, float minimum, float maximum, float default_rate);
/// Reads --count N; unlimited by default.
[[nodiscard]] Result<std::uint64_t> parse_count(const Arguments& arguments);

}  // namespace rta::rtactl
