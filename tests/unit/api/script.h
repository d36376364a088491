// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/dispatcher.h"
#include "dsp/audio_buffer.h"
#include "engine/engine.h"
#include "engine/renderer.h"
#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::api::test {

/// Devices and operating system controlled by the test.
class FakeDaemon final : public DaemonAccess {
 public:
    [[nodiscard]] DeviceStatus device_status() const override {
        if (no_memory) throw std::bad_alloc{};
        return device;
    }
    [[nodiscard]] LoadStatus load_status() const override { return load; }
    [[nodiscard]] RealtimeStatus realtime_status() const override { return realtime; }
    [[nodiscard]] StoreStatus store_status() const override { return store; }
    [[nodiscard]] ProcessStatus process_status() const override { return process; }
    [[nodiscard]] std::vector<std::string> web_urls() const override { return urls; }
    void access_changed(const std::string& sentence) override { access_changes.push_back(sentence); }
    void graph_changed() override {
        if (no_memory) throw std::bad_alloc{};
        ++graph_changes;
    }
    [[nodiscard]] bool records_changes() const override { return recording; }
    [[nodiscard]] Expected<bool> reserve_record(std::size_t /*bytes*/) override { return room; }
    void record(Record record) override { records.push_back(std::move(record)); }
    void list_devices(std::function<void(std::vector<DeviceInfo>)> done) override { looks.push_back(std::move(done)); }
    [[nodiscard]] std::int64_t utc_us() const override { return utc; }
    [[nodiscard]] Access& access() override { return tokens == nullptr ? no_access() : *tokens; }
    void set_device(std::optional<std::string> device, std::function<void(Expected<void>)> done) override {
        device_changes.emplace_back(std::move(device), std::move(done));
    }

    void save_confirmation(std::function<std::string()> writer, Workers& /*workers*/,
                           std::function<void(const Expected<void>&)> done) override {
        held_saves.push_back([this, writer = std::move(writer), done = std::move(done)] {
            if (disk_is_full) return done(fail(ErrorCode::unavailable, "the disk is full"));
            ++confirmation_saves;
            confirmation = writer ? std::optional{writer()} : std::nullopt;
            done({});
        });
        if (!holds_saves) finish_save();
    }
    /// Writes what save_confirmation() was given first.
    void finish_save() {
        const auto save = std::move(held_saves.front());
        held_saves.pop_front();
        save();
    }
    void confirmation_warning(const std::string& sentence) override { warnings.push_back(sentence); }

    DeviceStatus device{.description = {.kind = "null", .name = "out.wav", .sample_rate_hz = 48'000}, .running = true};
    LoadStatus load{.callback_count = 750, .mean = 0.25, .p99 = 0.5, .worst = 0.75};
    RealtimeStatus realtime{.memory = {.locked = true}, .scheduling = {.policy = "SCHED_OTHER"}};
    StoreStatus store{.directory = "/state", .saved_revision = 3, .error = "the disk is full"};
    ProcessStatus process{};
    std::vector<std::string> urls{};            ///< of the page
    std::vector<std::string> access_changes{};  ///< for the log
    Access* tokens = nullptr;                   ///< null: no access tokens
    std::int64_t utc = 1'796'156'100'000'000;
    int graph_changes = 0;
    bool recording = false;
    Expected<bool> room = true;  ///< for records
    std::deque<Record> records;  ///< that have not been written
    bool no_memory = false;
    std::optional<std::string> confirmation{};  ///< the file
    int confirmation_saves = 0;
    bool disk_is_full = false;
    bool holds_saves = false;  ///< the test calls finish_save()
    std::deque<std::function<void()>> held_saves{};
    std::vector<std::string> warnings{};
    std::deque<std::function<void(std::vector<DeviceInfo>)>> looks;  ///< requested and not yet answered
    /// Requested and not yet answered.
    std::deque<std::pair<std::optional<std::string>, std::function<void(Expected<void>)>>> device_changes;
};

/// Runs work immediately, or keeps it until the test runs it.
class FakeWorkers final : public Workers {
 public:
    void start(Lane lane, std::function<void()> work, std::function<void()> done) override {
        if (held) return jobs.push_back({std::move(work), std::move(done), lane});
        work();
        done();
    }
    /// Runs the kept job of this index, counted from the oldest.
    void finish(std::size_t index) {
        const Job job = jobs.at(index);
        jobs.erase(jobs.begin() + static_cast<std::ptrdiff_t>(index));
        job.work();
        job.done();
    }

    struct Job {
        std::function<void()> work;
        std::function<void()> done;
        Lane lane;
    };
    bool held = false;
    std::deque<Job> jobs;
};

/// A real engine and dispatcher, with a clock and an audio thread controlled by the test, and clients without sockets.
///
/// play() runs a script, one step per line:
///     a> TEXT        client `a` (one letter; it connects at its first message) sends this rta.v1.Request
///     a< TEXT        the next message to `a` must be this rta.v1.ServerMessage; omitted fields may have any value
///     a-             there must be no message for `a`
///     block          renders one block, then ticks the dispatcher
///     tick MS        advances the clock, then ticks the dispatcher
///     hello a        a> hello, a< its response
/// Every failure names the line.
class Script {
 public:
    explicit Script(const NodeRegistry& registry = builtin_nodes(), EngineConfig config = {},
                    const ClientLimits& limits = {});

    void play(std::string_view script);

    void send(char client, const v1::Request& request);
    void send_bytes(char client, std::string_view payload);
    /// Returns the next message to the client; nullopt without a message.
    [[nodiscard]] std::optional<v1::ServerMessage> receive(char client);
    /// Connects the client with this letter. Others connect through Door::unknown, which gives them the role admin.
    Client& connect(char client, Entry entry);
    /// Returns the client with this letter.
    [[nodiscard]] Client& client(char name);
    void disconnect(char client);
    void render_block();
    /// Switches to a device with this number of channels from the next block on.
    void set_device_channels(std::uint32_t channels_out);
    /// Returns the latest block that was rendered.
    [[nodiscard]] AudioReadView output() const { return outputs_.read(); }
    void block() {
        render_block();
        tick({});
    }
    void tick(std::chrono::milliseconds later) {
        now += later;
        dispatcher.tick();
        while (dispatcher.time().pass_over()) dispatcher.time().begin_pass();
    }

    TimePoint now{std::chrono::hours{1}};
    std::chrono::milliseconds clock_step{0};  ///< advance of the clock at every read
    Engine engine;
    FakeDaemon daemon;
    FakeWorkers workers;
    Dispatcher dispatcher;

 private:
    struct Peer {
        std::shared_ptr<Client> client;
        FrameDecoder decoder;
    };
    void step(std::string_view line);
    void expect(char client, std::string_view text);
    Peer& peer(char name);

    AudioBuffer inputs_;
    AudioBuffer outputs_;
    AudioThreadGate::Generation generation_;
    std::map<char, Peer> peers_;
};

[[nodiscard]] v1::Request request(std::string_view text);

/// Client `client` builds osc -> vol -> out; the transaction takes effect in the first block.
[[nodiscard]] std::string tone(char client = 'a');

/// Returns the status message of a response.
[[nodiscard]] std::string sentence(const std::optional<v1::ServerMessage>& message);

/// A node that outputs NaN, for a registry of the test.
extern const NodeType kBroken;
/// A node that needs more memory than available.
extern const NodeType kHuge;
/// A node whose construction throws, like that of a library.
extern const NodeType kFailing;

}  // namespace rta::api::test
