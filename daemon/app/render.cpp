// SPDX-License-Identifier: MIT
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/build_variant.h"
#include "app/commands.h"
#include "app/graph_file.h"
#include "app/logging.h"
#include "app/media.h"
#include "app/output_file.h"
#include "app/process_setup.h"
#include "app/progress_bar.h"
#include "app/render_report.h"
#include "engine/engine.h"
#include "io/block_adapter.h"
#include "io/offline_device.h"

namespace rta::app {
namespace {

constexpr double kLongestTailS = 10.0;

/// Why a rendering ends early.
struct Failure {
    int status;
    Error error;
};

/// Records the first node fault. A rendering with a fault is an error.
class RenderObserver final : public Engine::Observer {
 public:
    void applied(std::uint64_t, std::uint64_t) override {}
    void transaction_heard(std::uint64_t, std::uint64_t) override {}
    void device_faded(std::uint64_t) override {}
    void node_faulted(const std::string& node, std::uint64_t frame) override {
        if (fault_.empty()) {
            fault_ =
                "node \"" + node + "\" produced NaN or infinity at frame " + std::to_string(frame) + " and was muted";
        }
    }
    [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
    std::string fault_;
};

volatile std::sig_atomic_t interrupted = 0;

/// Makes the next SIGINT, SIGTERM or SIGHUP set `interrupted`, and end the wait for the writer of a pipe.
/// Ignored signals stay ignored, as nohup requires.
void watch_for_interruption() {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action{};
        if (sigaction(number, nullptr, &action) != 0 || action.sa_handler == SIG_IGN) continue;
        action = {};
        action.sa_handler = [](int) { interrupted = 1; };
        action.sa_flags = static_cast<int>(SA_RESETHAND);
        sigaction(number, &action, nullptr);
    }
}

[[nodiscard]] EngineConfig engine_config(const RenderOptions& options, media::MediaFiles& media) {
    return {.sample_rate_hz = static_cast<double>(options.sample_rate_hz),
            .block_size = options.block_size,
            .ramps = ramps_enabled(),
            .memory_left_bytes = &available_memory_bytes,
            .resources = &media};
}

/// The `output` nodes of a graph, in the order of their names.
[[nodiscard]] std::vector<NodeLevels> outputs_of(const AudioGraph& graph) {
    std::vector<NodeLevels> outputs;
    for (const auto& node : graph.nodes()) {
        if (node->description->type->device_role != DeviceRole::sink) continue;
        NodeLevels output{node->description->name, node->description->settings.integer("first_channel"), {}};
        output.levels.channels.resize(node->description->settings.integer("channels"));
        outputs.push_back(std::move(output));
    }
    std::ranges::sort(outputs, {}, &NodeLevels::node);
    return outputs;
}

[[nodiscard]] std::string channel_range(std::uint32_t first, std::uint32_t last) {
    return first == last ? "channel " + std::to_string(first)
                         : "channels " + std::to_string(first) + " to " + std::to_string(last);
}

/// Describes what becomes of the channels of the input file if they are not those that the graph captures.
[[nodiscard]] std::string channels_notice(const std::string& file, std::uint32_t in_file, std::uint32_t captured) {
    if (in_file == captured) return {};
    if (captured == 0) return "the graph has no input node: " + file + " only determines the duration";
    if (in_file == 1) return file + " is mono and feeds all " + std::to_string(captured) + " input channels";
    if (in_file < captured) {
        return file + " has " + std::to_string(in_file) + " channels: input " + channel_range(in_file + 1, captured) +
               (captured - in_file == 1 ? " is silent" : " are silent");
    }
    return "the graph does not use " + channel_range(captured + 1, in_file) + " of " + file;
}

/// One run of `rtad render`.
class Rendering {
 public:
    Rendering(const RenderOptions& options, media::MediaFiles& media)
        : options_{options}, media_{media}, engine_{node_types(), engine_config(options, media)} {}

    [[nodiscard]] std::optional<Failure> run() {
        if (auto failure = load_graph()) return failure;
        auto file = OutputFile::of(options_.output);
        if (!file) return Failure{kExitFailure, file.error()};
        // A device or a pipe has no partial file to remove, and may block the writer: there, signals must end the
        // process.
        if (file->has_partial_file()) watch_for_interruption();
        if (const auto begun = file->begin(); !begun) return Failure{kExitFailure, begun.error()};
        auto failure = open_device(file->path());
        if (!failure) {
            if (auto rendered = render(*file); !rendered) failure = Failure{kExitFailure, std::move(rendered.error())};
        }
        if (failure && interrupted != 0) {
            failure = Failure{kExitFailure, Error{ErrorCode::aborted, "interrupted: no file was written"}};
        }
        if (failure) name_output(failure->error.sentence, file->path());
        return failure;
    }

    [[nodiscard]] RenderReport report() {
        const io::OfflineOutput& output = device_->output();
        const std::vector<io::ProgrammeLevels> levels = output.levels();
        for (std::size_t i = 0; i < outputs_.size(); ++i) outputs_[i].levels = levels[i];
        return {.file = options_.output,
                .format = format_,
                .sample_rate_hz = options_.sample_rate_hz,
                .channels = device_->description().channels_out,
                .frames = output.frames(),
                .latency_frames = engine_.latency().output_frames,
                .aligned = options_.align,
                .clipped_samples = output.clipped_samples(),
                .outputs = outputs_,
                .meters = meters_.levels(engine_.graph()),
                .notices = notices_};
    }

 private:
    [[nodiscard]] std::optional<Failure> load_graph() {
        auto loaded = load_graph_file(engine_, options_.graph);
        if (!loaded) return Failure{kExitUsage, std::move(loaded.error())};
        for (const std::string& warning : loaded->warnings) note("warning: " + warning);
        outputs_ = outputs_of(engine_.graph());
        if (!outputs_.empty()) return std::nullopt;
        return Failure{kExitUsage, Error{ErrorCode::invalid_argument,
                                         options_.graph + ": nothing to render: the graph has no output node"}};
    }

    /// Replaces the name of the partial file in an error by the one that the user knows.
    void name_output(std::string& sentence, const std::string& partial) const {
        if (const std::size_t place = sentence.find(partial); place != std::string::npos)
            sentence.replace(place, partial.size(), options_.output);
    }

    [[nodiscard]] std::uint64_t frames_of(double seconds) const {
        return static_cast<std::uint64_t>(std::llround(seconds * options_.sample_rate_hz));
    }

    [[nodiscard]] io::RenderExtent extent() const {
        const std::uint64_t latency = engine_.latency().output_frames;
        io::RenderExtent extent{
            .skipped = options_.align ? latency : 0, .latency = latency, .longest_tail = frames_of(kLongestTailS)};
        if (options_.duration_s) extent.length = frames_of(*options_.duration_s);
        if (options_.tail_s) extent.tail = frames_of(*options_.tail_s);
        return extent;
    }

    [[nodiscard]] std::optional<Failure> open_device(const std::string& path) {
        const std::uint32_t captured = highest_device_channel(engine_.graph(), DeviceRole::source);
        format_ = io::format_of_file(options_.output).value_or(io::FileFormat::wav);  // validated with the options
        io::OfflineDevice::Config config{
            .sample_rate_hz = options_.sample_rate_hz,
            .block_size = options_.block_size,
            .channels_in = options_.input.empty() ? 0 : captured,
            .input_file = options_.input,
            .output = {.path = path,
                       .format = format_,
                       .sample_rate_hz = options_.sample_rate_hz,
                       .channels = highest_device_channel(engine_.graph(), DeviceRole::sink),
                       .extent = extent()}};
        for (const NodeLevels& output : outputs_) {
            config.output.groups.push_back(
                {*output.first_channel - 1, static_cast<std::uint32_t>(output.levels.channels.size())});
        }
        if (media_.streams().stream_count() != 0) config.before_block = [this] { return await_files(); };
        auto opened = io::OfflineDevice::open(config);
        if (!opened) {
            const bool usage = opened.error().code != ErrorCode::unavailable;
            return Failure{usage ? kExitUsage : kExitFailure, std::move(opened.error())};
        }
        device_ = std::move(*opened);
        if (!device_->source()) return std::nullopt;
        for (std::string& notice : device_->source()->notices()) note(std::move(notice));
        if (auto notice = channels_notice(options_.input, device_->source()->channels(), captured); !notice.empty())
            note(std::move(notice));
        return std::nullopt;
    }

    [[nodiscard]] Expected<void> render(OutputFile& file) {
        {
            ProgressBar progress{options_.output, expected_frames(), engine_.config().sample_rate_hz};
            if (auto rendered = render_all(progress); !rendered) return rendered;
            if (auto finished = device_->finish(); !finished) return finished;
            if (auto renamed = file.finish(); !renamed) return renamed;
            progress.finish(device_->output().frames());
        }
        const io::OfflineOutput& output = device_->output();
        if (const std::uint64_t clipped = output.clipped_samples(); clipped != 0) {
            note(std::to_string(clipped) + (clipped == 1 ? " sample" : " samples") +
                 " outside the 24-bit range (-1 to 1 - 2^-23) clipped in " + options_.output +
                 ": reduce the level, or render to a WAV file, which is not limited to full scale");
        }
        if (output.tail_was_cut()) {
            note("the output did not fall below -90 dBFS within 10 s after the end of " + options_.input + ", where " +
                 options_.output + " ends; --tail sets another length");
        }
        return {};
    }

    /// Returns the number of frames until the tail, std::nullopt if it is unknown.
    [[nodiscard]] std::optional<std::uint64_t> expected_frames() const {
        if (options_.duration_s) return device_->output().end();
        const auto input = device_->source()->frames();
        if (!input) return std::nullopt;
        return *input + engine_.latency().output_frames + frames_of(options_.tail_s.value_or(0.0));
    }

    /// Renders in pieces. In between, the engine processes the events of the renderer.
    [[nodiscard]] Expected<void> render_all(ProgressBar& progress) {
        io::BlockAdapter adapter{engine_.gate(), engine_.renderer(), options_.sample_rate_hz,
                                 device_->description().channels_in, device_->description().channels_out};
        adapter.grant(engine_.gate().start_generation());
        if (auto started = device_->start(adapter); !started) return started;
        engine_.watch_levels(true);
        if (!has_meters(engine_.take_levels())) engine_.watch_levels(false);
        RenderObserver observer;
        while (!device_->ended()) {
            if (interrupted != 0) return fail(ErrorCode::aborted, "interrupted");
            if (auto advanced = device_->advance(); !advanced) return advanced;
            engine_.poll(observer);
            meters_.add(engine_.take_levels(), device_->output().kept_until());
            progress.advance_to(device_->frames());
        }
        if (!observer.fault().empty()) return fail(ErrorCode::internal, observer.fault());
        return {};
    }

    /// Waits until the frames that the players need have been read. The result then does not depend on the disk.
    [[nodiscard]] Expected<void> await_files() {
        constexpr std::chrono::milliseconds kInterval{100};
        while (!media_.streams().wait_until_ready(kInterval)) {
            if (interrupted != 0) return fail(ErrorCode::aborted, "interrupted");
        }
        if (auto failure = media_.streams().failure()) return std::unexpected(std::move(*failure));
        return {};
    }

    /// Reports something that is not an error.
    void note(std::string notice) {
        print_error(notice);
        notices_.push_back(std::move(notice));
    }

    const RenderOptions& options_;
    media::MediaFiles& media_;
    Engine engine_;
    io::FileFormat format_ = io::FileFormat::wav;
    std::unique_ptr<io::OfflineDevice> device_;
    std::vector<NodeLevels> outputs_;
    MeterTotals meters_;
    std::vector<std::string> notices_;
};

}  // namespace

int run_render(const RenderOptions& options) {
    for (const std::string& read : {options.graph, options.input}) {
        if (!same_file(options.output, read)) continue;
        print_error("--output " + options.output + " would overwrite " + read +
                    ", which is an input: choose another file");
        return kExitUsage;
    }
    const auto media = open_media(options.media_folders, 0, &ignore_stream);
    if (!media) {
        print_error(media.error().sentence);
        return kExitUsage;
    }
    Rendering rendering{options, **media};
    if (const auto failure = rendering.run()) {
        print_error(failure->error.sentence);
        return failure->status;
    }
    const RenderReport report = rendering.report();
    std::fputs((options.json ? report_json(report) : report_text(report)).c_str(), stdout);
    return std::fflush(stdout) == 0 ? kExitClean : kExitFailure;
}

}  // namespace rta::app
