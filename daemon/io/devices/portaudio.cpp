// SPDX-License-Identifier: MIT
// `portaudio` and `portaudio:NAME`: the devices of PortAudio, except those of JACK: PortAudio hangs for minutes and
// aborts the process when a JACK server exits. No other file includes PortAudio.
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pa_linux_alsa.h>
#include <portaudio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>

#include "io/device_kind.h"
#include "io/device_request.h"
#include "io/jack_environment.h"

namespace rta::io::devices {
namespace {

constexpr std::array kStandardRates{8'000,  11'025, 16'000,  22'050,  32'000,  44'100, 48'000,
                                    88'200, 96'000, 176'400, 192'000, 352'800, 384'000};

/// Redirects stderr of the whole process during its lifetime, then passes each line to the log. ALSA and PortAudio
/// print to stderr while they probe devices that do not exist, and PortAudio cannot prevent it. The daemon's
/// log has a separate file descriptor.
class RedirectedStderr {
 public:
    explicit RedirectedStderr(const DriverLog& log) : log_{log} {
        std::fflush(stderr);
        original_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        captured_ = memfd_create("rtad-stderr", MFD_CLOEXEC);
        if (original_ >= 0 && captured_ >= 0) dup2(captured_, STDERR_FILENO);
    }
    RedirectedStderr(const RedirectedStderr&) = delete;
    RedirectedStderr& operator=(const RedirectedStderr&) = delete;
    ~RedirectedStderr() {
        std::fflush(stderr);
        if (original_ >= 0) dup2(original_, STDERR_FILENO);
        forward();
        if (original_ >= 0) close(original_);
        if (captured_ >= 0) close(captured_);
    }

 private:
    void forward() const {
        if (captured_ < 0 || !log_) return;
        std::string text;
        std::array<char, 4096> part{};
        lseek(captured_, 0, SEEK_SET);
        for (ssize_t got = 0; (got = read(captured_, part.data(), part.size())) > 0;) {
            text.append(part.data(), static_cast<std::size_t>(got));
        }
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            if (end > begin) log_(text.substr(begin, end - begin));
            begin = end + 1;
        }
    }

    const DriverLog& log_;
    int original_ = -1;
    int captured_ = -1;
};

void ignore_alsa(const char*, int, const char*, int, const char*, ...) {}

/// Silences ALSA, which also prints later, on its own threads. It is loaded by PortAudio and not linked here, so its
/// handler is looked up at run time.
void silence_alsa() {
    using AlsaHandler = void (*)(const char*, int, const char*, int, const char*, ...);
    // dlsym() requires the cast; the type is that of the library's documentation.
    if (auto* const set = reinterpret_cast<int (*)(AlsaHandler)>(dlsym(RTLD_DEFAULT, "snd_lib_error_set_handler"))) {
        set(&ignore_alsa);
    }
}

/// Keeps all libraries that are loaded now until the process ends. PortAudio unloads the plug-ins of ALSA when it is
/// terminated, and some of them leak memory each time they are loaded.
void keep_libraries() {
    std::vector<std::string> names;
    dl_iterate_phdr(
        [](dl_phdr_info* library, std::size_t, void* list) {
            if (*library->dlpi_name != '\0')
                static_cast<std::vector<std::string>*>(list)->push_back(library->dlpi_name);
            return 0;
        },
        &names);
    for (const std::string& name : names) {
        if (void* const library = dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE)) dlclose(library);
    }
}

/// Returns PortAudio's message for the error, with that of the host API if there is one.
[[nodiscard]] std::string describe(PaError error) {
    std::string words = Pa_GetErrorText(error);
    if (error == paUnanticipatedHostError) {
        const PaHostErrorInfo* const host = Pa_GetLastHostErrorInfo();
        if (host != nullptr && host->errorText != nullptr && *host->errorText != '\0') {
            words += std::string{": "} + host->errorText;
        }
    }
    return words;
}

[[nodiscard]] std::string full_name(const PaDeviceInfo& device) {
    return std::string{Pa_GetHostApiInfo(device.hostApi)->name} + "/" + device.name;
}

[[nodiscard]] PaHostApiTypeId host_api_of(PaDeviceIndex device) {
    return Pa_GetHostApiInfo(Pa_GetDeviceInfo(device)->hostApi)->type;
}

/// Lists all devices, indexed by PortAudio's device number. Those of JACK, should it not be hidden, have no channels.
[[nodiscard]] std::vector<DeviceInfo> all_devices() {
    std::vector<DeviceInfo> devices;
    const PaDeviceIndex default_input = Pa_GetDefaultInputDevice();
    const PaDeviceIndex default_output = Pa_GetDefaultOutputDevice();
    for (PaDeviceIndex index = 0; index < Pa_GetDeviceCount(); ++index) {
        const PaDeviceInfo& info = *Pa_GetDeviceInfo(index);
        const bool usable = host_api_of(index) != paJACK;
        devices.push_back({.name = full_name(info),
                           .flag = {},
                           .channels_in = usable ? static_cast<std::uint32_t>(std::max(0, info.maxInputChannels)) : 0,
                           .channels_out = usable ? static_cast<std::uint32_t>(std::max(0, info.maxOutputChannels)) : 0,
                           .default_sample_rate_hz = info.defaultSampleRate,
                           .default_input = index == default_input,
                           .default_output = index == default_output});
    }
    return devices;
}

/// A stream to open. Devices are PortAudio's device numbers.
struct StreamPlan {
    PaDeviceIndex output = paNoDevice;  ///< paNoDevice if channels_out is 0
    PaDeviceIndex input = paNoDevice;
    std::uint32_t channels_in = 0;
    std::uint32_t channels_out = 0;
    std::uint32_t sample_rate_hz = 0;
    std::uint32_t block_size = 0;

    [[nodiscard]] std::string name() const {
        if (channels_out == 0) return full_name(*Pa_GetDeviceInfo(input));
        std::string words = full_name(*Pa_GetDeviceInfo(output));
        if (channels_in > 0 && input != output) words += " with input " + full_name(*Pa_GetDeviceInfo(input));
        return words;
    }
    [[nodiscard]] bool uses_host_api(PaHostApiTypeId type) const {
        return host_api_of(channels_out == 0 ? input : output) == type;
    }
};

/// Input and output of a StreamPlan as PortAudio expects them; nullptr if unused.
class StreamParameters {
 public:
    explicit StreamParameters(const StreamPlan& plan) {
        if (plan.channels_in > 0) {
            input_ = {plan.input, static_cast<int>(plan.channels_in), paFloat32 | paNonInterleaved,
                      Pa_GetDeviceInfo(plan.input)->defaultLowInputLatency, nullptr};
        }
        if (plan.channels_out > 0) {
            output_ = {plan.output, static_cast<int>(plan.channels_out), paFloat32 | paNonInterleaved,
                       Pa_GetDeviceInfo(plan.output)->defaultLowOutputLatency, nullptr};
        }
    }
    [[nodiscard]] const PaStreamParameters* input() const { return input_.channelCount > 0 ? &input_ : nullptr; }
    [[nodiscard]] const PaStreamParameters* output() const { return output_.channelCount > 0 ? &output_ : nullptr; }

 private:
    PaStreamParameters input_{};
    PaStreamParameters output_{};
};

[[nodiscard]] std::string supported_rates(const StreamParameters& parameters) {
    std::vector<std::string> rates;
    for (const int rate : kStandardRates) {
        if (Pa_IsFormatSupported(parameters.input(), parameters.output(), rate) == paFormatIsSupported) {
            rates.push_back(std::to_string(rate));
        }
    }
    return rates.empty() ? "it supports none of the standard sample rates" : "it supports " + list_in_words(rates);
}

class PortAudioDevice final : public AudioDevice {
 public:
    [[nodiscard]] static Expected<std::unique_ptr<AudioDevice>> open(const StreamPlan& plan, const DriverLog& log);
    ~PortAudioDevice() override = default;

    [[nodiscard]] const DeviceDescription& description() const noexcept override { return description_; }
    [[nodiscard]] Expected<void> start(BlockAdapter& adapter) override;
    void stop() override;
    [[nodiscard]] DeviceLatency latency() const noexcept override {
        return {.input_s = input_latency_s_.load(std::memory_order_relaxed),
                .output_s = output_latency_s_.load(std::memory_order_relaxed)};
    }
    [[nodiscard]] std::optional<std::string> end_of_stream() const override {
        if (!finished_.load(std::memory_order_relaxed)) return std::nullopt;
        return "its driver ended the stream";
    }

 private:
    PortAudioDevice(const StreamPlan& plan, const DriverLog& log)
        : description_{.kind = "portaudio",
                       .name = plan.name(),
                       .sample_rate_hz = plan.sample_rate_hz,
                       .channels_in = plan.channels_in,
                       .channels_out = plan.channels_out},
          log_{log} {}

    static int on_callback(const void* input, void* output, unsigned long frames, const PaStreamCallbackTimeInfo* time,
                           PaStreamCallbackFlags flags, void* device) RTA_NONBLOCKING;
    static void on_finished(void* device) {
        static_cast<PortAudioDevice*>(device)->finished_.store(true, std::memory_order_relaxed);
    }

    DeviceDescription description_;
    const DriverLog& log_;
    PaStream* stream_ = nullptr;
    BlockAdapter* adapter_ = nullptr;  ///< set before the stream starts

    // relaxed: numbers and a flag for the control thread; nothing else is ordered by them.
    std::atomic<bool> finished_{false};
    std::atomic<double> input_latency_s_{0};
    std::atomic<double> output_latency_s_{0};
};

Expected<std::unique_ptr<AudioDevice>> PortAudioDevice::open(const StreamPlan& plan, const DriverLog& log) {
    const RedirectedStderr redirected{log};
    const StreamParameters parameters{plan};
    const std::string name = plan.name();
    const PaError supported = Pa_IsFormatSupported(parameters.input(), parameters.output(), plan.sample_rate_hz);
    if (supported == paInvalidSampleRate) {
        return fail(ErrorCode::invalid_argument, "\"" + name + "\" does not support " +
                                                     std::to_string(plan.sample_rate_hz) + " Hz; " +
                                                     supported_rates(parameters) + " (--sample-rate)");
    }
    if (supported != paFormatIsSupported) {
        return fail(ErrorCode::unavailable, "cannot open \"" + name + "\": " + describe(supported));
    }

    std::unique_ptr<PortAudioDevice> device{new PortAudioDevice{plan, log}};
    const PaError opened = Pa_OpenStream(&device->stream_, parameters.input(), parameters.output(), plan.sample_rate_hz,
                                         plan.block_size, paNoFlag, &PortAudioDevice::on_callback, device.get());
    if (opened != paNoError) {
        return fail(ErrorCode::unavailable, "cannot open \"" + name + "\": " + describe(opened));
    }
    Pa_SetStreamFinishedCallback(device->stream_, &PortAudioDevice::on_finished);
    if (plan.uses_host_api(paALSA)) PaAlsa_EnableRealtimeScheduling(device->stream_, 1);
    return device;
}

Expected<void> PortAudioDevice::start(BlockAdapter& adapter) {
    const RedirectedStderr redirected{log_};
    adapter_ = &adapter;
    if (const PaError started = Pa_StartStream(stream_); started != paNoError) {
        const std::string why = describe(started);
        Pa_CloseStream(std::exchange(stream_, nullptr));
        return fail(ErrorCode::unavailable, "cannot start \"" + description_.name + "\": " + why);
    }
    if (const PaStreamInfo* const info = Pa_GetStreamInfo(stream_)) {
        input_latency_s_.store(description_.channels_in == 0 ? 0.0 : info->inputLatency, std::memory_order_relaxed);
        output_latency_s_.store(description_.channels_out == 0 ? 0.0 : info->outputLatency, std::memory_order_relaxed);
        adapter.tolerate_lateness(latency().output_s);
    }
    return {};
}

void PortAudioDevice::stop() {
    if (stream_ == nullptr) return;
    const RedirectedStderr redirected{log_};
    // Stop, not abort: the driver still buffers the end of a fade.
    Pa_StopStream(stream_);
    Pa_CloseStream(std::exchange(stream_, nullptr));
}

int PortAudioDevice::on_callback(const void* input, void* output, unsigned long frames, const PaStreamCallbackTimeInfo*,
                                 PaStreamCallbackFlags flags, void* device) RTA_NONBLOCKING {
    auto& self = *static_cast<PortAudioDevice*>(device);
    // The flags are a bit mask: several may be set.
    const DriverFlags reported{.input_underflow = (flags & paInputUnderflow) != 0,
                               .input_overflow = (flags & paInputOverflow) != 0,
                               .output_underflow = (flags & paOutputUnderflow) != 0,
                               .output_overflow = (flags & paOutputOverflow) != 0};
    // paNonInterleaved: both point to arrays of channel pointers.
    self.adapter_->process(static_cast<const float* const*>(input), static_cast<float* const*>(output),
                           static_cast<std::uint32_t>(frames), reported);
    return paContinue;
}

/// Keeps PortAudio initialized while a stream is open. Uses the library only when first called: initializing it costs
/// memory and time.
class PortAudioDriver final : public DeviceDriver {
 public:
    explicit PortAudioDriver(DriverLog log) : log_{std::move(log)} { hide_jack_from_portaudio(); }

    [[nodiscard]] Expected<std::vector<DeviceInfo>> list() override;
    [[nodiscard]] Expected<std::vector<Candidate>> candidates(const DeviceRequest& request) override;
    void close() override {
        terminate();
        stream_opened_ = false;
    }

 private:
    [[nodiscard]] Expected<void> initialize();
    void terminate();
    [[nodiscard]] Expected<std::vector<StreamPlan>> plans(const DeviceRequest& request) const;

    DriverLog log_;
    bool initialized_ = false;
    unsigned initializations_ = 0;
    bool stream_opened_ = false;
};

Expected<void> PortAudioDriver::initialize() {
    if (initialized_) return {};
    const RedirectedStderr redirected{log_};
    silence_alsa();
    if (const PaError error = Pa_Initialize(); error != paNoError) {
        return fail(ErrorCode::unavailable, "cannot initialize PortAudio: " + describe(error));
    }
    initialized_ = true;
    if (++initializations_ == 2) keep_libraries();
    return {};
}

Expected<std::vector<DeviceInfo>> PortAudioDriver::list() {
    // While a stream is open PortAudio cannot rescan; it lists the devices that existed when the stream was opened.
    if (!stream_opened_) terminate();
    if (auto ready = initialize(); !ready) return std::unexpected(ready.error());
    auto devices = all_devices();
    if (!stream_opened_) terminate();
    std::erase_if(devices, [](const DeviceInfo& device) { return device.channels_in + device.channels_out == 0; });
    const CardIds ids = read_card_ids();
    for (std::size_t index = 0; index < devices.size(); ++index) {
        const std::string name = selecting_name(devices, index, ids);
        devices[index].flag = name.empty() ? "" : "portaudio:" + name;
    }
    return devices;
}

/// Must be called only before the first stream, or after the last.
void PortAudioDriver::terminate() {
    if (!initialized_) return;
    const RedirectedStderr redirected{log_};
    Pa_Terminate();
    initialized_ = false;
}

/// Takes the values that the request does not specify from the devices.
[[nodiscard]] Expected<StreamPlan> plan_stream(const DeviceRequest& request, const std::vector<DeviceInfo>& devices,
                                               PaDeviceIndex output, PaDeviceIndex input) {
    StreamPlan plan{.sample_rate_hz = request.sample_rate_hz, .block_size = request.block_size};
    if (output != paNoDevice) {
        const auto channels =
            choose_channels(request.channels_out, devices[static_cast<std::size_t>(output)], Direction::output);
        if (!channels) return std::unexpected(channels.error());
        plan.channels_out = *channels;
        plan.output = output;
    }
    if (input != paNoDevice) {
        const auto channels =
            choose_channels(request.channels_in, devices[static_cast<std::size_t>(input)], Direction::input);
        if (!channels) return std::unexpected(channels.error());
        plan.channels_in = *channels;
        plan.input = input;
    }
    if (plan.channels_in == 0 && plan.channels_out == 0) {
        return fail(ErrorCode::invalid_argument, "no channels left to open: see --channels-in and --channels-out");
    }
    return plan;
}

/// Returns the device that --input-device selects; paNoDevice if it is not given, or absent and may be so.
[[nodiscard]] Expected<PaDeviceIndex> separate_input(const DeviceRequest& request,
                                                     const std::vector<DeviceInfo>& devices, const CardIds& ids) {
    if (!request.input) return paNoDevice;
    Expected<PaDeviceIndex> input = Pa_GetDefaultInputDevice();
    if (!request.input->name.empty()) {
        const auto found = find_device(devices, request.input->name, Direction::input, ids);
        input = found ? Expected<PaDeviceIndex>{static_cast<PaDeviceIndex>(*found)} : std::unexpected(found.error());
    } else if (*input == paNoDevice) {
        input = fail(ErrorCode::not_found, "no default input device");
    }
    if (!input && request.input_may_be_absent) return paNoDevice;
    return input;
}

/// Returns the devices that may play; capture, if no output channels are requested. The best comes first.
[[nodiscard]] Expected<std::vector<PaDeviceIndex>> main_devices(const DeviceRequest& request, Direction direction,
                                                                const std::vector<DeviceInfo>& devices,
                                                                const CardIds& ids) {
    std::vector<PaDeviceIndex> mains;
    if (!request.device.name.empty()) {
        const auto found = find_device(devices, request.device.name, direction, ids);
        if (!found) return std::unexpected(found.error());
        mains.push_back(static_cast<PaDeviceIndex>(*found));
        return mains;
    }
    // PortAudio's default first, then the defaults of the other host APIs.
    const auto add = [&](PaDeviceIndex index) {
        if (index == paNoDevice || host_api_of(index) == paJACK) return;
        if (std::ranges::find(mains, index) == mains.end()) mains.push_back(index);
    };
    add(direction == Direction::output ? Pa_GetDefaultOutputDevice() : Pa_GetDefaultInputDevice());
    for (PaHostApiIndex api = 0; api < Pa_GetHostApiCount(); ++api) {
        const PaHostApiInfo& info = *Pa_GetHostApiInfo(api);
        add(direction == Direction::output ? info.defaultOutputDevice : info.defaultInputDevice);
    }
    if (mains.empty()) return fail(ErrorCode::not_found, "PortAudio found no sound card");
    return mains;
}

Expected<std::vector<StreamPlan>> PortAudioDriver::plans(const DeviceRequest& request) const {
    const std::vector<DeviceInfo> devices = all_devices();
    const CardIds ids = read_card_ids();
    const Direction direction = request.channels_out == 0U ? Direction::input : Direction::output;
    const auto input = separate_input(request, devices, ids);
    if (!input) return std::unexpected(input.error());
    const auto mains = main_devices(request, direction, devices, ids);
    if (!mains) return std::unexpected(mains.error());

    std::vector<StreamPlan> plans;
    Expected<void> same_clock;
    for (const PaDeviceIndex main : *mains) {
        const DeviceInfo& info = devices[static_cast<std::size_t>(main)];
        const PaDeviceIndex output = direction == Direction::output ? main : paNoDevice;
        if (*input != paNoDevice && output != paNoDevice) {
            auto checked = check_same_clock(info.name, devices[static_cast<std::size_t>(*input)].name);
            // Another default output may be on the card of the input.
            if (!checked) {
                if (same_clock) same_clock = std::move(checked);
                continue;
            }
        }
        const PaDeviceIndex own_input = info.channels_in > 0 || request.channels_in > 0U ? main : paNoDevice;
        auto plan = plan_stream(request, devices, output, request.input ? *input : own_input);
        if (!plan && request.input_may_be_absent && output != paNoDevice) {
            if (auto without_input = plan_stream(request, devices, output, paNoDevice)) plan = std::move(without_input);
        }
        if (!plan) return std::unexpected(plan.error());
        plans.push_back(*plan);
        // Input that was not requested must not prevent the output from opening.
        const bool optional = (!request.channels_in && !request.input) || request.input_may_be_absent;
        if (plan->channels_in > 0 && plan->channels_out > 0 && optional) {
            plan->channels_in = 0;
            plans.push_back(*plan);
        }
    }
    if (plans.empty()) return std::unexpected(same_clock.error());
    return plans;
}

Expected<std::vector<DeviceDriver::Candidate>> PortAudioDriver::candidates(const DeviceRequest& request) {
    if (auto ready = initialize(); !ready) return std::unexpected(ready.error());
    const auto streams = plans(request);
    if (!streams) return std::unexpected(streams.error());
    std::vector<Candidate> candidates;
    for (const StreamPlan& plan : *streams) {
        candidates.push_back({plan.name(), [this, plan] {
                                  stream_opened_ = true;
                                  return PortAudioDevice::open(plan, log_);
                              }});
    }
    return candidates;
}

}  // namespace

extern constinit const DeviceKind kPortaudio{
    .name = "portaudio",
    .argument = "NAME",
    .argument_use = ArgumentUse::device_name,
    .calls = DriverCalls::may_block,
    .auto_role = AutoRole::candidate,
    .separate_input = true,
    .make_driver = [](DriverLog log) -> std::unique_ptr<DeviceDriver> {
        return std::make_unique<PortAudioDriver>(std::move(log));
    },
    .check = [](const DeviceRequest& request) -> Expected<void> {
        for (const DeviceChoice& choice : {request.device, request.input.value_or(DeviceChoice{})}) {
            if (!choice.name.starts_with("JACK")) continue;
            return fail(ErrorCode::invalid_argument,
                        "portaudio:" + choice.name +
                            " is not supported, because PortAudio does not survive the end "
                            "of a JACK server: use --device jack or jack:SERVER");
        }
        if (request.channels_in != 0U || request.channels_out != 0U) return {};
        return fail(ErrorCode::invalid_argument, "--channels-in 0 and --channels-out 0: no channels left to open");
    },
};

}  // namespace rta::io::devices
