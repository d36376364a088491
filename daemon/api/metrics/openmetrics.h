// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "api/status_snapshot.h"

namespace rta::api {

/// What a sample shows of a field of the status.
enum class MetricKind : std::uint8_t {
    gauge,      ///< its value; of a bool, 0 or 1
    counter,    ///< its value, which only increases until rtad, or the device, is started again
    seconds,    ///< a number of frames, in seconds
    has_text,   ///< 1 if the text is not empty
    info,       ///< the text, as a label of a sample that is 1
    state_set,  ///< for each state of a device, 1 if the text is its name
};

/// One row of the table of metrics: how a field of the status is reported.
struct MetricRow {
    std::string_view field;  ///< path in StatusSnapshot, such as "device.running"
    MetricKind kind;
    std::string_view name;     ///< of the metric, without "rtad_" and the suffix of its kind
    std::string_view unit;     ///< the end of the name; may be empty
    std::string_view help;     ///< empty: the metric of the previous row, with another label
    std::string_view label{};  ///< name of the label of this sample; empty: none
    std::string_view value{};  ///< its value; of an info, the text is the value
};

/// Returns all rows, those of one metric together. A field that has no row is not reported.
[[nodiscard]] std::span<const MetricRow> metric_table();

/// Returns the metrics in the text format of OpenMetrics 1.0, which Prometheus reads. A field that the status does not list,
/// such as one of a store that does not exist, has no metric. [any]
[[nodiscard]] std::string metrics_text(const StatusSnapshot& status);

}  // namespace rta::api
