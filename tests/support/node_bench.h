// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "dsp/audio_buffer.h"
#include "graph/node_type.h"
#include "plan/node_instance.h"
#include "resources/resources.h"
#include "rt/audio_thread.h"

namespace rta::test {

/// Test bench for a single node: builds it from its type as a graph does, and runs it block by block as the engine
/// does, with the parameter ramps of the engine. Outputs are filled with NaN before every block, so that samples that
/// the node does not write are detected.
class NodeBench {
 public:
    /// The samples for a channel of an input port or of the device: a function of port, channel and frame, or of the
    /// frame only if all channels are equal. It is called through a pointer once per block, because one such call per
    /// sample took a large part of the run time of all node tests.
    class Signal {
     public:
        Signal() = default;
        template <class Function>
            requires std::is_invocable_r_v<float, const Function&, std::uint32_t, std::uint32_t, std::uint64_t>
        Signal(const Function& function)  // NOLINT(google-explicit-constructor): a function is a signal
            : fill_{[function](std::uint32_t port, std::uint32_t channel, std::uint64_t first_frame,
                               std::span<float> samples) {
                  float* const to = samples.data();
                  for (std::size_t i = 0; i < samples.size(); ++i) to[i] = function(port, channel, first_frame + i);
              }} {}
        /// Accepts a function that fills the samples itself.
        template <class Function>
            requires std::is_invocable_r_v<void, const Function&, std::uint32_t, std::uint32_t, std::uint64_t,
                                           std::span<float>>
        Signal(const Function& function) : fill_{function} {}  // NOLINT(google-explicit-constructor)
        template <class Function>
            requires std::is_invocable_r_v<float, const Function&, std::uint64_t>
        Signal(const Function& function)  // NOLINT(google-explicit-constructor)
            : Signal{[function](std::uint32_t, std::uint32_t, std::uint64_t frame) { return function(frame); }} {
            same_everywhere_ = true;
        }

        float operator()(std::uint32_t port, std::uint32_t channel, std::uint64_t frame) const {
            float sample = 0.0F;
            fill_(port, channel, frame, {&sample, 1});
            return sample;
        }
        /// Fills one block of all channels of a port; with silence if no function is set.
        void fill(const AudioWriteView& view, std::uint32_t port, std::uint64_t first_frame) const {
            for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel) {
                const std::span<float> samples = view.channel(channel);
                if (!fill_) {
                    std::memset(samples.data(), 0, samples.size_bytes());
                } else if (same_everywhere_ && channel > 0) {
                    std::memcpy(samples.data(), view.channel(0).data(), samples.size_bytes());
                } else {
                    fill_(port, channel, first_frame, samples);
                }
            }
        }

     private:
        std::function<void(std::uint32_t port, std::uint32_t channel, std::uint64_t first_frame, std::span<float>)>
            fill_;
        bool same_everywhere_ = false;
    };
    /// One vector of samples per channel, for all output ports in order.
    using Recording = std::vector<std::vector<float>>;

    struct Options {
        double sample_rate_hz = 48'000.0;
        std::uint32_t block_size = 64;
        std::uint32_t device_inputs = 0;   ///< channels
        std::uint32_t device_outputs = 0;  ///< channels
        std::uint64_t first_frame = 0;     ///< start of the clock; after frame 0, the node is added to a running graph
        bool in_place = false;             ///< the first output uses the memory of the first input
        std::map<std::string, float, std::less<>> parameters = {};  ///< from the first frame on
        Signal signal = {};                                         ///< input signal; default: silence
        Signal device_signal = {};                                  ///< device input
        Resources* resources = &no_files();
    };

    explicit NodeBench(const NodeType& type, Settings settings = {})
        : NodeBench{type, std::move(settings), Options{}} {}
    NodeBench(const NodeType& type, Settings settings, const Options& options)
        : options_{options},
          description_{unwrap(NodeDescription::make(type, "node", std::move(settings), options.sample_rate_hz))},
          node_{description_, unwrap(type.create({options.sample_rate_hz, options.block_size, description_->settings,
                                                  *options.resources}))},
          device_in_{options.device_inputs, options.block_size},
          device_out_{options.device_outputs, options.block_size},
          not_written_(options.block_size, std::numeric_limits<float>::quiet_NaN()),
          scratch_(node_.scratch_frames(options.block_size)),
          frame_{options.first_frame} {
        node_.start_with(unwrap(description_->parameter_values(options.parameters)));
        for (const NodeLayout::Port& port : layout().inputs) {
            inputs_.emplace_back(port.width, options.block_size);
            input_views_.push_back(inputs_.back().read());
        }
        for (const NodeLayout::Port& port : layout().outputs) {
            outputs_.emplace_back(port.width, options.block_size);
            output_views_.push_back(outputs_.back().write());
        }
        if (options.in_place) output_views_.at(0) = inputs_.at(0).write();
        const auto claim = gate_.try_claim(generation_);
        node_.move_presence(claim.key(), crossfade_, 1.0F, 0);
    }

    [[nodiscard]] const NodeLayout& layout() const { return description_->layout; }
    [[nodiscard]] const ResolvedSettings& settings() const { return description_->settings; }
    /// Returns the tap of the processor, or nullptr.
    [[nodiscard]] LevelTap* level_tap() { return node_.level_tap(); }
    /// Returns the first frame of the next block.
    [[nodiscard]] std::uint64_t frame() const { return frame_; }

    /// Changes the signal of the inputs and of the device from the next block on.
    void feed(const Signal& signal) { options_.signal = options_.device_signal = signal; }

    /// Starts a parameter ramp at the start of the next block, in the unit of the parameter. The default of 960 frames
    /// is that of the engine: 20 ms at 48 kHz.
    void set(std::string_view parameter, float value, std::uint32_t ramp_frames = 960) {
        const auto index = layout().find_parameter(parameter);
        if (!index) throw std::invalid_argument("no parameter " + std::string{parameter});
        const auto claim = gate_.try_claim(generation_);
        node_.retarget(claim.key(), *index, processor_value(layout().parameters[*index], value), frame_, ramp_frames);
    }

    /// Fades a device sink in or out, as the engine does.
    void set_presence(float presence, std::uint32_t fade_frames = 960) {
        const auto claim = gate_.try_claim(generation_);
        crossfade_.start(crossfade_.round() + 1, frame_, fade_frames);
        node_.move_presence(claim.key(), crossfade_, presence, frame_);
    }

    /// Fills the inputs and renders one block. Its results are in output() and device_output() until the next call.
    void render_block() {
        for (std::uint32_t port = 0; port < inputs_.size(); ++port) {
            options_.signal.fill(inputs_[port].write(), port, frame_);
        }
        options_.device_signal.fill(device_in_.write(), 0, frame_);
        device_out_.clear();
        if (!options_.in_place) {
            for (AudioBuffer& output : outputs_) poison(output.write());
        }
        const auto claim = gate_.try_claim(generation_);
        process(claim.key());
        frame_ += options_.block_size;
    }

    [[nodiscard]] AudioReadView output(std::size_t port = 0) const { return output_views_.at(port).read(); }
    [[nodiscard]] AudioReadView device_output() const { return device_out_.read(); }

    /// Renders whole blocks until at least `frames` frames are rendered. Returns the outputs, or, for a node without
    /// outputs, what it added to the device.
    Recording render(std::uint64_t frames) {
        Recording recording;
        for (std::uint64_t done = 0; done < frames; done += options_.block_size) {
            render_block();
            std::size_t channel = 0;
            for (const AudioWriteView& view : output_views_) append(recording, channel, view.read(), frames);
            if (output_views_.empty()) append(recording, channel, device_out_.read(), frames);
        }
        return recording;
    }

    /// Renders whole blocks until at least `frames` frames are rendered, without recording.
    void pass(std::uint64_t frames) {
        for (std::uint64_t done = 0; done < frames; done += options_.block_size) render_block();
    }

    /// The same as render() for a node with one channel. Returns by value: before C++23, which GCC 12 does not
    /// implement here, a range-for over a part of a temporary refers to a destroyed object.
    std::vector<float> render_channel(std::uint64_t frames) {
        Recording recording = render(frames);
        if (recording.size() != 1) throw std::logic_error("not one channel, but " + std::to_string(recording.size()));
        return std::move(recording[0]);
    }

    /// Runs only the part of a block that runs on the audio thread, for tests that count its operations.
    void process(const AudioThreadKey& key) RTA_NONBLOCKING {
        ProcessContext context;
        context.inputs = input_views_;
        context.outputs = output_views_;
        context.frame = frame_;
        context.frame_count = options_.block_size;
        context.device = {device_in_.read(), device_out_.write()};
        node_.run(key, *node_.processor(), context, crossfade_, scratch_);
    }

    [[nodiscard]] AudioThreadGate::Claim claim() { return gate_.try_claim(generation_); }

 private:
    template <class T>
    static T unwrap(Expected<T> expected) {
        if (!expected) throw std::runtime_error(expected.error().sentence);
        return std::move(*expected);
    }

    void poison(const AudioWriteView& view) const {
        for (std::uint32_t channel = 0; channel < view.channel_count(); ++channel) {
            std::memcpy(view.channel(channel).data(), not_written_.data(), not_written_.size() * sizeof(float));
        }
    }

    void append(Recording& recording, std::size_t& channel, const AudioReadView& view, std::uint64_t frames) const {
        for (std::uint32_t i = 0; i < view.channel_count(); ++i, ++channel) {
            if (recording.size() <= channel) recording.emplace_back().reserve(frames + options_.block_size);
            recording[channel].insert(recording[channel].end(), view.channel(i).begin(), view.channel(i).end());
        }
    }

    Options options_;
    Crossfade crossfade_;
    AudioThreadGate gate_;
    AudioThreadGate::Generation generation_ = gate_.start_generation();
    std::shared_ptr<const NodeDescription> description_;
    NodeInstance node_;
    std::vector<AudioBuffer> inputs_;
    std::vector<AudioBuffer> outputs_;
    std::vector<AudioReadView> input_views_;
    std::vector<AudioWriteView> output_views_;
    AudioBuffer device_in_;
    AudioBuffer device_out_;
    std::vector<float> not_written_;  ///< one block of NaN
    std::vector<float> scratch_;
    std::uint64_t frame_;
};

}  // namespace rta::test
