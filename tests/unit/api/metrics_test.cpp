// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "api/metrics/openmetrics.h"
#include "script.h"
#include "support/process.h"

namespace rta::api::test {
namespace {

using ::testing::Contains;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;

/// Returns what tests/support/openmetrics.py prints of a text that its parser accepts.
std::vector<std::string> parsed(const std::string& text) {
    rta::test::Process parser{{.program = "/usr/bin/python3", .arguments = {RTA_TEST_OPENMETRICS}}};
    EXPECT_TRUE(parser.write(text));
    parser.close_input();
    EXPECT_EQ(parser.wait(), rta::test::ExitStatus{.code = 0}) << parser.error() << text;
    std::istringstream output{parser.output()};
    std::vector<std::string> lines;
    for (std::string line; std::getline(output, line);) lines.push_back(line);
    return lines;
}

/// Fields of the status that are texts for people, or that others report, and so have no metric.
const std::set<std::string> kWithoutMetric{"realtime.memory_detail", "realtime.scheduling_detail", "store.directory",
                                           "store.durability"};

void add_fields(std::set<std::string>& fields, const std::string& prefix, const auto& status) {
    status.visit_fields([&](std::string_view name, const auto& value) {
        const std::string path = prefix + std::string{name};
        if constexpr (requires { value.visit_fields([](std::string_view, const auto&) {}); }) {
            add_fields(fields, path + ".", value);
        } else {
            fields.insert(path);
        }
    });
}

TEST(Metrics, EveryFieldOfTheStatusHasOne) {
    std::set<std::string> fields;
    add_fields(fields, "", StatusSnapshot{.store = {.directory = "/state"}, .graph_memory = {.limit_bytes = 1}});
    std::set<std::string> rows;
    for (const MetricRow& row : metric_table()) {
        EXPECT_TRUE(rows.emplace(row.field).second) << row.field;
        EXPECT_TRUE(fields.contains(std::string{row.field})) << row.field;
    }
    for (const std::string& field : fields) EXPECT_NE(rows.contains(field), kWithoutMetric.contains(field)) << field;
}

TEST(Metrics, TheTextIsOpenMetrics) {
    const StatusSnapshot status{
        .device =
            {.description = {.kind = "portaudio", .name = "ALSA/hw:0", .sample_rate_hz = 48'000, .channels_out = 2},
             .latency = {.input_s = 0.001, .output_s = 0.0025},
             .running = true,
             .state = "running",
             .callback_frames = 96,
             .adapter_frames = 48,
             .xruns = 3,
             .xrun_counts = {.output_underflows = 2, .late_callbacks = 5, .overruns = 7}},
        .load = {.callback_count = 500, .mean = 0.25, .p99 = 0.5, .worst = 1.5},
        .realtime = {.memory = {.locked = true}, .scheduling = {.policy = "SCHED_FIFO 70"}},
        .engine = {.block_size_frames = 64,
                   .frame = 9'007'199'254'740'993,
                   .revision = 12,
                   .plans_made = 20,
                   .plans_freed = 18,
                   .plans_alive = 2,
                   .telemetry_dropped = 1,
                   .simd_target = "avx2",
                   .latency_frames = 480,
                   .output_volume_db = -3.1F},
        .store = {.directory = "/state", .saved_revision = 11, .error = "the disk is full"},
        .clients = {.count = 4, .telemetry_dropped = 9},
        .graph_memory = {.bytes = 4'096, .limit_bytes = 1'000'000},
        .process = {.resident_bytes = 12'345'678, .available_bytes = 1'000'000'000, .cpu_s = 1.25},
        .version = "1.2.3",
        .uptime_s = 60.5};
    EXPECT_THAT(parsed(metrics_text(status)), IsSupersetOf({
                                                  "rtad_build info",
                                                  "rtad_build_info simd=avx2 version=1.2.3 1",
                                                  "rtad_uptime_seconds gauge seconds",
                                                  "rtad_uptime_seconds 60.5",
                                                  "rtad_device_state stateset",
                                                  "rtad_device_state rtad_device_state=running 1",
                                                  "rtad_device_state rtad_device_state=lost 0",
                                                  "rtad_device_info kind=portaudio name=ALSA/hw:0 1",
                                                  "rtad_device_running 1",
                                                  "rtad_device_fallback 0",
                                                  "rtad_device_channels direction=out 2",
                                                  "rtad_sample_rate_hertz gauge hertz",
                                                  "rtad_sample_rate_hertz 48000",
                                                  "rtad_latency_seconds gauge seconds",
                                                  "rtad_latency_seconds part=input 0.001",
                                                  "rtad_latency_seconds part=adapter 0.001",
                                                  "rtad_latency_seconds part=graph 0.01",
                                                  "rtad_latency_seconds part=output 0.0025",
                                                  "rtad_callback_seconds 0.002",
                                                  "rtad_load_mean_ratio gauge ratio",
                                                  "rtad_load_mean_ratio 0.25",
                                                  "rtad_load_worst_ratio 1.5",
                                                  "rtad_late_blocks counter",
                                                  "rtad_late_blocks_total 12",
                                                  "rtad_host_xruns_total 3",
                                                  "rtad_dropouts_total kind=output_underflow 2",
                                                  "rtad_dropouts_total kind=overrun 7",
                                                  "rtad_revision gauge",
                                                  "rtad_revision 12",
                                                  "rtad_plans_made_total 20",
                                                  "rtad_plans_freed_total 18",
                                                  "rtad_plans_alive 2",
                                                  "rtad_output_volume_decibels -3.1",
                                                  "rtad_clients 4",
                                                  "rtad_telemetry_dropped_total at=engine 1",
                                                  "rtad_telemetry_dropped_total at=client 9",
                                                  "rtad_store_up_to_date 0",
                                                  "rtad_store_failing 1",
                                                  "rtad_saved_revision 11",
                                                  "rtad_memory_locked 1",
                                                  "rtad_scheduling_info policy=SCHED_FIFO 70 1",
                                                  "rtad_graph_memory_bytes gauge bytes",
                                                  "rtad_graph_memory_limit_bytes 1e+06",
                                                  "rtad_process_resident_memory_bytes 1.23457e+07",
                                                  "rtad_process_cpu_seconds counter seconds",
                                                  "rtad_process_cpu_seconds_total 1.25",
                                              }));
    EXPECT_THAT(metrics_text(status), ::testing::HasSubstr("rtad_rendered_frames_total 9007199254740993\n"));
}

TEST(Metrics, WhatDoesNotExistHasNone) {
    const std::vector<std::string> lines = parsed(metrics_text({}));
    EXPECT_THAT(lines, Not(Contains(StartsWith("rtad_store"))));
    EXPECT_THAT(lines, Not(Contains(StartsWith("rtad_graph_memory_limit"))));
    EXPECT_THAT(lines, Contains("rtad_latency_seconds part=graph 0")) << "no division by a rate of 0";
}

TEST(Metrics, TextsAndNumbersOfAnyKindAreValid) {
    StatusSnapshot status;
    status.device.description.name = "a \"quoted\" \\ back\nslash Ger\xE4t";
    status.load.worst = std::numeric_limits<double>::infinity();
    status.load.mean = std::numeric_limits<double>::quiet_NaN();
    status.process.cpu_s = 1e-300;
    const std::string text = metrics_text(status);
    EXPECT_THAT(text, ::testing::HasSubstr(R"(name="a \"quoted\" \\ back\nslash Ger)"
                                           "\xEF\xBF\xBDt\"} 1\n"));
    EXPECT_THAT(parsed(text), IsSupersetOf({"rtad_load_worst_ratio inf", "rtad_load_mean_ratio nan"}));
}

TEST(Metrics, TheDaemonReportsItsOwn) {
    Script script;
    script.daemon.process = {.resident_bytes = 1'000};
    script.play("hello a\n" + tone());
    EXPECT_THAT(parsed(script.dispatcher.metrics()),
                IsSupersetOf({"rtad_clients 1", "rtad_revision 1", "rtad_nodes 3", "rtad_load_worst_ratio 0.75",
                              "rtad_process_resident_memory_bytes 1000", "rtad_store_failing 1"}));
}

TEST(Metrics, LostTelemetryStaysCountedAfterItsClientHasLeft) {
    Script script;
    script.play("hello a\n" + tone() + R"(
        a> id: 2 subscribe { topics: TOPIC_LOAD telemetry_rate_hz: 100 }
        a< response { id: 2 subscribe {} }
    )");
    for (int i = 0; i < 400; ++i) script.tick(std::chrono::milliseconds{10});
    const std::uint64_t dropped = script.client('a').outbox().telemetry_dropped();
    ASSERT_GT(dropped, 100U);
    const std::string line = "rtad_telemetry_dropped_total at=client " + std::to_string(dropped);
    EXPECT_THAT(parsed(script.dispatcher.metrics()), Contains(line));
    script.disconnect('a');
    EXPECT_THAT(parsed(script.dispatcher.metrics()), IsSupersetOf({line, std::string{"rtad_clients 0"}}));
}

}  // namespace
}  // namespace rta::api::test
