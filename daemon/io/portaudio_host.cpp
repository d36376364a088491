// SPDX-License-Identifier: MIT
// The only file that knows PortAudio.
#include "io/portaudio_host.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pa_jack.h>
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

namespace rta::io {
namespace {

constexpr const char* kClientName = "rtad";
constexpr std::array kStandardRates{8'000,  11'025, 16'000,  22'050,  32'000,  44'100, 48'000,
                                    88'200, 96'000, 176'400, 192'000, 352'800, 384'000};

/// While it lives, what anybody prints to stderr is caught, and then told: ALSA, JACK and PortAudio print there while
/// they look for devices that do not exist, and PortAudio offers no way to stop it. The log has a descriptor of its
/// own.
class CaughtStderr {
 public:
    explicit CaughtStderr(const std::function<void(const std::string&)>& said) : said_{said} {
        std::fflush(stderr);
        kept_ = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        caught_ = memfd_create("rtad-stderr", MFD_CLOEXEC);
        if (kept_ >= 0 && caught_ >= 0) dup2(caught_, STDERR_FILENO);
    }
    CaughtStderr(const CaughtStderr&) = delete;
    CaughtStderr& operator=(const CaughtStderr&) = delete;
    ~CaughtStderr() {
        std::fflush(stderr);
        if (kept_ >= 0) dup2(kept_, STDERR_FILENO);
        tell();
        if (kept_ >= 0) close(kept_);
        if (caught_ >= 0) close(caught_);
    }

 private:
    void tell() const {
        if (caught_ < 0) return;
        std::string text;
        std::array<char, 4096> part{};
        lseek(caught_, 0, SEEK_SET);
        for (ssize_t got = 0; (got = read(caught_, part.data(), part.size())) > 0;) {
            text.append(part.data(), static_cast<std::size_t>(got));
        }
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t end = std::min(text.find('\n', begin), text.size());
            if (end > begin) said_(text.substr(begin, end - begin));
            begin = end + 1;
        }
    }

    const std::function<void(const std::string&)>& said_;
    int kept_ = -1;
    int caught_ = -1;
};

void ignore_alsa(const char*, int, const char*, int, const char*, ...) {}
void ignore_jack(const char*) {}

/// Host libraries also print later, from threads of their own. They come with PortAudio and are not ours to link, so
/// their handlers are set where they turn out to be there.
void silence_host_libraries() {
    using AlsaHandler = void (*)(const char*, int, const char*, int, const char*, ...);
    using JackHandler = void (*)(const char*);
    // Casts: how POSIX hands out functions by name; the types are those of the libraries' documentation.
    if (auto* const set = reinterpret_cast<int (*)(AlsaHandler)>(dlsym(RTLD_DEFAULT, "snd_lib_error_set_handler"))) {
        set(&ignore_alsa);
    }
    for (const char* const name : {"jack_set_error_function", "jack_set_info_function"}) {
        if (auto* const set = reinterpret_cast<void (*)(JackHandler)>(dlsym(RTLD_DEFAULT, name))) {
            set(&ignore_jack);
        }
    }
}

/// PortAudio's code in words, with what the host said where it said something.
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

[[nodiscard]] PaHostApiTypeId host_type(PaDeviceIndex device) {
    return Pa_GetHostApiInfo(Pa_GetDeviceInfo(device)->hostApi)->type;
}

/// Devices as PortAudio numbers them.
[[nodiscard]] std::vector<DeviceInfo> all_devices() {
    std::vector<DeviceInfo> devices;
    const PaDeviceIndex default_input = Pa_GetDefaultInputDevice();
    const PaDeviceIndex default_output = Pa_GetDefaultOutputDevice();
    for (PaDeviceIndex index = 0; index < Pa_GetDeviceCount(); ++index) {
        const PaDeviceInfo& info = *Pa_GetDeviceInfo(index);
        devices.push_back({.name = full_name(info),
                           .channels_in = static_cast<std::uint32_t>(std::max(0, info.maxInputChannels)),
                           .channels_out = static_cast<std::uint32_t>(std::max(0, info.maxOutputChannels)),
                           .default_sample_rate_hz = info.defaultSampleRate,
                           .default_input = index == default_input,
                           .default_output = index == default_output});
    }
    return devices;
}

/// One stream to open: devices by PortAudio's number, and how wide.
struct StreamPlan {
    PaDeviceIndex output = paNoDevice;  ///< paNoDevice where channels_out is 0
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
    [[nodiscard]] bool on_host(PaHostApiTypeId type) const {
        return host_type(channels_out == 0 ? input : output) == type;
    }
};

/// The two ends of a StreamPlan as PortAudio takes them; one that is not used is nullptr.
class StreamEnds {
 public:
    explicit StreamEnds(const StreamPlan& plan) {
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

[[nodiscard]] std::string accepted_rates(const StreamEnds& ends) {
    std::vector<std::string> rates;
    for (const int rate : kStandardRates) {
        if (Pa_IsFormatSupported(ends.input(), ends.output(), rate) == paFormatIsSupported) {
            rates.push_back(std::to_string(rate));
        }
    }
    return rates.empty() ? "it takes none of the usual rates" : "it takes " + list_in_words(rates);
}

class PortAudioDevice final : public AudioDevice {
 public:
    [[nodiscard]] static Expected<std::unique_ptr<AudioDevice>> open(
        const StreamPlan& plan, const std::function<void(const std::string&)>& said);
    ~PortAudioDevice() override = default;

    [[nodiscard]] const DeviceDescription& description() const noexcept override { return description_; }
    [[nodiscard]] Expected<void> start(BlockAdapter& adapter) override;
    void stop() override;
    [[nodiscard]] DeviceLatency latency() const noexcept override {
        return {.input_s = input_latency_s_.load(std::memory_order_relaxed),
                .output_s = output_latency_s_.load(std::memory_order_relaxed)};
    }
    [[nodiscard]] bool finished() const noexcept override { return finished_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool active() override { return stream_ != nullptr && Pa_IsStreamActive(stream_) == 1; }
    /// PortAudio waits 600 s for a JACK server that is gone, and then aborts the process.
    [[nodiscard]] bool can_stop_when_lost() const noexcept override { return !jack_; }

 private:
    PortAudioDevice(const StreamPlan& plan, const std::function<void(const std::string&)>& said)
        : description_{.kind = "portaudio",
                       .name = plan.name(),
                       .sample_rate_hz = plan.sample_rate_hz,
                       .channels_in = plan.channels_in,
                       .channels_out = plan.channels_out},
          jack_{plan.on_host(paJACK)},
          said_{said} {}

    static int on_callback(const void* input, void* output, unsigned long frames, const PaStreamCallbackTimeInfo* time,
                           PaStreamCallbackFlags flags, void* device) RTA_NONBLOCKING;
    static void on_finished(void* device) {
        static_cast<PortAudioDevice*>(device)->finished_.store(true, std::memory_order_relaxed);
    }

    DeviceDescription description_;
    bool jack_;
    const std::function<void(const std::string&)>& said_;
    PaStream* stream_ = nullptr;
    BlockAdapter* adapter_ = nullptr;  ///< set before the stream starts

    // relaxed: numbers and a flag for the control thread; nothing else is ordered by them.
    std::atomic<bool> finished_{false};
    std::atomic<double> input_latency_s_{0};
    std::atomic<double> output_latency_s_{0};
};

Expected<std::unique_ptr<AudioDevice>> PortAudioDevice::open(const StreamPlan& plan,
                                                             const std::function<void(const std::string&)>& said) {
    const CaughtStderr quiet{said};
    const StreamEnds ends{plan};
    const std::string name = plan.name();
    const PaError supported = Pa_IsFormatSupported(ends.input(), ends.output(), plan.sample_rate_hz);
    if (supported == paInvalidSampleRate) {
        return fail(ErrorCode::invalid_argument, "\"" + name + "\" refuses " + std::to_string(plan.sample_rate_hz) +
                                                     " Hz; " + accepted_rates(ends) + " (--sample-rate)");
    }
    if (supported != paFormatIsSupported) {
        return fail(ErrorCode::unavailable, "\"" + name + "\" cannot be opened: " + describe(supported));
    }

    std::unique_ptr<PortAudioDevice> device{new PortAudioDevice{plan, said}};
    // JACK's period is what it is: taken as it comes, PortAudio need not cut it up and delay it. Elsewhere the host is
    // asked for whole blocks.
    const unsigned long frames = device->jack_ ? paFramesPerBufferUnspecified : plan.block_size;
    const PaError opened = Pa_OpenStream(&device->stream_, ends.input(), ends.output(), plan.sample_rate_hz, frames,
                                         paNoFlag, &PortAudioDevice::on_callback, device.get());
    if (opened != paNoError) {
        return fail(ErrorCode::unavailable, "\"" + name + "\" cannot be opened: " + describe(opened));
    }
    Pa_SetStreamFinishedCallback(device->stream_, &PortAudioDevice::on_finished);
    if (plan.on_host(paALSA)) PaAlsa_EnableRealtimeScheduling(device->stream_, 1);
    return device;
}

Expected<void> PortAudioDevice::start(BlockAdapter& adapter) {
    const CaughtStderr quiet{said_};
    adapter_ = &adapter;
    if (const PaError started = Pa_StartStream(stream_); started != paNoError) {
        const std::string why = describe(started);
        Pa_CloseStream(std::exchange(stream_, nullptr));
        return fail(ErrorCode::unavailable, "\"" + description_.name + "\" cannot be started: " + why);
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
    const CaughtStderr quiet{said_};
    // Stop, not abort: what the host still holds is the end of a fade.
    Pa_StopStream(stream_);
    Pa_CloseStream(std::exchange(stream_, nullptr));
}

int PortAudioDevice::on_callback(const void* input, void* output, unsigned long frames, const PaStreamCallbackTimeInfo*,
                                 PaStreamCallbackFlags flags, void* device) RTA_NONBLOCKING {
    auto& self = *static_cast<PortAudioDevice*>(device);
    // Flags are a mask: several may be set at once.
    const DriverFlags reported{.input_underflow = (flags & paInputUnderflow) != 0,
                               .input_overflow = (flags & paInputOverflow) != 0,
                               .output_underflow = (flags & paOutputUnderflow) != 0,
                               .output_overflow = (flags & paOutputOverflow) != 0};
    // paNonInterleaved: both point to arrays of channel pointers.
    self.adapter_->process(static_cast<const float* const*>(input), static_cast<float* const*>(output),
                           static_cast<std::uint32_t>(frames), reported);
    return paContinue;
}

/// Keeps PortAudio initialised from the first stream on, until close(): terminating it may block or abort once a JACK
/// server has gone.
class PortAudioHost final : public DeviceHost {
 public:
    explicit PortAudioHost(std::function<void(const std::string&)> said) : said_{std::move(said)} {}

    [[nodiscard]] Expected<std::vector<DeviceInfo>> list() override;
    [[nodiscard]] Expected<std::vector<Candidate>> candidates(const DeviceRequest& request) override;
    /// A process that ends while its client is part of JACK's graph stalls a synchronous server, and all who are heard
    /// through it, until the server gives it up: ten times its client timeout, 5 s by default.
    void close() override {
        terminate();
        stream_opened_ = false;
    }

 private:
    [[nodiscard]] Expected<void> initialize();
    void terminate();
    [[nodiscard]] Expected<std::vector<StreamPlan>> plans(const DeviceRequest& request) const;

    std::function<void(const std::string&)> said_;
    bool initialized_ = false;
    bool stream_opened_ = false;
};

Expected<void> PortAudioHost::initialize() {
    if (initialized_) return {};
    const CaughtStderr quiet{said_};
    silence_host_libraries();
    PaJack_SetClientName(kClientName);
    if (const PaError error = Pa_Initialize(); error != paNoError) {
        return fail(ErrorCode::unavailable, "PortAudio cannot be initialised: " + describe(error));
    }
    initialized_ = true;
    return {};
}

Expected<std::vector<DeviceInfo>> PortAudioHost::list() {
    // Once there is a stream PortAudio cannot look again; it knows what was there when the stream was opened.
    if (!stream_opened_) terminate();
    if (auto ready = initialize(); !ready) return std::unexpected(ready.error());
    auto devices = all_devices();
    if (!stream_opened_) terminate();
    return devices;
}

/// Only before the first stream, or after the last.
void PortAudioHost::terminate() {
    if (!initialized_) return;
    const CaughtStderr quiet{said_};
    Pa_Terminate();
    initialized_ = false;
}

/// What the request leaves open is taken from the device.
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
        return fail(ErrorCode::invalid_argument,
                    "a device without input and without output channels is none: see --channels-in, --channels-out");
    }
    return plan;
}

Expected<std::vector<StreamPlan>> PortAudioHost::plans(const DeviceRequest& request) const {
    const std::vector<DeviceInfo> devices = all_devices();
    const Direction main_direction = request.channels_out == 0U ? Direction::input : Direction::output;

    PaDeviceIndex input = paNoDevice;
    if (request.input_name && !request.input_name->empty()) {
        const auto found = find_device(devices, *request.input_name, Direction::input);
        if (!found) return std::unexpected(found.error());
        input = static_cast<PaDeviceIndex>(*found);
    } else if (request.input_name) {
        input = Pa_GetDefaultInputDevice();
        if (input == paNoDevice) return fail(ErrorCode::not_found, "there is no default input device");
    }

    std::vector<PaDeviceIndex> mains;
    if (!request.device.name.empty()) {
        const auto found = find_device(devices, request.device.name, main_direction);
        if (!found) return std::unexpected(found.error());
        mains.push_back(static_cast<PaDeviceIndex>(*found));
    } else {
        // The default of PortAudio's own choice first, then those of the other host APIs.
        const auto add = [&](PaDeviceIndex index) {
            if (index != paNoDevice && std::ranges::find(mains, index) == mains.end()) mains.push_back(index);
        };
        add(main_direction == Direction::output ? Pa_GetDefaultOutputDevice() : Pa_GetDefaultInputDevice());
        for (PaHostApiIndex api = 0; api < Pa_GetHostApiCount(); ++api) {
            const PaHostApiInfo& info = *Pa_GetHostApiInfo(api);
            add(main_direction == Direction::output ? info.defaultOutputDevice : info.defaultInputDevice);
        }
        if (mains.empty()) return fail(ErrorCode::not_found, "PortAudio finds no sound card");
    }

    std::vector<StreamPlan> plans;
    for (const PaDeviceIndex main : mains) {
        const PaDeviceIndex output = main_direction == Direction::output ? main : paNoDevice;
        const PaDeviceIndex own_input =
            devices[static_cast<std::size_t>(main)].channels_in > 0 || request.channels_in > 0U ? main : paNoDevice;
        auto plan = plan_stream(request, devices, output, input != paNoDevice ? input : own_input);
        if (!plan) return std::unexpected(plan.error());
        plans.push_back(*plan);
        // Capture that nobody asked for must not cost the output.
        if (plan->channels_in > 0 && plan->channels_out > 0 && !request.channels_in && !request.input_name) {
            plan->channels_in = 0;
            plans.push_back(*plan);
        }
    }
    return plans;
}

Expected<std::vector<DeviceHost::Candidate>> PortAudioHost::candidates(const DeviceRequest& request) {
    if (auto ready = initialize(); !ready) return std::unexpected(ready.error());
    const auto streams = plans(request);
    if (!streams) return std::unexpected(streams.error());
    std::vector<Candidate> candidates;
    for (const StreamPlan& plan : *streams) {
        candidates.push_back({plan.name(), [this, plan] {
                                  stream_opened_ = true;
                                  return PortAudioDevice::open(plan, said_);
                              }});
    }
    return candidates;
}

}  // namespace

std::unique_ptr<DeviceHost> make_portaudio_host(std::function<void(const std::string& line)> said) {
    return std::make_unique<PortAudioHost>(std::move(said));
}

}  // namespace rta::io
