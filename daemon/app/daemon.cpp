// SPDX-License-Identifier: MIT
#include "app/daemon.h"

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/change_log.h"
#include "api/daemon_access.h"
#include "app/build_variant.h"
#include "app/exit_signals.h"
#include "app/graph_file.h"
#include "app/listening.h"
#include "app/logging.h"
#include "app/media.h"
#include "app/process_setup.h"
#include "app/requested_device.h"
#include "app/saved_state.h"
#include "app/scene_keeper.h"
#include "app/service.h"
#include "app/token_keeper.h"
#include "engine/engine.h"
#include "io/device_kind.h"
#include "io/device_supervisor.h"
#include "net/server.h"
#include "os/memory.h"
#include "store/token_file.h"
#include "text/quoting.h"

namespace rta::app {
namespace {

using std::chrono::milliseconds;

/// Timeout of the fade-out before exit. On a device that has stopped, the fade never completes.
constexpr milliseconds kFadeLimit{300};
/// Interval at which to check whether the device has requested the first block.
constexpr milliseconds kFirstBlockInterval{1};
/// Longest interval between reports to systemd. The watchdog may require a shorter one.
constexpr milliseconds kServiceInterval{1000};
/// Timeout for closing the device, after which a hanging audio library is abandoned. Closing usually takes a tenth of
/// this, but a synchronous JACK server may first wait for another client that exited without closing.
constexpr milliseconds kCloseLimit{1000};

[[nodiscard]] std::string describe(const DeviceDescription& device) {
    std::string words = device.kind;
    if (!device.name.empty()) words += " " + printable(device.name);
    return words + ", " + std::to_string(device.channels_in) + " in, " + std::to_string(device.channels_out) +
           " out, " + std::to_string(device.sample_rate_hz) + " Hz";
}

/// Returns the path of the token file; empty: none.
[[nodiscard]] std::string token_file(const DaemonOptions& options) {
    if (!options.tokens.empty() || options.state_directory.empty()) return options.tokens;
    return store::token_file_in(options.state_directory);
}

/// Owns the parts of the daemon and connects them. [control]
class Daemon final : private api::DaemonAccess, private io::DeviceObserver {
 public:
    Daemon(const DaemonOptions& options, const MemoryLock& memory, media::MediaFiles& media)
        : options_{options},
          memory_{memory},
          media_{media},
          engine_{node_types(),
                  {.sample_rate_hz = static_cast<double>(options.device.sample_rate_hz),
                   .block_size = options.device.block_size,
                   .ramps = ramps_enabled(),
                   .limits = options.limits.graph,
                   .kept_bytes = options.limits.kept_bytes,
                   .memory_left_bytes = &available_memory_bytes,
                   .thread_time_s = &thread_time_s,
                   .random = &random_number,
                   .resources = &media}},
          supervisor_{engine_.gate(),
                      engine_.renderer(),
                      *this,
                      [this](std::function<void()> task) { asio::post(io_, std::move(task)); },
                      io::device_kinds(),
                      [](const std::string& line) { log(net::LogLevel::debug, "audio library: " + line); }},
          tokens_{token_file(options), !options.tokens.empty()},
          scenes_{options.state_directory},
          server_{io_, engine_, *this, &log, options.limits.clients},
          listening_{options_, server_, io_},
          state_{options_,
                 engine_,
                 server_.history(),
                 server_.confirmation(),
                 [this](std::function<void()> task) { asio::post(io_, std::move(task)); },
                 [this] { server_.changes().room_changed(); }} {}

    /// Restores the graph and opens the listening sockets. Returns the exit status; errors have been logged.
    [[nodiscard]] int configure();
    /// Runs until a signal arrives or the device fails to start. Returns the exit status.
    [[nodiscard]] int run();
    /// Disconnects the clients and saves the graph after an exception.
    void stop_after_exception();
    /// Closes the device. Returns false if the process must exit without destroying any object.
    [[nodiscard]] bool close() { return supervisor_.stop(kCloseLimit); }
    /// Returns, after close(), whether the recording is incomplete.
    [[nodiscard]] bool recording_failed() const { return supervisor_.failed(); }

 private:
    void open_device();
    void open_configured_device();
    void save_last();
    void started(const Expected<void>& result);
    void fail_start(const std::string& sentence);
    void welcome_clients();
    void await_first_block();
    void report_to_service_manager();
    [[nodiscard]] std::string service_status() const;
    void fade_and_stop();
    void play_buffers();
    void stop(int status);
    void watch();

    [[nodiscard]] DeviceStatus device_status() const override { return supervisor_.status(); }
    [[nodiscard]] std::string tls_fingerprint() const override { return listening_.tls_fingerprint(); }
    [[nodiscard]] LoadStatus load_status() const override { return supervisor_.load(); }
    [[nodiscard]] RealtimeStatus realtime_status() const override {
        return {.memory = memory_, .scheduling = supervisor_.scheduling()};
    }
    void list_devices(std::function<void(std::vector<DeviceInfo>)> done) override;
    void set_device(std::optional<std::string> device, std::function<void(Expected<void>)> done) override;
    [[nodiscard]] StoreStatus store_status() const override { return state_.status(); }
    void graph_changed() override { state_.graph_changed(); }
    [[nodiscard]] bool records_changes() const override { return state_.records_changes(); }
    [[nodiscard]] Expected<bool> reserve_record(std::size_t bytes) override { return state_.reserve_record(bytes); }
    void record(Record record) override { state_.record(std::move(record)); }
    void record_lost() override { state_.record_lost(); }
    void output_changed() override { state_.output_changed(); }
    void save_confirmation(std::function<std::string()> writer, api::Workers& workers,
                           std::function<void(const Expected<void>&)> done) override {
        state_.save_confirmation(std::move(writer), workers, std::move(done));
    }
    void confirmation_warning(const std::string& sentence) override { log(net::LogLevel::warning, sentence); }
    [[nodiscard]] std::vector<std::string> web_urls() const override { return listening_.web_urls(); }
    [[nodiscard]] ProcessStatus process_status() const override { return app::process_status(); }
    [[nodiscard]] api::Access& access() override { return tokens_; }
    void access_changed(const std::string& sentence) override { log(net::LogLevel::info, sentence); }
    [[nodiscard]] api::SceneFiles* scene_files() override { return scenes_.files(); }
    void device_changed() override { server_.device_changed(device_status()); }
    void device_xruns(const XrunCounts& counts, std::uint64_t frame) override { server_.xruns(counts, frame); }
    void device_warning(const std::string& sentence) override { log(net::LogLevel::warning, sentence); }
    void device_note(const std::string& sentence) override { log(net::LogLevel::info, sentence); }

    const DaemonOptions options_;
    const MemoryLock memory_;
    media::MediaFiles& media_;
    asio::io_context io_{1};
    ExitSignals signals_{io_};
    asio::steady_timer watch_timer_{io_};
    asio::steady_timer fade_timer_{io_};
    asio::steady_timer welcome_timer_{io_};
    asio::steady_timer service_timer_{io_};
    ServiceManager service_;
    std::uint64_t frames_reported_ = 0;  ///< the engine's clock at the last watchdog reset
    Engine engine_;
    io::DeviceSupervisor supervisor_;
    TokenKeeper tokens_;
    SceneKeeper scenes_;
    net::Server server_;
    Listening listening_;
    SavedState state_;
    bool out_of_memory_ = false;  ///< the device did not start; the graph may be the cause
    bool exiting_ = false;        ///< the fade before the exit has begun
    bool stopping_ = false;
    int status_ = kExitClean;
};

int Daemon::configure() {
    log(net::LogLevel::info, "rtad " RTA_VERSION);
    media_.tolerate_failures(true);
    const int restored = state_.restore();
    media_.tolerate_failures(false);
    if (restored != kExitClean) return restored;
    scenes_.restore(server_.scenes());
    for (const std::string& sentence : exceeded_limits(engine_)) log(net::LogLevel::warning, sentence);
    // Before it listens: a daemon that does not know its tokens must not be reachable.
    const auto tokens = tokens_.open();
    if (!tokens) log(net::LogLevel::error, tokens.error().sentence);
    const int status =
        tokens ? listening_.open(tokens_.has_tokens(), {.metrics = [this] { return server_.metrics(); }}) : kExitUsage;
    // The restored graph did not cause this failure.
    if (status != kExitClean) state_.confirm_restore();
    return status;
}

int Daemon::run() {
    if (!memory_.locked) log(net::LogLevel::warning, "memory is not locked: " + memory_.detail);
    signals_.await([this] { fade_and_stop(); },
                   // Skips the fade. Confirmed changes are still saved.
                   [this] {
                       log(net::LogLevel::info, "exiting without a fade");
                       stop(status_);
                   });
    server_.hold_clients();
    open_device();
    os::return_free_memory(0);  // starting needs more than running
    watch();
    io_.run();
    server_.stop();
    if (!out_of_memory_) state_.confirm_restore();
    save_last();
    listening_.end_advertisement();
    return status_;
}

/// Opens the device that a client has set, otherwise the configured one.
void Daemon::open_device() {
    if (state_.device().empty()) return open_configured_device();
    const auto give_up = [this](const std::string& why) {
        log(net::LogLevel::warning, "cannot open the device that a client has set, " + quoted(state_.device()) + ": " +
                                        why + "; opening " + state_.configured_device() + " instead");
        open_configured_device();
    };
    const auto request = requested_device(state_.device(), options_.device);
    if (!request) return give_up(request.error().sentence);
    supervisor_.start(*request, [this, give_up](const Expected<void>& result) {
        if (!result) return give_up(result.error().sentence);
        started(result);
    });
}

void Daemon::open_configured_device() {
    io::DeviceRequest request = options_.device;
    // An automatic restart must not overwrite the recording.
    if (ServiceManager::present()) request.existing_file = io::ExistingFile::rename;
    supervisor_.start(request, [this](const Expected<void>& result) { started(result); });
}

void Daemon::stop_after_exception() {
    server_.stop();
    save_last();
}

/// Call it after the server has stopped: the graph no longer changes.
void Daemon::save_last() {
    // No signal may skip the save, even if the disk blocks for a long time.
    ExitSignals::set_afterwards(state_.is_kept() ? ExitSignals::Afterwards::report_save
                                                 : ExitSignals::Afterwards::exit);
    server_.changes().flush();
    if (const auto saved = state_.finish(); !saved) {
        log(net::LogLevel::error, "the last changes were not saved: " + saved.error().sentence);
        if (status_ == kExitClean) status_ = kExitFailure;
    }
}

void Daemon::started(const Expected<void>& result) {
    if (!result) {
        out_of_memory_ = result.error().code == ErrorCode::resource_exhausted;
        const std::string sentence = "cannot start the device: " + result.error().sentence;
        log(net::LogLevel::error, sentence);
        fail_start(sentence);
        return;
    }
    log(net::LogLevel::info, "device: " + describe(supervisor_.status().description));
    welcome_clients();
}

/// Delays exit like ServiceManager::pause_failed_start(), but a signal ends the delay.
void Daemon::fail_start(const std::string& sentence) {
    status_ = kExitFailure;
    if (!ServiceManager::present()) {
        stop(status_);
        return;
    }
    service_.status(sentence);
    service_timer_.expires_after(ServiceManager::kFailedStartPause);
    service_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) stop(status_);
    });
}

void Daemon::welcome_clients() {
    // Changes before frame 0 are not faded. Only the initial graph may use that, so clients wait for the first block.
    if (engine_.renderer().frames() > 0) {
        state_.confirm_restore();
        state_.start();
        server_.welcome_clients();
        listening_.advertise();
        service_.ready();
        report_to_service_manager();
        return;
    }
    await_first_block();
}

void Daemon::await_first_block() {
    welcome_timer_.expires_after(kFirstBlockInterval);
    welcome_timer_.async_wait([this](const asio::error_code& error) {
        if (!error && !exiting_) welcome_clients();
    });
}

void Daemon::report_to_service_manager() {
    // This call shows that the control thread is alive; the advancing clock shows the same of the audio thread.
    const std::uint64_t frames = engine_.renderer().frames();
    if (std::exchange(frames_reported_, frames) != frames) service_.alive();
    service_.status(service_status());
    const auto interval = std::min(ServiceManager::watchdog_interval().value_or(kServiceInterval), kServiceInterval);
    service_timer_.expires_after(interval);
    service_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) report_to_service_manager();
    });
}

std::string Daemon::service_status() const {
    const DeviceStatus device = supervisor_.status();
    std::string line = describe(device.description) + "; revision " + std::to_string(engine_.revision()) + ", " +
                       std::to_string(engine_.graph().node_count()) + " nodes; " +
                       std::to_string(server_.client_count()) + " clients";
    if (!device.fallback_reason.empty()) line += "; " + device.fallback_reason;
    if (const std::string error = store_status().error; !error.empty()) line += "; the state cannot be saved: " + error;
    return line;
}

void Daemon::fade_and_stop() {
    log(net::LogLevel::info, "exiting");
    exiting_ = true;
    service_.stopping();
    listening_.withdraw();
    if (!supervisor_.status().running) {
        stop(status_);
        return;
    }
    server_.fade_out(kDeviceFadeMs, [this] { play_buffers(); });
    fade_timer_.expires_after(kFadeLimit);
    fade_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) stop(status_);
    });
}

/// Waits until the device has played the end of the fade, because some sound servers discard what they buffer.
void Daemon::play_buffers() {
    const auto buffered = std::chrono::duration<double>{2.0 * supervisor_.status().latency.output_s};
    fade_timer_.expires_after(std::min(std::chrono::duration_cast<milliseconds>(buffered), kFadeLimit));
    fade_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) stop(status_);
    });
}

void Daemon::stop(int status) {
    if (std::exchange(stopping_, true)) return;
    status_ = status;
    io_.stop();
}

void Daemon::watch() {
    watch_timer_.expires_after(supervisor_.poll());
    watch_timer_.async_wait([this](const asio::error_code& error) {
        if (!error) watch();
    });
}

void Daemon::list_devices(std::function<void(std::vector<DeviceInfo>)> done) {
    supervisor_.list([done = std::move(done)](Expected<std::vector<DeviceInfo>> listed) {
        if (!listed) log(net::LogLevel::warning, "cannot list the devices: " + listed.error().sentence);
        done(std::move(listed).value_or(std::vector<DeviceInfo>{}));
    });
}

void Daemon::set_device(std::optional<std::string> device, std::function<void(Expected<void>)> done) {
    auto later = [this, done = std::move(done)](Expected<void> result) {
        asio::post(io_, [done, result = std::move(result)]() mutable { done(std::move(result)); });
    };
    if (!device) return supervisor_.reopen(std::move(later));
    auto request = requested_device(*device, options_.device);
    if (!request) return later(std::unexpected(std::move(request.error())));
    supervisor_.change(*request, [this, request = *request, later = std::move(later)](Expected<void> result) {
        if (result) state_.set_device(request);
        later(std::move(result));
    });
}

/// Handles an exception, usually of a failed allocation. The steps here may fail for the same reason.
void handle_exception(Daemon* daemon, const char* why) {
    try {
        log(net::LogLevel::error, std::string{"exiting after an exception: "} + why);
        if (daemon != nullptr) {
            daemon->stop_after_exception();
            static_cast<void>(daemon->close());
        }
    } catch (const std::exception&) {
        print_error("the graph could not be saved");
    }
    ServiceManager::pause_failed_start();
}

}  // namespace

int run_daemon(const DaemonOptions& options, const MemoryLock& memory) {
    const auto media = open_media(options.media_folders, options.limits.graph.memory_bytes, &log_stream);
    if (!media) {
        log(net::LogLevel::error, media.error().sentence);
        return kExitUsage;
    }
    std::unique_ptr<Daemon> daemon;
    int status = kExitFailure;
    bool destroy = false;
    try {
        daemon = std::make_unique<Daemon>(options, memory, **media);
        const int configured = daemon->configure();
        status = configured == kExitClean ? daemon->run() : configured;
        if (configured == kExitFailure) ServiceManager::pause_failed_start();
        destroy = daemon->close();
        if (status == kExitClean && daemon->recording_failed()) status = kExitFailure;
    } catch (const std::exception& error) {
        status = kExitFailure;
        handle_exception(daemon.get(), error.what());
    }
    // With an audio library loaded, nothing is destroyed, not even static objects: a thread of the library may still
    // run, and the clean-up of the library may hang or abort. Files and sockets are already closed.
    if (!destroy) std::_Exit(status);
    return status;
}

}  // namespace rta::app
