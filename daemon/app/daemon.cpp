// SPDX-License-Identifier: MIT
#include "app/daemon.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/host.h"
#include "app/build_variant.h"
#include "app/graph_file.h"
#include "app/logging.h"
#include "app/process_setup.h"
#include "app/service.h"
#include "engine/engine.h"
#include "io/device_supervisor.h"
#include "io/portaudio_host.h"
#include "net/server.h"
#include "store/graph_store.h"

namespace rta::app {
namespace {

using std::chrono::milliseconds;

/// How long the fade at the end may take before it is given up: a device that does not run ends no fade.
constexpr milliseconds kFadeLimit{300};
/// How often is looked whether the device has called for the first block.
constexpr milliseconds kFirstBlockInterval{1};
/// How often systemd is told how things are; more often if its watchdog wants that.
constexpr milliseconds kServiceInterval{1000};
/// How long PortAudio may take to close. It takes a tenth of that; but a client that leaves without closing makes a
/// synchronous JACK server wait for it, so a slow machine is given time. A host that hangs is left behind.
constexpr milliseconds kCloseLimit{1000};

[[nodiscard]] std::string describe(const DeviceDescription& device) {
    std::string words = device.kind;
    if (!device.name.empty()) words += " " + device.name;
    return words + ", " + std::to_string(device.channels_in) + " in, " + std::to_string(device.channels_out) +
           " out, " + std::to_string(device.sample_rate_hz) + " Hz";
}

/// The daemon's parts, and what api reaches through Host. [control]
class Daemon final : private api::Host, private io::DeviceSupervisor::Observer, private store::GraphStore::Owner {
 public:
    Daemon(const DaemonOptions& options, const MemoryLock& memory)
        : options_{options},
          memory_{memory},
          engine_{node_types(),
                  {.sample_rate_hz = static_cast<double>(options.device.sample_rate_hz),
                   .block_size = options.device.block_size,
                   .ramps = ramps_enabled(),
                   .memory_left_bytes = &available_memory_bytes}},
          supervisor_{engine_.gate(), engine_.renderer(), *this,
                      [this](std::function<void()> task) { asio::post(io_, std::move(task)); },
                      io::make_portaudio_host(
                          [](const std::string& line) { log(net::LogLevel::debug, "a host library says: " + line); })},
          server_{io_, engine_, *this, &log} {
        if (options.state_directory.empty()) return;
        store_.emplace(
            options.state_directory, [this](std::function<void()> task) { asio::post(io_, std::move(task)); },
            static_cast<store::GraphStore::Owner&>(*this));
    }

    /// What must be right before there is sound. Returns the exit status if it is not; the sentence was logged where it
    /// fails.
    [[nodiscard]] int configure();
    /// Until a signal, or a device that does not start. Returns the exit status.
    [[nodiscard]] int run();
    /// What is left to do after an exception.
    void give_up();
    /// Ends the device. False if the process must end without destroying anything.
    [[nodiscard]] bool close() { return supervisor_.stop(kCloseLimit); }
    /// After close(): the recording is not whole.
    [[nodiscard]] bool recording_failed() const { return supervisor_.failed(); }

 private:
    [[nodiscard]] int load_graph();
    [[nodiscard]] int restore_graph();
    [[nodiscard]] int listen();
    static void answer_signals(void (*handler)(int));
    void save_last();
    void started(const Expected<void>& result);
    void fail_start(const std::string& sentence);
    void welcome_clients();
    void tell_service_manager();
    [[nodiscard]] std::string service_status() const;
    void await_signal();
    void fade_and_end();
    void end(int status);
    void watch();

    [[nodiscard]] DeviceStatus device_status() const override { return supervisor_.status(); }
    [[nodiscard]] LoadStatus load_status() const override { return supervisor_.load(); }
    [[nodiscard]] RealtimeStatus realtime_status() const override {
        return {.memory = memory_, .scheduling = supervisor_.scheduling()};
    }
    void list_devices(std::function<void(std::vector<DeviceInfo>)> done) override;
    [[nodiscard]] StoreStatus store_status() const override { return store_ ? store_->status() : StoreStatus{}; }
    void graph_changed() override {
        if (store_) store_->changed();
    }
    [[nodiscard]] store::GraphStore::State state() const override { return {engine_.graph(), engine_.revision()}; }
    void store_warning(const std::string& sentence) override { log(net::LogLevel::warning, sentence); }
    void store_recovered(const std::string& sentence) override { log(net::LogLevel::info, sentence); }
    void device_changed(const std::string& sentence) override;
    void device_xruns(const XrunCounts& counts, std::uint64_t frame) override { server_.xruns(counts, frame); }
    void device_warning(const std::string& sentence) override { log(net::LogLevel::warning, sentence); }

    const DaemonOptions options_;
    const MemoryLock memory_;
    asio::io_context io_{1};
    asio::signal_set signals_{io_, SIGINT, SIGTERM};
    asio::steady_timer watch_timer_{io_};
    asio::steady_timer fade_timer_{io_};
    asio::steady_timer welcome_timer_{io_};
    asio::steady_timer service_timer_{io_};
    ServiceManager service_;
    std::uint64_t frames_told_ = 0;  ///< the engine's clock when the watchdog last heard of us
    Engine engine_;
    io::DeviceSupervisor supervisor_;
    net::Server server_;
    std::optional<store::GraphStore> store_;  ///< empty: nothing is remembered
    bool starved_ = false;  ///< the device did not start for want of memory, which the graph may have taken
    bool ending_ = false;
    int status_ = kExitClean;
};

int Daemon::configure() {
    log(net::LogLevel::info, "rtad " RTA_VERSION);
    const int restored = restore_graph();
    const int status = restored == kExitClean ? listen() : restored;
    // What is in the way of this start is not the graph.
    if (status != kExitClean && store_) store_->confirm_restore();
    return status;
}

/// The graph of the state folder; where that holds none, the graph of --graph.
int Daemon::restore_graph() {
    if (!store_) return load_graph();
    const auto restored = store_->restore([this](const std::string& text) {
        return load_graph_text(engine_, text, store_->status().directory + "/graph.json");
    });
    if (!restored) {
        log(net::LogLevel::error, restored.error().sentence);
        return kExitUsage;
    }
    if (*restored == store::GraphStore::Restored::graph) {
        log(net::LogLevel::info, "restored the graph of " + options_.state_directory);
        if (!options_.graph.empty()) {
            log(net::LogLevel::info, "--graph " + options_.graph + " is not loaded: the state folder holds a graph");
        }
    }
    return *restored == store::GraphStore::Restored::nothing ? load_graph() : kExitClean;
}

int Daemon::load_graph() {
    if (options_.graph.empty()) return kExitClean;
    if (const auto loaded = load_graph_file(engine_, options_.graph); !loaded) {
        log(net::LogLevel::error, loaded.error().sentence);
        return loaded.error().code == ErrorCode::resource_exhausted ? kExitFailure : kExitUsage;
    }
    graph_changed();
    return kExitClean;
}

int Daemon::listen() {
    if (const auto bound = server_.listen_unix(
            options_.socket, options_.socket_for_group ? net::SocketAccess::group : net::SocketAccess::owner);
        !bound) {
        log(net::LogLevel::error, bound.error().sentence);
        // Whoever is in the way of this may be gone in a moment.
        return bound.error().code == ErrorCode::deadline_exceeded ? kExitFailure : kExitUsage;
    }
    for (const std::string& address : options_.listen) {
        if (const auto bound = server_.listen_tcp(address); !bound) {
            log(net::LogLevel::error, bound.error().sentence);
            return kExitUsage;
        }
    }
    return kExitClean;
}

int Daemon::run() {
    if (!memory_.locked) log(net::LogLevel::warning, "memory is not locked: " + memory_.detail);
    await_signal();
    server_.hold_clients();
    io::DeviceRequest request = options_.device;
    // Whoever starts us again by itself does not mean to record anew.
    if (ServiceManager::present()) request.older = io::OlderRecording::kept_aside;
    supervisor_.start(request, [this](const Expected<void>& result) { started(result); });
    trim_memory();
    watch();
    io_.run();
    server_.stop();
    if (store_ && !starved_) store_->confirm_restore();
    save_last();
    return status_;
}

void Daemon::give_up() {
    server_.stop();
    save_last();
}

/// Once io_ no longer does: in one step, over what Asio has put there. Between two, a signal would end us as a kill
/// does.
void Daemon::answer_signals(void (*handler)(int)) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action{};
        if (sigaction(signal, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
        action = {};
        action.sa_handler = handler;
        sigaction(signal, &action, nullptr);
    }
}

/// After the server has stopped: nobody changes the graph any more.
void Daemon::save_last() {
    // A disk may make it wait for ever; what comes afterwards is short.
    answer_signals([](int) { std::_Exit(kExitFailure); });
    if (!store_) return;
    if (const auto saved = store_->finish(); !saved) {
        log(net::LogLevel::error, "the last changes of the graph are lost: " + saved.error().sentence);
        if (status_ == kExitClean) status_ = kExitFailure;
    }
}

void Daemon::started(const Expected<void>& result) {
    if (!result) {
        starved_ = result.error().code == ErrorCode::resource_exhausted;
        const std::string sentence = "the device cannot be started: " + result.error().sentence;
        log(net::LogLevel::error, sentence);
        fail_start(sentence);
        return;
    }
    log(net::LogLevel::info, "device: " + describe(supervisor_.status().description));
    welcome_clients();
}

/// Pauses as ServiceManager::pause_failed_start() does, but whoever wants us to end need not wait.
void Daemon::fail_start(const std::string& sentence) {
    status_ = kExitFailure;
    if (!ServiceManager::present()) {
        end(status_);
        return;
    }
    service_.status(sentence);
    service_timer_.expires_after(ServiceManager::kFailedStartPause);
    service_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) end(status_);
    });
}

void Daemon::welcome_clients() {
    // Only frame 0 begins unfaded, and that belongs to --graph: a client's first edit must find an engine that runs.
    if (engine_.renderer().frames() > 0) {
        if (store_) store_->confirm_restore();
        server_.welcome_clients();
        service_.ready();
        tell_service_manager();
        return;
    }
    welcome_timer_.expires_after(kFirstBlockInterval);
    welcome_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) welcome_clients();
    });
}

void Daemon::tell_service_manager() {
    // That this runs shows that the control thread is alive; the clock shows it of the audio thread.
    const std::uint64_t frames = engine_.renderer().frames();
    if (std::exchange(frames_told_, frames) != frames) service_.alive();
    service_.status(service_status());
    const auto interval = std::min(ServiceManager::watchdog_interval().value_or(kServiceInterval), kServiceInterval);
    service_timer_.expires_after(interval);
    service_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) tell_service_manager();
    });
}

std::string Daemon::service_status() const {
    const DeviceStatus device = supervisor_.status();
    std::string line = describe(device.description) + "; revision " + std::to_string(engine_.revision()) + ", " +
                       std::to_string(engine_.graph().node_count()) + " nodes; " +
                       std::to_string(server_.client_count()) + " clients";
    if (!device.fallback_reason.empty()) line += "; " + device.fallback_reason;
    if (const std::string error = store_status().error; !error.empty()) line += "; the graph cannot be saved: " + error;
    return line;
}

void Daemon::await_signal() {
    // A terminal that closes ends rtad as Ctrl-C does, unless whoever started it said otherwise (nohup).
    struct sigaction hangup{};
    if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) signals_.add(SIGHUP);
    signals_.async_wait([this](const asio::error_code& error, int) {
        if (error) return;
        // Somebody who asks twice does not want to wait for the fade; what clients were answered is kept all the same.
        signals_.async_wait([this](const asio::error_code& second_error, int) {
            if (second_error) return;
            log(net::LogLevel::info, "ending at once");
            end(status_);
        });
        fade_and_end();
    });
}

void Daemon::fade_and_end() {
    log(net::LogLevel::info, "ending");
    service_.stopping();
    if (!supervisor_.status().running) {
        end(status_);
        return;
    }
    server_.fade_out(kDeviceFadeMs, [this] { end(status_); });
    fade_timer_.expires_after(kFadeLimit);
    fade_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) end(status_);
    });
}

void Daemon::end(int status) {
    if (std::exchange(ending_, true)) return;
    status_ = status;
    io_.stop();
}

void Daemon::watch() {
    watch_timer_.expires_after(supervisor_.poll(std::chrono::steady_clock::now()));
    watch_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) watch();
    });
}

void Daemon::list_devices(std::function<void(std::vector<DeviceInfo>)> done) {
    supervisor_.list([done = std::move(done)](Expected<std::vector<DeviceInfo>> listed) {
        if (!listed) log(net::LogLevel::warning, "devices cannot be listed: " + listed.error().sentence);
        done(std::move(listed).value_or(std::vector<DeviceInfo>{}));
    });
}

void Daemon::device_changed(const std::string& sentence) {
    log(net::LogLevel::warning, sentence);
    server_.device_changed(device_status());
}

/// Want of memory, as a rule. What can still be done may fail for the same reason.
void give_up(Daemon* daemon, const char* why) {
    try {
        log(net::LogLevel::error, std::string{"giving up: "} + why);
        if (daemon != nullptr) {
            daemon->give_up();
            static_cast<void>(daemon->close());
        }
    } catch (const std::exception&) {
        print_error("and nothing could be saved");
    }
    ServiceManager::pause_failed_start();
}

}  // namespace

int run_daemon(const DaemonOptions& options, const MemoryLock& memory) {
    std::unique_ptr<Daemon> daemon;
    int status = kExitFailure;
    bool destroy = false;
    try {
        daemon = std::make_unique<Daemon>(options, memory);
        const int configured = daemon->configure();
        status = configured == kExitClean ? daemon->run() : configured;
        if (configured == kExitFailure) ServiceManager::pause_failed_start();
        destroy = daemon->close();
        if (status == kExitClean && daemon->recording_failed()) status = kExitFailure;
    } catch (const std::exception& error) {
        status = kExitFailure;
        give_up(daemon.get(), error.what());
    }
    // With a host library in the process nothing is destroyed, not even by a return from main(): a thread of the
    // library may still be in there, and its own clean-up may hang or abort. Files and sockets are closed by now.
    if (!destroy) std::_Exit(status);
    return status;
}

}  // namespace rta::app
