// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dsp/gain.h"
#include "graph/node_type.h"
#include "resources/frame_stream.h"
#include "resources/resources.h"

namespace rta::nodes::file_player {

namespace {

constexpr std::array kSettings{
    SettingSpec{.name = "file",
                .kind = SettingSpec::Kind::text,
                .help = "Audio file, by its path relative to a media folder. Empty: silence."},
    SettingSpec{.name = "loop",
                .kind = SettingSpec::Kind::on_off,
                .help = "Continues with the first frame after the last one, without a gap."},
    channels_setting("Number of channels of the output: those of the file, or any number for a mono file, whose "
                     "channel feeds all of them."),
};

enum Parameter : std::uint8_t { kPlaying, kPositionS, kGainDb };
constexpr std::array kParameters{
    on_off("playing", true, "1 starts at position_s, 0 stops, both with a fade."),
    ParameterSpec{.name = "position_s",
                  .unit = Unit::seconds,
                  .minimum = 0.0F,
                  .maximum = 86'400.0F,
                  .default_value = 0.0F,
                  .help = "Place in the file. A change while the node plays fades out and continues there.",
                  .law = RampLaw::own},
    level_db("gain_db", 0.0F, "Gain."),
};
static_assert(well_formed(kParameters));

constexpr std::array kOutputs{PortSpec{"out"}};

/// Time of the fades around a seek and a dropout. They take at least the largest block: frames that the audio thread asks
/// for in one block are then needed in a later one, so that an offline rendering can wait for them in between.
constexpr double kFadeS = 0.020;
constexpr std::uint32_t kLargestBlock = 1024;

std::uint32_t fade_frames(double sample_rate_hz) {
    return std::max(kLargestBlock, static_cast<std::uint32_t>(std::lround(kFadeS * sample_rate_hz)));
}

/// Plays a stream. After a seek, it fades out with frames that it has put aside, is silent until fade_frames() have passed
/// since the seek, and fades in. If the stream runs short, it fades out with the frames that are left, and fades in when
/// enough have arrived.
class FilePlayer final : public Processor {
 public:
    FilePlayer(const BuildContext& context, ReadStream stream)
        : stream_{std::move(stream)},
          sample_rate_hz_{context.sample_rate_hz},
          fade_frames_{fade_frames(context.sample_rate_hz)},
          fade_{fade_frames_} {
        if (!stream_) return;
        read_.resize(std::size_t{context.block_size} * stream_->channels());
        tail_.resize(std::size_t{fade_frames_} * stream_->channels());
    }

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const AudioWriteView& out = context.outputs[0];
        const std::uint32_t first = stream_ ? start(context) : context.frame_count;
        for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel)
            std::ranges::fill(out.channel(channel).first(first), 0.0F);
        for (std::uint32_t frame = first; frame < context.frame_count;)
            frame += render(out, frame, context.frame_count - frame);
        if (first == context.frame_count) return;
        apply(context.parameters[kGainDb], out);
        apply(context.parameters[kPlaying], out);
    }

 private:
    /// Follows the parameters. Returns the first frame of the block that plays.
    [[nodiscard]] std::uint32_t start(const ProcessContext& context) RTA_NONBLOCKING {
        const float position = context.parameters[kPositionS].value;
        if (position != position_) {
            position_ = position;
            seek();
        }
        const ParameterView& playing = context.parameters[kPlaying];
        if (playing.at_rest() && playing.value == 0.0F) {
            if (std::exchange(playing_, false)) seek();  // the next start begins at the position again
            pass(context.frame_count);
            return context.frame_count;
        }
        if (playing_) return 0;
        std::uint32_t first = 0;
        while (first < context.frame_count && playing[first] == 0.0F) ++first;
        pass(first);
        if (first == context.frame_count) return first;
        playing_ = true;
        ended_ = false;
        // `playing` fades in. What arrives later than that needs a fade of its own.
        waiting_ = left_frames_ != 0 || !stream_->state().ready;
        fade_ = waiting_ ? 0 : fade_frames_;
        return first;
    }

    /// Moves the stream to the position. What would have been played next is put aside, to fade out with.
    void seek() RTA_NONBLOCKING {
        if (tail_frame_ == tail_frames_) put_aside();
        stream_->seek(static_cast<std::uint64_t>(static_cast<double>(position_) * sample_rate_hz_ + 0.5));
        left_frames_ = fade_frames_;
        waiting_ = true;
        ended_ = false;
    }

    void put_aside() RTA_NONBLOCKING {
        tail_frame_ = tail_frames_ = 0;
        tail_gain_ = gain();
        fade_ = 0;
        if (!playing_ || tail_gain_ == 0.0F) return;
        const std::uint32_t frames = std::min(stream_->state().frames, fade_frames_);
        if (stream_->read(std::span{tail_}.first(std::size_t{frames} * stream_->channels()))) tail_frames_ = frames;
    }

    /// Lets time pass while the node does not play.
    void pass(std::uint32_t frames) RTA_NONBLOCKING {
        left_frames_ -= std::min(left_frames_, frames);
        tail_frame_ = tail_frames_;
    }

    /// Renders up to `frames` frames from `first` on. Returns how many, at least 1.
    [[nodiscard]] std::uint32_t render(const AudioWriteView& out, std::uint32_t first,
                                       std::uint32_t frames) RTA_NONBLOCKING {
        if (tail_frame_ != tail_frames_) return render_tail(out, first, frames);
        if (left_frames_ != 0) return silence(out, first, std::min(frames, left_frames_));
        const FrameStream::State state = stream_->state();
        if (waiting_ && !state.ready) return silence(out, first, frames);
        if (std::exchange(waiting_, false)) fade_ = 0;
        if (state.ended) {
            if (state.frames == 0) return end(out, first, frames);
            return render_stream(out, first, std::min(frames, state.frames));
        }
        if (state.frames > fade_frames_)
            return render_stream(out, first, std::min(frames, state.frames - fade_frames_));
        stream_->count_dropout();
        put_aside();
        waiting_ = true;
        return tail_frames_ != 0 ? render_tail(out, first, frames) : silence(out, first, frames);
    }

    [[nodiscard]] std::uint32_t render_tail(const AudioWriteView& out, std::uint32_t first,
                                            std::uint32_t frames) RTA_NONBLOCKING {
        frames = std::min(frames, tail_frames_ - tail_frame_);
        spread(std::span{tail_}.subspan(std::size_t{tail_frame_} * stream_->channels()), out, first, frames);
        for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
            float* const samples = out.channel(channel).data() + first;
            for (std::uint32_t frame = 0; frame < frames; ++frame) {
                const auto left = static_cast<float>(tail_frames_ - tail_frame_ - frame - 1);
                samples[frame] *= tail_gain_ * (left / static_cast<float>(tail_frames_));
            }
        }
        tail_frame_ += frames;
        left_frames_ -= std::min(left_frames_, frames);
        return frames;
    }

    [[nodiscard]] std::uint32_t silence(const AudioWriteView& out, std::uint32_t first,
                                        std::uint32_t frames) RTA_NONBLOCKING {
        for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel)
            std::ranges::fill(out.channel(channel).subspan(first, frames), 0.0F);
        left_frames_ -= std::min(left_frames_, frames);
        return frames;
    }

    [[nodiscard]] std::uint32_t end(const AudioWriteView& out, std::uint32_t first,
                                    std::uint32_t frames) RTA_NONBLOCKING {
        if (!std::exchange(ended_, true)) stream_->count_end();
        return silence(out, first, frames);
    }

    [[nodiscard]] std::uint32_t render_stream(const AudioWriteView& out, std::uint32_t first,
                                              std::uint32_t frames) RTA_NONBLOCKING {
        const std::span<float> interleaved = std::span{read_}.first(std::size_t{frames} * stream_->channels());
        if (!stream_->read(interleaved)) return silence(out, first, frames);
        spread(interleaved, out, first, frames);
        if (fade_ == fade_frames_) return frames;
        const std::uint32_t from = fade_;
        for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
            float* const samples = out.channel(channel).data() + first;
            fade_ = from;
            for (std::uint32_t frame = 0; frame < frames && fade_ < fade_frames_; ++frame) {
                ++fade_;
                samples[frame] *= gain();
            }
        }
        return frames;
    }

    /// Writes interleaved frames to the channels of the output. One channel feeds all.
    void spread(std::span<const float> interleaved, const AudioWriteView& out, std::uint32_t first,
                std::uint32_t frames) const RTA_NONBLOCKING {
        const std::size_t width = stream_->channels();
        for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
            const float* next = interleaved.data() + (width == 1 ? 0 : channel);
            float* const samples = out.channel(channel).data() + first;
            for (std::uint32_t frame = 0; frame < frames; ++frame, next += width) samples[frame] = *next;
        }
    }

    [[nodiscard]] float gain() const RTA_NONBLOCKING {
        return static_cast<float>(fade_) / static_cast<float>(fade_frames_);
    }

    static void apply(const ParameterView& gain, const AudioWriteView& out) RTA_NONBLOCKING {
        if (gain.at_rest() && gain.value == 1.0F) return;
        for (std::uint32_t channel = 0; channel < out.channel_count(); ++channel) {
            const std::span<float> samples = out.channel(channel);
            dsp::scale(samples, gain.value, gain.ramp, samples);
        }
    }

    ReadStream stream_;
    double sample_rate_hz_;
    std::uint32_t fade_frames_;
    std::uint32_t fade_;  ///< gain of the stream, in steps of 1 / fade_frames_
    float position_ = 0.0F;
    bool playing_ = false;
    bool waiting_ = false;           ///< for the stream to be ready; a fade-in follows
    bool ended_ = false;             ///< the end has been counted
    std::uint32_t left_frames_ = 0;  ///< until the frames after a seek are played
    std::vector<float> read_;        ///< a block, interleaved
    std::vector<float> tail_;        ///< frames to fade out with, interleaved
    std::uint32_t tail_frame_ = 0;   ///< the next one
    std::uint32_t tail_frames_ = 0;
    float tail_gain_ = 0.0F;  ///< at the first of them
};

Expected<std::unique_ptr<Processor>> create(const BuildContext& context) {
    const std::string& file = context.settings.text("file");
    if (file.empty()) return std::make_unique<FilePlayer>(context, ReadStream{});
    auto stream = context.resources.open_read_stream(file, {.sample_rate_hz = context.sample_rate_hz,
                                                            .channels = context.settings.integer("channels"),
                                                            .ready_frames = 2 * fade_frames(context.sample_rate_hz),
                                                            .repeat = context.settings.on("loop")});
    if (!stream) return std::unexpected(std::move(stream.error()));
    return std::make_unique<FilePlayer>(context, std::move(*stream));
}

}  // namespace

extern constinit const NodeType kType{
    .name = "file_player",
    .help = "Plays an audio file from a media folder, of any length, converted to the sample rate of the engine.",
    .settings = kSettings,
    .parameters = kParameters,
    .outputs = kOutputs,
    .create = create,
    .memory_bytes = [](const BuildContext& context) -> std::uint64_t {
        constexpr std::uint64_t kDecoder = std::uint64_t{1} << 20U;
        if (context.settings.text("file").empty()) return kDecoder / 16;
        // The stream holds a second, rounded up to a power of two; the rest is what is read at once, and put aside.
        const auto frames = std::uint64_t{2} * static_cast<std::uint64_t>(context.sample_rate_hz) +
                            std::uint64_t{4} * kLargestBlock + std::uint64_t{2} * fade_frames(context.sample_rate_hz);
        return kDecoder + frames * context.settings.integer("channels") * sizeof(float);
    },
};

}  // namespace rta::nodes::file_player
