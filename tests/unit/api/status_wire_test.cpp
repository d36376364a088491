// SPDX-License-Identifier: MIT
#include "api/status_wire.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace rta::api {
namespace {

using Names = std::set<std::string>;

template <class Status>
Names fields_of_status() {
    Names names;
    Status{}.visit_fields([&](std::string_view name, const auto&) { names.emplace(name); });
    return names;
}

template <class Message>
Names fields_of_message() {
    Names names;
    for (int index = 0; index < Message::descriptor()->field_count(); ++index) {
        names.insert(Message::descriptor()->field(index)->name());
    }
    return names;
}

TEST(StatusWire, EveryFieldOfAMessageIsAFieldOfItsStatus) {
    EXPECT_EQ(fields_of_status<DeviceStatus>(), fields_of_message<v1::DeviceState>());
    EXPECT_EQ(fields_of_status<XrunCounts>(), fields_of_message<v1::XrunCounts>());
    EXPECT_EQ(fields_of_status<RealtimeStatus>(), fields_of_message<v1::RealtimeState>());
    EXPECT_EQ(fields_of_status<StoreStatus>(), fields_of_message<v1::StoreState>());
    EXPECT_EQ(fields_of_status<DeviceInfo>(), fields_of_message<v1::Device>());
    Names engine = fields_of_status<EngineStatus>();
    engine.insert("node_latencies");  // a list
    EXPECT_EQ(engine, fields_of_message<v1::EngineState>());
    Names load = fields_of_status<LoadStatus>();
    load.insert("frame");  // of the engine
    EXPECT_EQ(load, fields_of_message<v1::Load>());
}

TEST(StatusWire, ValuesOfEveryTypeArrive) {
    v1::DeviceState device;
    to_wire(DeviceStatus{.description = {.kind = "null", .name = "a.wav", .sample_rate_hz = 44'100, .channels_out = 2},
                         .latency = {.output_s = 0.02},
                         .running = true,
                         .xruns = 3,
                         .xrun_counts = {.late_callbacks = 5, .overruns = 7}},
            device);
    EXPECT_EQ(device.kind(), "null");
    EXPECT_EQ(device.name(), "a.wav");
    EXPECT_EQ(device.sample_rate_hz(), 44'100.0);
    EXPECT_EQ(device.channels_out(), 2U);
    EXPECT_EQ(device.output_latency_s(), 0.02);
    EXPECT_TRUE(device.running());
    EXPECT_EQ(device.xruns(), 3U);
    EXPECT_EQ(device.xrun_counts().overruns(), 7U);
    EXPECT_EQ(device.late_blocks(), 12U);

    v1::Load load;
    to_wire(LoadStatus{.callback_count = 750, .mean = 0.25, .p99 = 0.5, .worst = 0.75}, 64, load);
    EXPECT_EQ(load.callback_count(), 750U);
    EXPECT_EQ(load.mean(), 0.25F);
    EXPECT_EQ(load.frame(), 64U);
}

TEST(StatusWire, ADeviceWhoseNameIsNotUtf8CanBeShown) {
    v1::Device device;
    to_wire(DeviceInfo{.name = "ALSA/Ger\xE4t", .channels_out = 2}, device);
    EXPECT_EQ(device.name(), "ALSA/Ger\xEF\xBF\xBDt");
    v1::Device again;
    EXPECT_TRUE(again.ParseFromString(device.SerializeAsString()));
}

}  // namespace
}  // namespace rta::api
