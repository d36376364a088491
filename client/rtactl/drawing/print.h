// SPDX-License-Identifier: MIT
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Rows of text whose columns stand below each other. The last column is as long as it likes.
class TextTable {
 public:
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    void print(std::ostream& out, std::size_t indent = 0) const;

 private:
    std::vector<std::vector<std::string>> rows_;
};

// What people read of the protocol's messages, in whole lines.
void print_status(std::ostream& out, const v1::StatusResult& status);
/// The same at a glance, with the graph's nodes: what `top` shows.
void print_top(std::ostream& out, const v1::StatusResult& status, const v1::Graph& graph,
               const v1::NodeTypesResult& types, const v1::NodeLoads& loads);
void print_devices(std::ostream& out, const v1::DevicesResult& devices);
void print_types(std::ostream& out, const v1::NodeTypesResult& types);
/// "osc.frequency_hz = 440 Hz" for each parameter and setting of the node, or for the one called `name` (empty: all).
void print_values(std::ostream& out, const v1::Node& node, const v1::NodeType* type, std::string_view name);

/// "frequency_hz = 440 Hz" for each setting and parameter that differs from its default.
[[nodiscard]] std::vector<std::string> changed_values(const v1::Node& node, const v1::NodeType* type);

/// "-12.3"; "-inf" for what telemetry calls silence.
[[nodiscard]] std::string level_text(float level_db);
/// `M -23.1, S -22.9, I -23.0 LUFS, range 4.2 LU, true peak -1.3 -1.5, highest -0.9 dBTP`; -- is not measured yet.
[[nodiscard]] std::string loudness_text(const v1::MeterLevels& meter);
/// "2 output underflows, 1 late callback", or "none".
[[nodiscard]] std::string describe(const v1::XrunCounts& counts);

/// One line, without its end.
[[nodiscard]] std::string describe(const v1::Event& event);
/// As the command that would make it: "connect osc vol gain_db=-6".
[[nodiscard]] std::string describe(const v1::Edit& edit);
[[nodiscard]] std::string describe(const v1::SetParameter& change);
/// "440", "on", "saw".
[[nodiscard]] std::string describe(const google::protobuf::Value& value);

/// "3 nodes", "1 node".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view thing);

}  // namespace rta::rtactl
