// SPDX-License-Identifier: MIT
// `jack` and `jack:SERVER`: a client of a JACK server, with one port for each channel. No other file includes JACK.
#include <jack/jack.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "io/device_kind.h"
#include "io/device_request.h"
#include "io/jack_environment.h"
#include "text/quoting.h"

/// Takes the place of the function of Berkeley DB, and fails, so that libjack continues without its database. The database
/// is for metadata, which rtad does not use. It is in the memory that all JACK programs of a user share. A server that is
/// killed, or removes it at its exit, may leave it half made: every call of jack_client_open() then waits for 18 s for it,
/// or without end for a lock, and all other calls of the library wait for that one, also those for another server.
/// The linker exports the function because libjack refers to it; other builds of libjack do not call it.
extern "C" int db_env_create(void** environment, std::uint32_t flags);
int db_env_create(void** /*environment*/, std::uint32_t /*flags*/) { return ENOTSUP; }

namespace rta::io::devices {
namespace {

constexpr const char* kClientName = "rtad";
/// While libjack hangs, further ports are not noticed.
constexpr std::size_t kMostNewPorts = 4'096;

/// Receives the messages of libjack while the calling thread uses the library; others are dropped.
thread_local const DriverLog* log_of_this_thread = nullptr;

void receive_message(const char* message) {
    if (log_of_this_thread != nullptr && *log_of_this_thread) (*log_of_this_thread)(message);
}

/// Sends what libjack prints to the log during its lifetime.
class LoggedCalls {
 public:
    explicit LoggedCalls(const DriverLog& log) {
        log_of_this_thread = &log;
        jack_set_error_function(&receive_message);
        jack_set_info_function(&receive_message);
    }
    LoggedCalls(const LoggedCalls&) = delete;
    LoggedCalls& operator=(const LoggedCalls&) = delete;
    ~LoggedCalls() { log_of_this_thread = nullptr; }
};

struct CloseClient {
    void operator()(jack_client_t* client) const { jack_client_close(client); }
};
using Client = std::unique_ptr<jack_client_t, CloseClient>;

struct FreePorts {
    void operator()(const char** ports) const { jack_free(static_cast<void*>(ports)); }
};

/// Returns the full names of the audio ports that match, in the order of their registration.
[[nodiscard]] std::vector<std::string> ports_of(jack_client_t* client, const char* pattern, unsigned long flags) {
    const std::unique_ptr<const char*, FreePorts> found{
        jack_get_ports(client, pattern, JACK_DEFAULT_AUDIO_TYPE, flags)};
    std::vector<std::string> names;
    for (const char* const* name = found.get(); name != nullptr && *name != nullptr; ++name) names.emplace_back(*name);
    return names;
}

/// libjack does not check the length of a name.
[[nodiscard]] Expected<void> check_server_name(const std::string& server) {
    constexpr std::size_t kLongest = 64;
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
               c == '.';
    };
    if (!server.empty() && server.size() <= kLongest && std::ranges::all_of(server, is_plain)) return {};
    return fail(ErrorCode::invalid_argument, "invalid name of a JACK server " + quoted(server) +
                                                 ": expected 1 to 64 letters, digits, \"_\", \"-\" and \".\"");
}

/// Refuses a socket that another user has made in the name of a server: libjack trusts what it receives. PipeWire has
/// its own sockets, in a folder of the user, and a promiscuous server is meant for all users.
[[nodiscard]] Expected<void> check_owner(const std::string& server) {
    const bool is_jackd = std::string_view{jack_get_version_string()}.find("PipeWire") == std::string_view::npos;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the environment is changed only before threads start
    if (!is_jackd || std::getenv("JACK_PROMISCUOUS_SERVER") != nullptr) return {};
    const std::string socket = "/dev/shm/jack_" + server + "_" + std::to_string(geteuid()) + "_0";
    struct stat status{};
    const bool exists = lstat(socket.c_str(), &status) == 0;
    if (exists && S_ISSOCK(status.st_mode) && status.st_uid == geteuid()) return {};
    return fail(ErrorCode::unavailable, "cannot connect to the JACK server " + quoted(server) +
                                            (exists ? ": " + socket + " was made by another user"
                                                    : ": it does not run, or belongs to another user"));
}

/// Becomes a client of a server that runs. UNAVAILABLE without one.
[[nodiscard]] Expected<Client> open_client(const std::string& server) {
    if (auto checked = check_server_name(server); !checked) return std::unexpected(checked.error());
    if (auto checked = check_owner(server); !checked) return std::unexpected(checked.error());
    jack_status_t status = JackFailure;
    const auto options = static_cast<jack_options_t>(JackNoStartServer | JackServerName);
    Client client{jack_client_open(kClientName, options, &status, server.c_str())};
    if (client) return client;
    const char* const why = (status & (JackServerFailed | JackServerError)) != 0
                                ? "it does not run, or belongs to another user"
                            : (status & JackVersionError) != 0 ? "its version does not fit the library"
                            : (status & JackShmFailure) != 0   ? "its shared memory is not accessible"
                                                               : "it refuses the client";
    return fail(ErrorCode::unavailable, "cannot connect to the JACK server " + quoted(server) + ": " + why);
}

class JackDevice final : public AudioDevice {
 public:
    [[nodiscard]] static Expected<std::unique_ptr<AudioDevice>> open(const DeviceRequest& request,
                                                                     const std::string& server, const DriverLog& log);
    ~JackDevice() override = default;

    [[nodiscard]] const DeviceDescription& description() const noexcept override { return description_; }
    [[nodiscard]] Expected<void> start(BlockAdapter& adapter) override;
    void stop() override;
    [[nodiscard]] DeviceLatency latency() const noexcept override {
        const double rate_hz = description_.sample_rate_hz;
        return {.input_s = input_latency_frames_.load(std::memory_order_relaxed) / rate_hz,
                .output_s = output_latency_frames_.load(std::memory_order_relaxed) / rate_hz};
    }
    [[nodiscard]] std::optional<std::string> end_of_stream() const override;
    [[nodiscard]] bool needs_service() const noexcept override {
        return ports_changed_.load(std::memory_order_relaxed) ||
               (adapter_ != nullptr && adapter_->latency_frames() != told_latency_frames_);
    }
    void serve() override;
    [[nodiscard]] std::string why_not_realtime() const override {
        return "the JACK server runs without real-time scheduling (jackd -R), or was not allowed to use it";
    }
    [[nodiscard]] std::optional<std::string> take_warning() override {
        const bool none = nothing_to_connect_.exchange(false, std::memory_order_relaxed);
        if (!none) return std::nullopt;
        return "no port of JACK matches --jack-connect " + quoted(connect_) + " yet";
    }

 private:
    JackDevice(const DeviceRequest& request, const std::string& server, const DriverLog& log, Client client);

    [[nodiscard]] Expected<void> add_ports();
    void set_callbacks();
    void port_changed(jack_port_id_t port, bool registered);
    void forget_new_ports();
    void connect_ports();
    void connect(const std::vector<jack_port_t*>& ports, unsigned long flags, std::vector<std::string>& known);
    void process(jack_nframes_t frames) RTA_NONBLOCKING;
    void tolerate_a_period(jack_nframes_t frames);
    void update_latency(jack_latency_callback_mode_t mode);

    DeviceDescription description_;
    std::string connect_;
    const DriverLog& log_;
    Client client_;
    std::vector<jack_port_t*> inputs_;
    std::vector<jack_port_t*> outputs_;
    BlockAdapter* adapter_ = nullptr;         ///< set before the client is activated
    std::vector<std::string> known_sinks_;    ///< ports that connect_ports() has connected; the device thread's
    std::vector<std::string> known_sources_;  ///< also the device thread's
    std::atomic<std::uint32_t> told_latency_frames_{0};  ///< of the adapter, to the server; relaxed
    bool warned_ = false;                                ///< that there are none; also the device thread's

    // Only the process callback touches these.
    std::vector<const float*> input_samples_;
    std::vector<float*> output_samples_;

    std::array<char, 200> end_reason_{};  ///< written before `ended_`
    std::atomic<bool> ended_{false};      ///< release and acquire: orders end_reason_
    std::atomic_flag end_reported_;
    std::atomic<jack_nframes_t> new_rate_hz_{0};
    // relaxed: numbers and flags on their own.
    std::atomic<std::uint32_t> server_xruns_{0};
    std::atomic<jack_nframes_t> input_latency_frames_{0};
    std::atomic<jack_nframes_t> output_latency_frames_{0};
    std::atomic<bool> ports_changed_{false};
    std::mutex mutex_;
    std::vector<jack_port_id_t> new_ports_;  ///< under mutex_: registered since connect_ports() last looked
    std::atomic<bool> nothing_to_connect_{false};
};

JackDevice::JackDevice(const DeviceRequest& request, const std::string& server, const DriverLog& log, Client client)
    : description_{.kind = "jack",
                   .name = "JACK/" + server,
                   .sample_rate_hz = request.sample_rate_hz,
                   .channels_in = request.channels_in.value_or(kDefaultChannels),
                   .channels_out = request.channels_out.value_or(kDefaultChannels)},
      connect_{request.jack_connect},
      log_{log},
      client_{std::move(client)},
      input_samples_(description_.channels_in, nullptr),
      output_samples_(description_.channels_out, nullptr) {}

Expected<std::unique_ptr<AudioDevice>> JackDevice::open(const DeviceRequest& request, const std::string& server,
                                                        const DriverLog& log) {
    const LoggedCalls logged{log};
    auto client = open_client(server);
    if (!client) return std::unexpected(client.error());
    if (const jack_nframes_t rate_hz = jack_get_sample_rate(client->get()); rate_hz != request.sample_rate_hz) {
        return fail(ErrorCode::invalid_argument,
                    "the JACK server " + quoted(server) + " runs at " + std::to_string(rate_hz) + " Hz, not " +
                        std::to_string(request.sample_rate_hz) + " Hz: use --sample-rate " + std::to_string(rate_hz) +
                        ", or change the rate of the server");
    }
    std::unique_ptr<JackDevice> device{new JackDevice{request, server, log, std::move(*client)}};
    if (auto added = device->add_ports(); !added) return std::unexpected(added.error());
    device->set_callbacks();
    return device;
}

Expected<void> JackDevice::add_ports() {
    const auto add = [this](std::vector<jack_port_t*>& ports, std::uint32_t count, const char* prefix,
                            unsigned long flags) -> Expected<void> {
        for (std::uint32_t channel = 1; channel <= count; ++channel) {
            const std::string name = prefix + std::to_string(channel);
            jack_port_t* const port =
                jack_port_register(client_.get(), name.c_str(), JACK_DEFAULT_AUDIO_TYPE, flags, 0);
            if (port == nullptr) {
                return fail(ErrorCode::unavailable, quoted(description_.name) + " refuses the port " + quoted(name) +
                                                        ": it may have reached its largest number of ports");
            }
            ports.push_back(port);
        }
        return {};
    };
    if (auto added = add(inputs_, description_.channels_in, "in_", JackPortIsInput); !added) return added;
    return add(outputs_, description_.channels_out, "out_", JackPortIsOutput);
}

void JackDevice::set_callbacks() {
    jack_client_t* const client = client_.get();
    jack_set_process_callback(
        client,
        [](jack_nframes_t frames, void* self) RTA_NONBLOCKING {
            static_cast<JackDevice*>(self)->process(frames);
            return 0;
        },
        this);
    jack_set_xrun_callback(
        client,
        [](void* self) {
            static_cast<JackDevice*>(self)->server_xruns_.fetch_add(1, std::memory_order_relaxed);
            return 0;
        },
        this);
    jack_set_latency_callback(
        client,
        [](jack_latency_callback_mode_t mode, void* self) { static_cast<JackDevice*>(self)->update_latency(mode); },
        this);
    jack_set_sample_rate_callback(
        client,
        [](jack_nframes_t rate_hz, void* device) {
            auto& self = *static_cast<JackDevice*>(device);
            if (rate_hz != self.description_.sample_rate_hz) {
                self.new_rate_hz_.store(rate_hz, std::memory_order_relaxed);
            }
            return 0;
        },
        this);
    // A client that is activated, or a port that has gone, changes the order of the graph.
    jack_set_graph_order_callback(
        client,
        [](void* self) {
            static_cast<JackDevice*>(self)->ports_changed_.store(true, std::memory_order_relaxed);
            return 0;
        },
        this);
    jack_set_port_registration_callback(
        client,
        [](jack_port_id_t port, int registered, void* self) {
            static_cast<JackDevice*>(self)->port_changed(port, registered != 0);
        },
        this);
    jack_set_buffer_size_callback(
        client,
        [](jack_nframes_t frames, void* self) {
            static_cast<JackDevice*>(self)->tolerate_a_period(frames);
            return 0;
        },
        this);
    jack_on_info_shutdown(
        client,
        [](jack_status_t, const char* reason, void* device) {
            auto& self = *static_cast<JackDevice*>(device);
            if (self.end_reported_.test_and_set(std::memory_order_relaxed)) return;  // two threads may report it
            std::strncpy(self.end_reason_.data(), reason, self.end_reason_.size() - 1);
            // release pairs with the acquire in end_of_stream().
            self.ended_.store(true, std::memory_order_release);
        },
        this);
}

Expected<void> JackDevice::start(BlockAdapter& adapter) {
    const LoggedCalls logged{log_};
    adapter_ = &adapter;
    tolerate_a_period(jack_get_buffer_size(client_.get()));
    if (jack_activate(client_.get()) != 0) {
        client_.reset();
        return fail(ErrorCode::unavailable, quoted(description_.name) + " does not activate the client");
    }
    connect_ports();
    return {};
}

/// A callback causes a dropout only if it is later than the period before its output is played.
void JackDevice::tolerate_a_period(jack_nframes_t frames) {
    if (adapter_ != nullptr) adapter_->tolerate_lateness(frames / static_cast<double>(description_.sample_rate_hz));
}

void JackDevice::stop() {
    const LoggedCalls logged{log_};
    client_.reset();
}

std::optional<std::string> JackDevice::end_of_stream() const {
    // acquire pairs with the release of the shutdown callback.
    if (ended_.load(std::memory_order_acquire)) {
        return "the JACK server ended the connection (" + std::string{end_reason_.data()} + ")";
    }
    if (const jack_nframes_t rate_hz = new_rate_hz_.load(std::memory_order_relaxed); rate_hz != 0) {
        return "the JACK server changed the sample rate to " + std::to_string(rate_hz) + " Hz";
    }
    return std::nullopt;
}

void JackDevice::serve() {
    const LoggedCalls logged{log_};
    connect_ports();
    if (const std::uint32_t latency_frames = adapter_->latency_frames(); latency_frames != told_latency_frames_) {
        told_latency_frames_ = latency_frames;
        jack_recompute_total_latencies(client_.get());
    }
}

/// Called on a thread of libjack.
void JackDevice::port_changed(jack_port_id_t port, bool registered) {
    if (registered) {
        const std::lock_guard lock{mutex_};
        if (new_ports_.size() < kMostNewPorts) new_ports_.push_back(port);
    }
    ports_changed_.store(true, std::memory_order_relaxed);
}

/// A client that has been restarted has new ports of the same names.
void JackDevice::forget_new_ports() {
    std::vector<jack_port_id_t> ports;
    {
        const std::lock_guard lock{mutex_};
        ports.swap(new_ports_);
    }
    for (const jack_port_id_t id : ports) {
        const jack_port_t* const port = jack_port_by_id(client_.get(), id);
        if (port == nullptr) continue;
        const std::string_view name = jack_port_name(port);
        std::erase(known_sinks_, name);
        std::erase(known_sources_, name);
    }
}

void JackDevice::connect_ports() {
    ports_changed_.store(false, std::memory_order_relaxed);
    forget_new_ports();
    if (connect_.empty()) return;
    connect(outputs_, JackPortIsInput, known_sinks_);
    connect(inputs_, JackPortIsOutput, known_sources_);
    const bool nothing = known_sinks_.empty() && known_sources_.empty();
    nothing_to_connect_.store(nothing && !std::exchange(warned_, nothing), std::memory_order_relaxed);
}

/// Connects the first port of `ports` to the first port that matches, the second one to the second, and so on; but not
/// to `known` ones, which it has connected before, and which a user may have disconnected since.
void JackDevice::connect(const std::vector<jack_port_t*>& ports, unsigned long flags, std::vector<std::string>& known) {
    std::vector<std::string> others = ports_of(client_.get(), connect_.c_str(), flags);
    std::erase_if(others, [this](const std::string& name) {
        const jack_port_t* const port = jack_port_by_name(client_.get(), name.c_str());
        return port == nullptr || jack_port_is_mine(client_.get(), port) != 0;
    });
    std::vector<std::string> connected;
    for (std::size_t index = 0; index < std::min(ports.size(), others.size()); ++index) {
        const char* const own = jack_port_name(ports[index]);
        const char* const other = others[index].c_str();
        const auto attempt = [&] {
            const int error = flags == JackPortIsInput ? jack_connect(client_.get(), own, other)
                                                       : jack_connect(client_.get(), other, own);
            return error == 0 || error == EEXIST;
        };
        // A client that is not active yet refuses the connection.
        if (std::ranges::find(known, others[index]) != known.end() || attempt()) connected.push_back(others[index]);
    }
    known = std::move(connected);
}

// libjack documents that a process callback may call jack_port_get_buffer().
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wfunction-effects"
#endif
[[nodiscard]] float* samples_of(jack_port_t* port, jack_nframes_t frames) RTA_NONBLOCKING {
    return static_cast<float*>(jack_port_get_buffer(port, frames));
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

void JackDevice::process(jack_nframes_t frames) RTA_NONBLOCKING {
    for (std::size_t channel = 0; channel < inputs_.size(); ++channel) {
        input_samples_[channel] = samples_of(inputs_[channel], frames);
    }
    for (std::size_t channel = 0; channel < outputs_.size(); ++channel) {
        output_samples_[channel] = samples_of(outputs_[channel], frames);
    }
    const bool xrun = server_xruns_.exchange(0, std::memory_order_relaxed) > 0;
    adapter_->process(input_samples_.data(), output_samples_.data(), frames, {.output_underflow = xrun});
}

/// Takes the latency of what is connected, and passes it on with that of the adapter: from the inputs to what follows
/// the outputs, and from the outputs to what precedes the inputs.
void JackDevice::update_latency(jack_latency_callback_mode_t mode) {
    const bool capture = mode == JackCaptureLatency;
    jack_latency_range_t all{};
    bool first = true;
    for (jack_port_t* const port : capture ? inputs_ : outputs_) {
        jack_latency_range_t range{};
        jack_port_get_latency_range(port, mode, &range);
        all = {.min = first ? range.min : std::min(all.min, range.min), .max = std::max(all.max, range.max)};
        first = false;
    }
    (capture ? input_latency_frames_ : output_latency_frames_).store(all.max, std::memory_order_relaxed);
    const std::uint32_t added = adapter_ == nullptr ? 0 : adapter_->latency_frames();
    all = {.min = all.min + added, .max = all.max + added};
    for (jack_port_t* const port : capture ? outputs_ : inputs_) jack_port_set_latency_range(port, mode, &all);
}

class JackDriver final : public DeviceDriver {
 public:
    explicit JackDriver(DriverLog log) : log_{std::move(log)} { static_cast<void>(default_jack_server()); }

    [[nodiscard]] Expected<std::vector<DeviceInfo>> list() override;
    [[nodiscard]] Expected<std::vector<Candidate>> candidates(const DeviceRequest& request) override {
        const std::string server = request.device.name.empty() ? default_jack_server() : request.device.name;
        return std::vector<Candidate>{
            {server, [this, request, server] { return JackDevice::open(request, server, log_); }}};
    }
    void close() override {}

 private:
    DriverLog log_;
};

/// The default server, if it runs: the names of others are not known.
Expected<std::vector<DeviceInfo>> JackDriver::list() {
    const LoggedCalls logged{log_};
    const auto client = open_client(default_jack_server());
    if (!client) return std::vector<DeviceInfo>{};
    const auto physical = [&](unsigned long direction) {
        return static_cast<std::uint32_t>(ports_of(client->get(), nullptr, JackPortIsPhysical | direction).size());
    };
    return std::vector<DeviceInfo>{
        {.name = "JACK/" + default_jack_server(),
         .flag = "jack",
         .channels_in = physical(JackPortIsOutput),
         .channels_out = physical(JackPortIsInput),
         .default_sample_rate_hz = static_cast<double>(jack_get_sample_rate(client->get()))}};
}

}  // namespace

extern constinit const DeviceKind kJack{
    .name = "jack",
    .argument = "SERVER",
    .argument_use = ArgumentUse::device_name,
    .calls = DriverCalls::may_block,
    // An attempt takes a few milliseconds.
    .longest_retry_pause = std::chrono::milliseconds{500},
    .make_driver = [](DriverLog log) -> std::unique_ptr<DeviceDriver> {
        return std::make_unique<JackDriver>(std::move(log));
    },
    .check = [](const DeviceRequest& request) -> Expected<void> {
        if (!request.device.name.empty()) {
            if (auto checked = check_server_name(request.device.name); !checked) return checked;
        }
        if (request.channels_in == 0U && request.channels_out == 0U) {
            return fail(ErrorCode::invalid_argument, "--channels-in 0 and --channels-out 0: no channels left to open");
        }
        return {};
    },
};

}  // namespace rta::io::devices
