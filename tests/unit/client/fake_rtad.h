// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rtactl/context/program.h"
#include "support/scripted_daemon.h"

namespace rta::test {

[[nodiscard]] inline bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

/// What rtactl did.
struct Outcome {
    rtactl::Exit exit;
    std::string out;
    std::string err;
};

/// A daemon with three node types (sine, gain, output) and a graph of osc -> vol -> out, which answers every request as
/// if it were fine, counting revisions, unless a test says otherwise; and rtactl run against it.
class FakeRtad {
 public:
    /// Answers a request in place of the fake; nullopt: the fake answers.
    using Override = std::function<std::optional<Reply>(const v1::Request&)>;

    explicit FakeRtad(Override override = {});

    [[nodiscard]] Outcome run(std::vector<std::string> words, const std::string& input = {}, bool interactive = false,
                              int terminal = -1) const;
    [[nodiscard]] ScriptedDaemon& daemon() { return daemon_; }
    /// The last request that changes something, or checks.
    [[nodiscard]] v1::Request last_change() const;
    /// How many requests change something.
    [[nodiscard]] std::size_t change_count() const;

 private:
    Reply answer(const v1::Request& request);

    Override override_;
    std::uint64_t revision_ = 0;
    ScriptedDaemon daemon_;
};

/// The node types and the graph of the fake.
[[nodiscard]] v1::NodeTypesResult fake_types();
[[nodiscard]] v1::Graph fake_graph();
[[nodiscard]] v1::StatusResult fake_status();
/// Of one output: 3 dB down at 1 kHz and 45 degrees late there, from 20 Hz to 20 kHz.
[[nodiscard]] v1::FrequencyResponseResult fake_response();
/// The answer to a subscription to node loads alone is followed by this.
[[nodiscard]] v1::Event fake_node_loads();

/// rtactl without any daemon to find.
[[nodiscard]] Outcome run_rtactl(std::vector<std::string> words, const std::string& input = {},
                                 bool interactive = false, int terminal = -1);

}  // namespace rta::test
