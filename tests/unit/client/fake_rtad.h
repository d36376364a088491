// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rtactl/context/program.h"
#include "support/json.h"
#include "support/scripted_daemon.h"

namespace rta::test {

[[nodiscard]] inline bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

/// Result of a run of rtactl.
struct Outcome {
    rtactl::Exit exit;
    std::string out;
    std::string err;
};

/// A fake daemon with three node types (sine, gain, output) and the graph osc -> vol -> out. It answers every request
/// with OK and counts revisions, unless the test overrides the response. Runs rtactl against itself.
class FakeRtad {
 public:
    /// Overrides the response to a request; with nullopt, the fake responds.
    using Override = std::function<std::optional<Reply>(const v1::Request&)>;

    explicit FakeRtad(Override override = {});

    [[nodiscard]] Outcome run(std::vector<std::string> words, const std::string& input = {}, bool interactive = false,
                              int terminal = -1) const;
    [[nodiscard]] ScriptedDaemon& daemon() { return daemon_; }
    /// Returns the last request that changes or checks something.
    [[nodiscard]] v1::Request last_change() const;
    /// Returns the number of requests that change something.
    [[nodiscard]] std::size_t change_count() const;

 private:
    Reply answer(const v1::Request& request);

    Override override_;
    std::uint64_t revision_ = 0;
    ScriptedDaemon daemon_;
};

/// Return the node types, the graph and the status of the fake.
[[nodiscard]] v1::NodeTypesResult fake_types();
[[nodiscard]] v1::Graph fake_graph();
[[nodiscard]] v1::StatusResult fake_status();
/// An edit that is reverted in 29.5 s.
[[nodiscard]] v1::OpenConfirmation fake_confirmation();
/// Returns a response with one output, from 20 Hz to 20 kHz: -3 dB and -45 degrees at 1 kHz.
[[nodiscard]] v1::FrequencyResponseResult fake_response();
/// Sent after the response to a subscription to node loads only.
[[nodiscard]] v1::Event fake_node_loads();

/// Runs rtactl without a daemon.
[[nodiscard]] Outcome run_rtactl(std::vector<std::string> words, const std::string& input = {},
                                 bool interactive = false, int terminal = -1);

}  // namespace rta::test
