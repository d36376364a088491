// SPDX-License-Identifier: MIT
#include "io/device_supervisor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "sounding_engine.h"

namespace rta::io {
namespace {

using namespace std::chrono_literals;
using test::kTone;
using test::load;

/// Behaviour of the driver.
struct Script {
    std::atomic<bool> finished{false};
    std::atomic<bool> active{true};
    std::atomic<bool> runs_away{false};
    std::atomic<bool> never_calls{false};
    std::atomic<int> starts{0};
    std::atomic<int> stops{0};
    std::atomic<int> closes{0};  ///< closed devices
    std::atomic<bool> can_stop_when_lost{true};
    std::atomic<BlockAdapter*> adapter{nullptr};
    /// Makes the library hang until a permit is released.
    std::atomic<bool> hangs_in_open{false};
    std::atomic<bool> hangs_in_stop{false};
    std::counting_semaphore<> permits{0};

    /// Makes one callback of the device; returns true if the output is not silent.
    bool call(std::uint32_t frames = 64, const DriverFlags& said = {}) {
        std::vector<float> samples(frames, 1.0F);
        float* const outputs[] = {samples.data()};
        adapter.load()->process(nullptr, outputs, frames, said);
        return std::ranges::any_of(samples, [](float sample) { return sample != 0.0F; });
    }
};

class FakeDevice final : public AudioDevice {
 public:
    explicit FakeDevice(Script& script, std::string name) : script_{script} {
        description_ = {
            .kind = "scripted", .name = std::move(name), .sample_rate_hz = 48'000, .channels_in = 0, .channels_out = 1};
    }
    [[nodiscard]] const DeviceDescription& description() const noexcept override { return description_; }
    [[nodiscard]] Expected<void> start(BlockAdapter& adapter) override {
        ++script_.starts;
        script_.adapter = &adapter;
        adapter.tolerate_lateness(3'600.0);  // the test calls at any time
        if (script_.never_calls) {
            script_.finished = true;
        } else {
            EXPECT_FALSE(script_.call(script_.runs_away ? 48'000 * 60 : 64)) << "on probation it gets silence";
        }
        return {};
    }
    void stop() override {
        ++script_.stops;
        if (script_.hangs_in_stop) script_.permits.acquire();
    }
    [[nodiscard]] DeviceLatency latency() const noexcept override { return {.input_s = 0.0, .output_s = 0.02}; }
    [[nodiscard]] bool finished() const noexcept override { return script_.finished; }
    [[nodiscard]] bool active() override { return script_.active; }
    [[nodiscard]] bool can_stop_when_lost() const noexcept override { return script_.can_stop_when_lost; }

 private:
    Script& script_;
    DeviceDescription description_;
};

class ScriptedDriver final : public DeviceDriver {
 public:
    explicit ScriptedDriver(Script& script) : script_{script} {}

    [[nodiscard]] Expected<std::vector<DeviceInfo>> list() override {
        return std::vector<DeviceInfo>{{.name = "Fake/good", .channels_out = 1}};
    }
    [[nodiscard]] Expected<std::vector<Candidate>> candidates(const DeviceRequest& request) override {
        if (script_.hangs_in_open) script_.permits.acquire();
        if (request.device.name == "missing") return fail(ErrorCode::not_found, "there is no such fake");
        std::vector<Candidate> candidates;
        candidates.push_back({"Fake/bad", [] { return fail(ErrorCode::unavailable, "\"Fake/bad\" is busy"); }});
        if (request.device.name == "bad") return candidates;
        candidates.push_back({"Fake/good", [this]() -> Expected<std::unique_ptr<AudioDevice>> {
                                  return std::make_unique<FakeDevice>(script_, "Fake/good");
                              }});
        return candidates;
    }
    void close() override {
        EXPECT_EQ(script_.stops, script_.starts) << "the device first";
        ++script_.closes;
    }

 private:
    Script& script_;
};

/// The script of the running test.
Script* current_script = nullptr;

constexpr DeviceKind kScripted{
    .name = "scripted",
    .argument = "NAME",
    .argument_use = ArgumentUse::device_name,
    .auto_role = AutoRole::candidate,
    .make_driver = [](DriverLog) -> std::unique_ptr<DeviceDriver> {
        return std::make_unique<ScriptedDriver>(*current_script);
    },
};

[[nodiscard]] DeviceKinds kinds() {
    static const DeviceKind* const kKinds[] = {find_kind(device_kinds(), "null"), &kScripted};
    return kKinds;
}

class SupervisorTest : public ::testing::Test, private DeviceSupervisor::Observer {
 protected:
    SupervisorTest() { load(engine, kTone); }

    static DeviceRequest request(const char* device) { return {.device = parse_device(device, kinds()).value()}; }
    void start(const char* device) {
        supervisor.start(request(device), [this](Expected<void> result) { started = std::move(result); });
    }
    /// Starts, and runs the tasks of the control thread until the result is known.
    Expected<void> start_and_wait(const char* device) {
        start(device);
        while (!started) run_one();
        return *started;
    }
    void run_one() {
        std::function<void()> task;
        {
            std::unique_lock lock{mutex};
            posted.wait(lock, [this] { return !tasks.empty(); });
            task = std::move(tasks.front());
            tasks.pop_front();
        }
        task();
    }
    /// Waits until the null device has rendered more blocks.
    void await_progress() {
        const std::uint64_t before = engine.renderer().frames();
        while (engine.renderer().frames() == before) std::this_thread::sleep_for(1ms);
    }

    Script script;
    Script* const installed = current_script = &script;
    Engine engine{builtin_nodes(), {.sample_rate_hz = 48'000, .block_size = 64}};
    std::vector<std::string> changes;
    std::vector<std::string> warnings;
    std::vector<std::pair<XrunCounts, std::uint64_t>> xruns;
    std::optional<Expected<void>> started;
    std::mutex mutex;
    std::condition_variable posted;
    std::deque<std::function<void()>> tasks;  ///< guarded by mutex
    DeviceSupervisor supervisor{engine.gate(), engine.renderer(), *this,
                                [this](std::function<void()> task) { post(std::move(task)); }, kinds()};

 private:
    void post(std::function<void()> task) {
        {
            const std::lock_guard lock{mutex};
            tasks.push_back(std::move(task));
        }
        posted.notify_one();
    }
    void device_changed(const std::string& sentence) override { changes.push_back(sentence); }
    void device_warning(const std::string& sentence) override { warnings.push_back(sentence); }
    void device_xruns(const XrunCounts& counts, std::uint64_t frame) override { xruns.emplace_back(counts, frame); }
};

TEST_F(SupervisorTest, TheNullDeviceStartsAtOnceAndTouchesNoHost) {
    start("null");
    ASSERT_TRUE(started && *started);
    await_progress();
    const DeviceStatus state = supervisor.status();
    EXPECT_EQ(state.description.kind, "null");
    EXPECT_EQ(state.description.channels_out, 2U);
    EXPECT_TRUE(state.running);
    EXPECT_EQ(state.fallback_reason, "");
    EXPECT_EQ(state.callback_frames, 64U);
    EXPECT_TRUE(supervisor.stop(300ms)) << "everything may be destroyed";
    EXPECT_FALSE(supervisor.status().running);
}

TEST_F(SupervisorTest, ADeviceIsHeardOnlyAfterItsProbation) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    EXPECT_EQ(engine.renderer().frames(), 0U) << "nothing of the graph was lost on the probation";
    EXPECT_TRUE(script.call());
    EXPECT_EQ(engine.renderer().frames(), 64U);
    const DeviceStatus state = supervisor.status();
    EXPECT_EQ(state.description.name, "Fake/good");
    EXPECT_EQ(state.latency.output_s, 0.02);
    EXPECT_EQ(warnings, std::vector<std::string>{"\"Fake/bad\" is busy"}) << "what was tried before it";
    EXPECT_FALSE(supervisor.stop(10s)) << "an audio library is loaded";
    EXPECT_EQ(script.stops, 1);
    EXPECT_EQ(script.closes, 1) << "a sound server must see the daemon go";
    EXPECT_FALSE(script.call()) << "after stop() the gate is shut";
}

TEST_F(SupervisorTest, ADeviceAskedForByNameThatFailsIsAnError) {
    const auto busy = start_and_wait("scripted:bad");
    ASSERT_FALSE(busy);
    EXPECT_EQ(busy.error().sentence, "\"Fake/bad\" is busy");
    EXPECT_EQ(script.closes, 1) << "nobody plays through the host";
    EXPECT_EQ(supervisor.status().description.kind, "");
}

TEST_F(SupervisorTest, ADeviceThatDoesNotExistIsAnError) {
    const auto missing = start_and_wait("scripted:missing");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::not_found);
}

TEST_F(SupervisorTest, ADeviceThatRunsAwayIsNoClock) {
    script.runs_away = true;
    const auto result = start_and_wait("scripted:good");
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().sentence.find("cannot be used as a clock"), std::string::npos) << result.error().sentence;
    EXPECT_NE(result.error().sentence.find("Fake/bad"), std::string::npos) << "everything tried is named";
    EXPECT_EQ(script.stops, 1);
}

TEST_F(SupervisorTest, ADeviceThatEndsAtOnceIsRefused) {
    script.never_calls = true;
    const auto result = start_and_wait("scripted:good");
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().sentence.find("ended its stream immediately"), std::string::npos)
        << result.error().sentence;
}

TEST_F(SupervisorTest, AutoFallsBackToTheNullDeviceWithAWarning) {
    script.runs_away = true;
    ASSERT_TRUE(start_and_wait("auto"));
    await_progress();
    EXPECT_EQ(supervisor.status().description.kind, "null");
    EXPECT_TRUE(supervisor.status().fallback_reason.starts_with("no usable sound card: "))
        << supervisor.status().fallback_reason;
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_NE(warnings.front().find("the null device provides the clock"), std::string::npos);
}

TEST_F(SupervisorTest, WhenTheHostEndsTheStreamTheNullClockTakesOver) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    ASSERT_TRUE(script.call());
    script.finished = true;
    supervisor.poll(DeviceSupervisor::Clock::now());
    await_progress();
    EXPECT_EQ(changes, std::vector<std::string>{
                           "\"Fake/good\" was lost: its driver ended the stream; the null device provides the clock"});
    const DeviceStatus state = supervisor.status();
    EXPECT_EQ(state.description.kind, "null");
    EXPECT_EQ(state.description.channels_out, 1U) << "as wide as the device it stands in for";
    EXPECT_NE(state.fallback_reason, "");
    EXPECT_FALSE(script.call()) << "should the lost device call again";
    while (script.stops == 0) std::this_thread::sleep_for(1ms);  // the device thread notifies its host
}

TEST_F(SupervisorTest, CallbacksThatCeaseAreALossIfTheHostAgrees) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    ASSERT_TRUE(script.call());
    const auto now = DeviceSupervisor::Clock::now();
    supervisor.poll(now);
    script.active = false;
    script.can_stop_when_lost = false;
    supervisor.poll(now + 10ms);
    EXPECT_TRUE(changes.empty()) << "a short silence is no loss";
    supervisor.poll(now + 100ms);
    run_one();  // the response of the host
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_NE(changes.front().find("no longer runs the stream"), std::string::npos);
    await_progress();
    EXPECT_FALSE(supervisor.stop(300ms));
    EXPECT_EQ(script.stops, 0) << "this host would hang or abort";
    EXPECT_EQ(script.closes, 0);
}

TEST_F(SupervisorTest, AHostThatSaysAliveIsBelievedForAWhile) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    ASSERT_TRUE(script.call());
    const auto now = DeviceSupervisor::Clock::now();
    supervisor.poll(now);
    supervisor.poll(now + 1s);
    EXPECT_TRUE(changes.empty());
    ASSERT_TRUE(script.call());
    supervisor.poll(now + 2500ms);
    EXPECT_TRUE(changes.empty()) << "it has called again";
    supervisor.poll(now + 5s);
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_NE(changes.front().find("no callback for 2 s"), std::string::npos);
}

TEST_F(SupervisorTest, AHostThatHangsWhileOpeningIsGivenUp) {
    script.hangs_in_open = true;
    start("auto");
    supervisor.poll(DeviceSupervisor::Clock::now() + 1s);
    EXPECT_FALSE(started);
    supervisor.poll(DeviceSupervisor::Clock::now() + 11s);
    ASSERT_TRUE(started && *started);
    await_progress();
    EXPECT_NE(supervisor.status().fallback_reason.find("did not respond"), std::string::npos);
    // The device opens after the timeout: too late.
    script.permits.release();
    run_one();
    EXPECT_EQ(supervisor.status().description.kind, "null");
    EXPECT_FALSE(script.call());
}

TEST_F(SupervisorTest, TheExitDoesNotWaitForAHostThatHangs) {
    script.hangs_in_stop = true;
    ASSERT_TRUE(start_and_wait("scripted:good"));
    EXPECT_FALSE(supervisor.stop(20ms));
    EXPECT_FALSE(script.call());
    script.permits.release();  // lets the thread end, so that the test can
}

TEST_F(SupervisorTest, LatencyOfTheAdapterIsReportedOnce) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    warnings.clear();
    script.call(100);
    supervisor.poll(DeviceSupervisor::Clock::now());
    supervisor.poll(DeviceSupervisor::Clock::now());
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_NE(warnings.front().find("requests 100 frames per callback"), std::string::npos) << warnings.front();
    EXPECT_EQ(supervisor.status().adapter_frames, 64U);
}

TEST_F(SupervisorTest, ListsOnTheControlThread) {
    std::optional<std::string> name;
    std::thread::id where;
    supervisor.list([&](Expected<std::vector<DeviceInfo>> devices) {
        name = devices.value().front().name;
        where = std::this_thread::get_id();
    });
    EXPECT_FALSE(name);
    run_one();
    EXPECT_EQ(name, "Fake/good");
    EXPECT_EQ(where, std::this_thread::get_id());
}

TEST_F(SupervisorTest, TellsOfXrunsOnceAndLogsThemSparingly) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    const DeviceSupervisor::Clock::time_point now = DeviceSupervisor::Clock::now();
    // 100 s of frames per callback, so that it cannot count as an overrun.
    const auto call = [&](const DriverFlags& said) { script.call(4'800'000, said); };
    call({});
    supervisor.poll(now);
    EXPECT_TRUE(xruns.empty());
    call({.input_overflow = true, .output_underflow = true});
    call({.output_underflow = true});
    const std::uint64_t frame = engine.renderer().frames();
    call({});
    supervisor.poll(now + 10ms);
    supervisor.poll(now + 20ms);
    ASSERT_EQ(xruns.size(), 1U);
    EXPECT_EQ(xruns[0].first, (XrunCounts{.input_overflows = 1, .output_underflows = 2}));
    EXPECT_EQ(xruns[0].second, frame);
    EXPECT_EQ(supervisor.status().xruns, 2U);
    EXPECT_EQ(supervisor.status().xrun_counts, (XrunCounts{.input_overflows = 1, .output_underflows = 2}));
    const std::size_t logged = warnings.size();
    EXPECT_NE(warnings.back().find("1 input overflow, 2 output underflows"), std::string::npos) << warnings.back();

    call({.output_overflow = true});
    supervisor.poll(now + 1s);
    call({.input_underflow = true});
    supervisor.poll(now + 2s);
    EXPECT_EQ(xruns.size(), 3U);
    EXPECT_EQ(warnings.size(), logged);
    supervisor.poll(now + 11s);
    ASSERT_EQ(warnings.size(), logged + 1);
    EXPECT_NE(warnings.back().find("1 input underflow, 1 output overflow; since it was opened: 1 input underflow, 1 "
                                   "input overflow, 2 output underflows, 1 output overflow"),
              std::string::npos)
        << warnings.back();
    supervisor.poll(now + 30s);
    EXPECT_EQ(warnings.size(), logged + 1);
    EXPECT_EQ(xruns.size(), 3U);
}

TEST_F(SupervisorTest, TheLastXrunsOfALostDeviceAreToldAndLogged) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    const DeviceSupervisor::Clock::time_point now = DeviceSupervisor::Clock::now();
    // 100 s of frames cannot count as an overrun. Callbacks of 64 may, so only the flags of the host are compared.
    script.call(4'800'000, {.input_overflow = true});
    supervisor.poll(now);
    const std::size_t logged = warnings.size();
    script.call(64, {.output_overflow = true});
    supervisor.poll(now + 1s);
    ASSERT_EQ(xruns.size(), 2U);
    EXPECT_EQ(warnings.size(), logged) << "it was logged just now";
    script.active = false;
    supervisor.poll(now + 1100ms);  // asks the host
    script.call(64, {.input_underflow = true});
    const std::uint64_t frame = engine.renderer().frames();
    run_one();  // the response of the host
    ASSERT_EQ(changes.size(), 1U);
    ASSERT_EQ(xruns.size(), 3U);
    EXPECT_EQ(xruns[2].first.input_underflows, 1U);
    EXPECT_EQ(xruns[2].first.output_overflows, 0U);
    EXPECT_EQ(xruns[2].second, frame);
    ASSERT_EQ(warnings.size(), logged + 1);
    EXPECT_NE(warnings.back().find("1 input underflow, 1 output overflow; since it was opened:"), std::string::npos)
        << warnings.back();
}

TEST_F(SupervisorTest, TheNullDeviceThatTakesOverCountsAfresh) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    script.call(4'800'000, {.output_underflow = true});
    supervisor.poll(DeviceSupervisor::Clock::now());
    ASSERT_EQ(xruns.size(), 1U);
    script.finished = true;
    supervisor.poll(DeviceSupervisor::Clock::now());
    const DeviceStatus state = supervisor.status();
    EXPECT_EQ(state.description.kind, "null");
    EXPECT_EQ(state.xruns, 0U);
    EXPECT_EQ(state.xrun_counts.output_underflows, 0U);
    supervisor.poll(DeviceSupervisor::Clock::now());
    for (std::size_t i = 1; i < xruns.size(); ++i) EXPECT_EQ(xruns[i].first.output_underflows, 0U);
}

TEST_F(SupervisorTest, MeasuresTheLoadOfTheLastSecond) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    DeviceSupervisor::Clock::time_point now = DeviceSupervisor::Clock::now();
    EXPECT_EQ(supervisor.load().callback_count, 0U) << "what the device called for on probation is not told";
    for (int i = 0; i < 7; ++i) script.call(4'800'000);
    supervisor.poll(now += 100ms);
    EXPECT_EQ(supervisor.load().callback_count, 7U);
    EXPECT_GT(supervisor.load().mean, 0.0);
    EXPECT_GE(supervisor.load().worst, supervisor.load().mean);
    for (int i = 0; i < 9; ++i) supervisor.poll(now += 100ms);
    EXPECT_EQ(supervisor.load().callback_count, 7U);
    supervisor.poll(now += 100ms);
    EXPECT_EQ(supervisor.load().callback_count, 0U);
}

}  // namespace
}  // namespace rta::io
