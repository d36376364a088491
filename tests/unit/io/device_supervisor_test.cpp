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
    std::atomic<bool> busy{false};  ///< refuses to open
    std::atomic<bool> runs_away{false};
    std::atomic<bool> never_calls{false};
    std::atomic<int> starts{0};
    std::atomic<int> stops{0};
    std::atomic<int> closes{0};                    ///< closed devices
    std::atomic<int> alive{0};                     ///< devices that exist
    std::atomic<bool> input_may_be_absent{false};  ///< of the latest request
    std::atomic<BlockAdapter*> adapter{nullptr};
    /// Makes the library hang until a permit is released.
    std::atomic<bool> hangs_in_open{false};
    std::atomic<bool> hangs_in_stop{false};
    std::counting_semaphore<> permits{0};

    /// Makes one callback of the device; returns true if the output is not silent.
    bool call(std::uint32_t frames = 64, const DriverFlags& said = {}) {
        return std::ranges::any_of(play(frames, said), [](float sample) { return sample != 0.0F; });
    }
    /// The same; returns the output.
    std::vector<float> play(std::uint32_t frames = 64, const DriverFlags& said = {}) {
        std::vector<float> samples(frames, 1.0F);
        float* const outputs[] = {samples.data()};
        adapter.load()->process(nullptr, outputs, frames, said);
        return samples;
    }
};

class FakeDevice final : public AudioDevice {
 public:
    explicit FakeDevice(Script& script, std::string name) : script_{script} {
        description_ = {
            .kind = "scripted", .name = std::move(name), .sample_rate_hz = 48'000, .channels_in = 0, .channels_out = 1};
        ++script_.alive;
    }
    ~FakeDevice() override { --script_.alive; }
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
    [[nodiscard]] std::optional<std::string> end_of_stream() const override {
        return script_.finished ? std::optional<std::string>{"it was unplugged"} : std::nullopt;
    }

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
        script_.input_may_be_absent = request.input_may_be_absent;
        if (script_.hangs_in_open) script_.permits.acquire();
        if (script_.busy) return fail(ErrorCode::unavailable, "\"Fake/good\" is busy");
        if (request.device.name == "missing") return fail(ErrorCode::not_found, "the scripted device does not exist");
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

class SupervisorTest : public ::testing::Test, private DeviceObserver {
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
    /// Lets the time pass in the steps of a watch that is on time. No callback comes in the meantime.
    void pass(std::chrono::milliseconds time) {
        for (auto passed = 0ms; passed < time; passed += 5ms) {
            now += 5ms;
            supervisor.poll();
        }
    }
    void poll_after(std::chrono::milliseconds time) {
        now += time;
        supervisor.poll();
    }
    /// Loses the device and waits until its driver has closed it.
    void lose() {
        script.finished = true;
        supervisor.poll();
        run_one();
        script.finished = false;
    }
    /// Lets the device play until it has faded out, which takes 20 ms and a block.
    void fade_out() {
        for (int block = 0; block < 17; ++block) script.call();
        supervisor.poll();
    }
    /// Waits until the null device has rendered more blocks.
    void await_progress() {
        const std::uint64_t before = engine.renderer().frames();
        while (engine.renderer().frames() == before) std::this_thread::sleep_for(1ms);
    }

    Script script;
    Script* const installed = current_script = &script;
    Engine engine{builtin_nodes(), {.sample_rate_hz = 48'000, .block_size = 64}};
    DeviceSupervisor::Clock::time_point now{};
    std::vector<std::string> states;  ///< at the reported changes
    std::vector<std::string> notes;
    std::vector<std::string> warnings;
    std::vector<std::pair<XrunCounts, std::uint64_t>> xruns;
    std::optional<Expected<void>> started;
    std::mutex mutex;
    std::condition_variable posted;
    std::deque<std::function<void()>> tasks;  ///< guarded by mutex
    DeviceSupervisor supervisor{engine.gate(),
                                engine.renderer(),
                                *this,
                                [this](std::function<void()> task) { post(std::move(task)); },
                                kinds(),
                                {},
                                [this] { return now; }};

 private:
    void post(std::function<void()> task) {
        {
            const std::lock_guard lock{mutex};
            tasks.push_back(std::move(task));
        }
        posted.notify_one();
    }
    void device_changed() override { states.emplace_back(name_of(supervisor.state())); }
    void device_note(const std::string& sentence) override { notes.push_back(sentence); }
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
    for (int block = 0; block < 4; ++block) script.call();  // its last samples fade out
    EXPECT_FALSE(script.call()) << "after stop() the gate is shut";
}

TEST_F(SupervisorTest, ADeviceAskedForByNameThatFailsIsAnError) {
    const auto busy = start_and_wait("scripted:bad");
    ASSERT_FALSE(busy);
    EXPECT_EQ(busy.error().sentence, "\"Fake/bad\" is busy");
    EXPECT_EQ(script.closes, 1) << "no device plays through the host";
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

TEST_F(SupervisorTest, WhenTheDriverEndsTheStreamTheNullClockTakesOver) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    ASSERT_TRUE(script.call());
    warnings.clear();
    script.finished = true;
    supervisor.poll();
    await_progress();
    EXPECT_EQ(states, std::vector<std::string>{"lost"});
    EXPECT_EQ(warnings,
              std::vector<std::string>{"\"Fake/good\" was lost: it was unplugged; the null device provides the clock "
                                       "until it is back"});
    const DeviceStatus state = supervisor.status();
    EXPECT_EQ(state.description.kind, "null");
    EXPECT_EQ(state.description.channels_out, 1U) << "as many as the device that it replaces";
    EXPECT_EQ(state.fallback_reason, "\"Fake/good\" was lost: it was unplugged");
    EXPECT_EQ(state.state, "lost");
    run_one();  // its driver has closed it
    EXPECT_EQ(script.stops, 1);
    EXPECT_EQ(script.alive, 0) << "nothing of a lost device is kept";
    EXPECT_EQ(supervisor.status().state, "waiting");
}

TEST_F(SupervisorTest, ALostDeviceIsOpenedAgainAndFadesIn) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    lose();
    await_progress();
    now += 100ms;
    supervisor.poll();
    EXPECT_EQ(supervisor.status().state, "opening");
    const std::uint64_t before = engine.renderer().frames();
    run_one();
    EXPECT_EQ(states, (std::vector<std::string>{"lost", "running"}));
    EXPECT_EQ(supervisor.status().description.name, "Fake/good");
    EXPECT_EQ(supervisor.status().fallback_reason, "");
    EXPECT_GE(engine.renderer().frames(), before) << "the clock of the engine continues";
    run_one();  // the null device has been destroyed

    // The tone is heard from silence, with a gain that grows by one part in 960 each frame.
    std::vector<float> heard;
    while (heard.size() < 2'048) {
        const std::vector<float> block = script.play();
        heard.insert(heard.end(), block.begin(), block.end());
    }
    float peak_at_the_end = 0.0F;
    for (std::size_t i = 1'024; i < heard.size(); ++i) peak_at_the_end = std::max(peak_at_the_end, std::abs(heard[i]));
    ASSERT_GT(peak_at_the_end, 0.1F);
    for (std::size_t i = 0; i < 960; ++i) {
        EXPECT_LE(std::abs(heard[i]), peak_at_the_end * 1.001F * static_cast<float>(i + 1) / 960.0F) << i;
    }
}

TEST_F(SupervisorTest, TriesWithoutEndWithLongerPauses) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    lose();
    script.busy = true;
    warnings.clear();
    const auto lost = now;
    std::vector<std::chrono::milliseconds> attempts;
    while (now - lost < 1min) {
        now += 5ms;
        supervisor.poll();
        if (supervisor.state() != DeviceSupervisor::State::opening) continue;
        attempts.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now - lost));
        run_one();
    }
    ASSERT_GT(attempts.size(), 20U);
    EXPECT_EQ(attempts[0], 100ms);
    EXPECT_EQ(attempts[1], 200ms);
    for (std::size_t i = 1; i < attempts.size(); ++i) {
        const auto pause = attempts[i] - attempts[i - 1];
        EXPECT_GE(pause, 100ms);
        EXPECT_LE(pause, std::max(105ms, attempts[i - 1] / 8 + 5ms)) << "soon, in comparison with the outage";
        EXPECT_LE(pause, 5'005ms);
    }
    EXPECT_EQ(attempts.back() - attempts[attempts.size() - 2], 5s);
    EXPECT_EQ(warnings, std::vector<std::string>{"cannot open the device again: \"Fake/good\" is busy; trying again"})
        << "once, not after every attempt";
    EXPECT_EQ(states, (std::vector<std::string>{"lost", "waiting"}));
    EXPECT_EQ(supervisor.status().fallback_reason, "\"Fake/good\" was lost: it was unplugged; \"Fake/good\" is busy");

    script.busy = false;
    while (supervisor.state() != DeviceSupervisor::State::running) {
        pass(5ms);
        if (supervisor.state() == DeviceSupervisor::State::opening) run_one();
    }
    EXPECT_EQ(supervisor.status().description.name, "Fake/good");
}

TEST_F(SupervisorTest, ADeviceMayComeBackWithoutItsInputOnlyAfterAWhile) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    EXPECT_FALSE(script.input_may_be_absent);
    lose();
    script.busy = true;
    pass(100ms);
    run_one();
    EXPECT_FALSE(script.input_may_be_absent) << "it may come back in parts";
    for (const auto lost = now; now - lost < 1s || supervisor.state() != DeviceSupervisor::State::opening;) {
        if (supervisor.state() == DeviceSupervisor::State::opening) run_one();
        pass(5ms);
    }
    run_one();
    EXPECT_TRUE(script.input_may_be_absent);
}

TEST_F(SupervisorTest, ADeviceThatMakesNoCallbacksIsReplacedWithin50Ms) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    ASSERT_TRUE(script.call());
    supervisor.poll();
    pass(30ms);
    EXPECT_TRUE(states.empty()) << "a short pause is not a loss";
    ASSERT_TRUE(script.call());
    pass(30ms);
    EXPECT_TRUE(states.empty()) << "it has called again";
    pass(15ms);
    ASSERT_EQ(states, std::vector<std::string>{"lost"});
    EXPECT_NE(warnings.back().find("\"Fake/good\" has requested no audio for "), std::string::npos) << warnings.back();
    await_progress();
    EXPECT_EQ(script.stops, 0);
    pass(1s);
    run_one();  // closed
    EXPECT_EQ(script.stops, 1);
    EXPECT_EQ(supervisor.status().state, "waiting");
}

TEST_F(SupervisorTest, ADeviceThatOnlyStalledGetsTheEngineBackAndFadesIn) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    for (int block = 0; block < 20; ++block) script.call();
    supervisor.poll();
    pass(40ms);
    ASSERT_EQ(supervisor.status().state, "lost");
    await_progress();
    std::vector<float> heard;
    const auto play = [&] {
        const std::vector<float> block = script.play();
        heard.insert(heard.end(), block.begin(), block.end());
    };
    for (int block = 0; block < 4; ++block) play();  // ends what it played
    pass(5ms);
    EXPECT_EQ(supervisor.status().state, "running");
    EXPECT_EQ(supervisor.status().description.name, "Fake/good");
    run_one();  // the null device has been destroyed
    for (int block = 0; block < 20; ++block) play();
    for (std::size_t i = 1; i < heard.size(); ++i) ASSERT_LT(std::abs(heard[i] - heard[i - 1]), 0.05F) << i;
    for (std::size_t i = 0; i < 96; ++i) EXPECT_LE(std::abs(heard[256 + i]), 0.1F) << "it fades in";
    EXPECT_GT(*std::ranges::max_element(heard), 0.4F);
    EXPECT_EQ(script.stops, 0);
    EXPECT_EQ(supervisor.status().state, "running");

    supervisor.poll();
    pass(60ms);
    EXPECT_EQ(supervisor.status().state, "running") << "it may take as long again";
    pass(60ms);
    EXPECT_EQ(supervisor.status().state, "lost");
}

TEST_F(SupervisorTest, ADeviceThatStallsAndEndsIsClosedAtOnce) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    script.call();
    supervisor.poll();
    pass(40ms);
    lose();
    EXPECT_EQ(script.stops, 1);
    EXPECT_EQ(supervisor.status().state, "waiting");
}

TEST_F(SupervisorTest, LongPeriodsAreNotStalls) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    script.call(4'800);  // 100 ms
    pass(390ms);
    EXPECT_TRUE(states.empty());
    pass(30ms);
    EXPECT_EQ(states, std::vector<std::string>{"lost"}) << "four periods";
}

TEST_F(SupervisorTest, AWatchThatIsLateDoesNotBlameTheDevice) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    ASSERT_TRUE(script.call());
    supervisor.poll();
    now += 10min;  // as after a suspended machine
    supervisor.poll();
    EXPECT_TRUE(states.empty());
    ASSERT_TRUE(script.call());
}

TEST_F(SupervisorTest, AutoTriesAgainWhenThereWasNoDevice) {
    script.busy = true;
    ASSERT_TRUE(start_and_wait("auto"));
    EXPECT_EQ(supervisor.status().state, "waiting");
    script.busy = false;
    pass(100ms);
    run_one();
    EXPECT_EQ(supervisor.status().description.name, "Fake/good");
    EXPECT_EQ(notes, std::vector<std::string>{"\"Fake/good\" drives the engine (0 in, 1 out)"});
}

TEST_F(SupervisorTest, AHostThatHangsWhileOpeningDelaysNobody) {
    script.hangs_in_open = true;
    start("auto");
    pass(7'900ms);
    EXPECT_FALSE(started);
    pass(300ms);  // gives up, and tries again
    ASSERT_TRUE(started && *started);
    await_progress();
    EXPECT_NE(supervisor.status().fallback_reason.find("did not respond"), std::string::npos);
    // Another device can be selected in the meantime.
    std::optional<Expected<void>> changed;
    supervisor.change(request("null"), [&](Expected<void> result) { changed = std::move(result); });
    ASSERT_TRUE(changed && *changed);
    EXPECT_EQ(supervisor.status().state, "running");
    // The device opens after the timeout: too late.
    script.hangs_in_open = false;
    script.permits.release(2);
    for (int ended = 0; ended < 3; ++ended) run_one();  // two attempts, and the fallback
    EXPECT_EQ(script.alive, 0);
    EXPECT_EQ(supervisor.status().description.kind, "null");
    EXPECT_EQ(supervisor.status().state, "running");
}

TEST_F(SupervisorTest, AHostThatHangsIsReportedOnce) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    lose();
    script.hangs_in_open = true;
    warnings.clear();
    pass(20s);
    EXPECT_EQ(warnings,
              std::vector<std::string>{"the audio driver did not respond within 8 s; the next attempt waits for "
                                       "it"});
    await_progress();
    script.hangs_in_open = false;
    script.permits.release();
    run_one();
    EXPECT_EQ(supervisor.status().state, "running") << "when it responds at last";
}

TEST_F(SupervisorTest, AChangeFadesTheDeviceOutBeforeItIsClosed) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    for (int block = 0; block < 20; ++block) script.call();
    std::optional<Expected<void>> changed;
    supervisor.reopen([&](Expected<void> result) { changed = std::move(result); });
    supervisor.poll();
    EXPECT_EQ(script.stops, 0);
    std::vector<float> heard;
    for (int block = 0; block < 15; ++block) {
        const std::vector<float> more = script.play();
        heard.insert(heard.end(), more.begin(), more.end());
    }
    supervisor.poll();
    EXPECT_TRUE(states.empty()) << "an adapter may still play the last block of the fade";
    EXPECT_EQ(heard.back(), 0.0F);
    for (std::size_t i = 1; i < heard.size(); ++i) EXPECT_LT(std::abs(heard[i] - heard[i - 1]), 0.1F) << i;
    fade_out();
    EXPECT_EQ(states, std::vector<std::string>{"lost"});
    run_one();  // closed
    EXPECT_EQ(script.stops, 1);
    run_one();  // opened
    ASSERT_TRUE(changed && *changed);
    EXPECT_EQ(script.starts, 2);
    EXPECT_EQ(supervisor.status().state, "running");
}

TEST_F(SupervisorTest, AChangeThatIsRefusedOpensThePreviousDeviceAgain) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    std::optional<Expected<void>> changed;
    const auto keep = [&](Expected<void> result) { changed = std::move(result); };
    supervisor.change(request("scripted:bad"), keep);
    supervisor.change(request("null"), [&](const Expected<void>& result) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, ErrorCode::aborted) << "one change at a time";
    });
    fade_out();
    run_one();  // closed
    run_one();  // refused
    ASSERT_TRUE(changed && !*changed);
    EXPECT_EQ(changed->error().sentence, "\"Fake/bad\" is busy; the previous device is opened again");
    run_one();  // opened
    EXPECT_EQ(supervisor.status().description.name, "Fake/good");
    EXPECT_EQ(supervisor.status().state, "running");
    EXPECT_EQ(supervisor.request().device.name, "good");
}

TEST_F(SupervisorTest, AChangeThatIsRefusedLeavesTheNullDeviceAlone) {
    ASSERT_TRUE(start_and_wait("null"));
    std::optional<Expected<void>> changed;
    supervisor.change(request("scripted:missing"), [&](Expected<void> result) { changed = std::move(result); });
    await_progress();
    run_one();
    ASSERT_TRUE(changed && !*changed);
    EXPECT_EQ(changed->error().sentence, "the scripted device does not exist");
    EXPECT_EQ(supervisor.status().state, "running");
    EXPECT_TRUE(states.empty());
    await_progress();
}

TEST_F(SupervisorTest, ADeviceThatIsLostCanBeReplacedAtOnce) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    script.hangs_in_stop = true;
    script.finished = true;
    supervisor.poll();
    script.finished = false;
    std::optional<Expected<void>> changed;
    supervisor.change(request("null"), [&](Expected<void> result) { changed = std::move(result); });
    ASSERT_TRUE(changed && *changed) << "without waiting for its driver, which hangs";
    EXPECT_EQ(supervisor.status().state, "running");
    script.permits.release();
}

TEST_F(SupervisorTest, AReopenedDeviceThatIsGoneIsTriedAgain) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    script.busy = true;
    std::optional<Expected<void>> changed;
    supervisor.reopen([&](Expected<void> result) { changed = std::move(result); });
    fade_out();
    run_one();  // closed
    run_one();  // refused
    ASSERT_TRUE(changed && !*changed);
    EXPECT_EQ(changed->error().sentence, "\"Fake/good\" is busy");
    EXPECT_EQ(supervisor.status().state, "waiting");
    script.busy = false;
    pass(100ms);
    run_one();
    EXPECT_EQ(supervisor.status().state, "running");
}

TEST_F(SupervisorTest, ALossDuringTheFadeOfAChangeChangesTheDevice) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    std::optional<Expected<void>> changed;
    supervisor.reopen([&](Expected<void> result) { changed = std::move(result); });
    lose();
    run_one();  // opened
    ASSERT_TRUE(changed && *changed);
    EXPECT_EQ(supervisor.status().state, "running");
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
    supervisor.poll();
    supervisor.poll();
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
    // 100 s of frames per callback, so that it cannot count as an overrun.
    const auto call = [&](const DriverFlags& said) { script.call(4'800'000, said); };
    call({});
    supervisor.poll();
    EXPECT_TRUE(xruns.empty());
    call({.input_overflow = true, .output_underflow = true});
    call({.output_underflow = true});
    const std::uint64_t frame = engine.renderer().frames();
    call({});
    poll_after(10ms);
    poll_after(10ms);
    ASSERT_EQ(xruns.size(), 1U);
    EXPECT_EQ(xruns[0].first, (XrunCounts{.input_overflows = 1, .output_underflows = 2}));
    EXPECT_EQ(xruns[0].second, frame);
    EXPECT_EQ(supervisor.status().xruns, 2U);
    EXPECT_EQ(supervisor.status().xrun_counts, (XrunCounts{.input_overflows = 1, .output_underflows = 2}));
    const std::size_t logged = warnings.size();
    EXPECT_NE(warnings.back().find("1 input overflow, 2 output underflows"), std::string::npos) << warnings.back();

    call({.output_overflow = true});
    poll_after(980ms);
    call({.input_underflow = true});
    poll_after(1s);
    EXPECT_EQ(xruns.size(), 3U);
    EXPECT_EQ(warnings.size(), logged);
    poll_after(9s);
    ASSERT_EQ(warnings.size(), logged + 1);
    EXPECT_NE(warnings.back().find("1 input underflow, 1 output overflow; since it was opened: 1 input underflow, 1 "
                                   "input overflow, 2 output underflows, 1 output overflow"),
              std::string::npos)
        << warnings.back();
    poll_after(19s);
    EXPECT_EQ(warnings.size(), logged + 1);
    EXPECT_EQ(xruns.size(), 3U);
}

TEST_F(SupervisorTest, TheLastXrunsOfALostDeviceAreToldAndLogged) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    // 100 s of frames cannot count as an overrun. Callbacks of 64 may, so only the flags of the host are compared.
    script.call(4'800'000, {.input_overflow = true});
    supervisor.poll();
    const std::size_t logged = warnings.size();
    script.call(64, {.output_overflow = true});
    poll_after(980ms);
    ASSERT_EQ(xruns.size(), 2U);
    EXPECT_EQ(warnings.size(), logged) << "it was logged just now";
    script.call(64, {.input_underflow = true});
    const std::uint64_t frame = engine.renderer().frames();
    script.finished = true;
    poll_after(10ms);
    ASSERT_EQ(states.size(), 1U);
    ASSERT_EQ(xruns.size(), 3U);
    EXPECT_EQ(xruns[2].first.input_underflows, 1U);
    EXPECT_EQ(xruns[2].first.output_overflows, 0U);
    EXPECT_EQ(xruns[2].second, frame);
    ASSERT_EQ(warnings.size(), logged + 2) << "and that it was lost";
    EXPECT_NE(warnings[logged].find("1 input underflow, 1 output overflow; since it was opened:"), std::string::npos)
        << warnings[logged];
}

TEST_F(SupervisorTest, TheNullDeviceThatTakesOverCountsAfresh) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    script.call(4'800'000, {.output_underflow = true});
    supervisor.poll();
    ASSERT_EQ(xruns.size(), 1U);
    script.finished = true;
    supervisor.poll();
    const DeviceStatus state = supervisor.status();
    EXPECT_EQ(state.description.kind, "null");
    EXPECT_EQ(state.xruns, 0U);
    EXPECT_EQ(state.xrun_counts.output_underflows, 0U);
    supervisor.poll();
    for (std::size_t i = 1; i < xruns.size(); ++i) EXPECT_EQ(xruns[i].first.output_underflows, 0U);
}

TEST_F(SupervisorTest, MeasuresTheLoadOfTheLastSecond) {
    ASSERT_TRUE(start_and_wait("scripted:good"));
    EXPECT_EQ(supervisor.load().callback_count, 0U) << "what the device called for on probation is not told";
    for (int i = 0; i < 7; ++i) script.call(4'800'000);
    poll_after(100ms);
    EXPECT_EQ(supervisor.load().callback_count, 7U);
    EXPECT_GT(supervisor.load().mean, 0.0);
    EXPECT_GE(supervisor.load().worst, supervisor.load().mean);
    for (int i = 0; i < 9; ++i) poll_after(100ms);
    EXPECT_EQ(supervisor.load().callback_count, 7U);
    poll_after(100ms);
    EXPECT_EQ(supervisor.load().callback_count, 0U);
}

}  // namespace
}  // namespace rta::io
