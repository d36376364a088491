// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dsp/fixed_delay.h"
#include "dsp/ramp.h"
#include "graph/audio_graph.h"
#include "graph/processor.h"
#include "plan/crossfade.h"
#include "rt/audio_thread.h"
#include "rt/cache_line.h"

namespace rta {

/// The processor of a node and the state of its parameters. Successive plans borrow the same instance, so a node keeps
/// its state when the graph around it changes. While a plan that borrows it is alive, only the audio thread may call
/// the functions marked [audio].
class alignas(kCacheLine) NodeInstance {
 public:
    /// [any]
    NodeInstance(std::shared_ptr<const NodeDescription> description, std::unique_ptr<Processor> processor);
    NodeInstance(const NodeInstance&) = delete;
    NodeInstance& operator=(const NodeInstance&) = delete;

    /// [control] Sets the id; must be called before the first plan that contains this node. Ids are assigned in the
    /// order of commits, and processors are built before that.
    void assign_id(NodeId id) { id_ = id; }
    /// [any]
    [[nodiscard]] NodeId id() const RTA_NONBLOCKING { return id_; }
    /// [control] Replaces the description by one with another name. The audio thread never reads it.
    void rename(std::shared_ptr<const NodeDescription> description) { description_ = std::move(description); }
    /// [control]
    [[nodiscard]] const NodeDescription& description() const { return *description_; }
    /// [control]
    [[nodiscard]] const std::shared_ptr<const NodeDescription>& shared_description() const { return description_; }

    /// [control] Returns the latency that the processor adds.
    [[nodiscard]] std::uint32_t latency_frames() const { return processor_->latency_frames(); }
    /// [control] Returns the tap in which the node measures levels, or nullptr.
    [[nodiscard]] LevelTap* level_tap() const { return level_tap_; }

    /// [control] Sets all parameters, in their own units and at rest; must be called before the first plan that
    /// contains this node.
    void start_with(std::span<const float> parameters);

    /// [control] Exchanges the processors of two instances with the same type and settings, with what they remember of their
    /// input. No plan may contain either.
    void exchange_processor(NodeInstance& other);

    /// [control] Makes a device sink present from its first frame on instead of fading in; must be called before the
    /// first plan that contains this node.
    void start_present();

    /// [audio] Starts to ramp a parameter to `value`, which is in the form that the processor receives.
    void retarget(const AudioThreadKey& key, std::uint32_t parameter, float value, std::uint64_t frame,
                  std::uint32_t ramp_frames) RTA_NONBLOCKING;
    /// [audio] Moves the presence of a device sink to 0 or 1 with the current round; immediately at frame 0.
    void move_presence(const AudioThreadKey& key, const Crossfade& crossfade, float presence,
                       std::uint64_t frame) RTA_NONBLOCKING;
    /// [audio] Prefetch the ramp of a parameter for retarget(), or a moving one for run().
    void prefetch_ramp(const AudioThreadKey&, std::uint32_t parameter) const RTA_NONBLOCKING {
        __builtin_prefetch(&parameter_ramp(parameter), 1);
    }
    void prefetch_moving_ramp(const AudioThreadKey& key) const RTA_NONBLOCKING {
        const auto first = static_cast<std::uint32_t>(std::countr_zero(moving_));
        if (first < parameter_count()) prefetch_ramp(key, first);
    }
    /// [control] Returns the number of blocks that run() needs as scratch.
    [[nodiscard]] std::uint32_t scratch_channels() const;
    /// [control] Returns the number of floats that run() needs as scratch.
    [[nodiscard]] std::size_t scratch_frames(std::uint32_t block_size) const {
        return std::size_t{scratch_channels()} * block_size;
    }
    /// [audio] Renders one block: parameter ramps, the processor, and the crossfade of a bypass. Fills in the
    /// parameters and the presence of `context`, which point into `scratch`; the caller provides the rest. `processor`
    /// is that of the node: plans have it in the cache, and a member here would be in another cache line.
    void run(const AudioThreadKey& key, Processor& processor, ProcessContext& context, const Crossfade& crossfade,
             std::span<float> scratch) RTA_NONBLOCKING;

    /// [control] Return what plans point to. Both stay valid while the instance lives; only the audio thread may
    /// dereference them.
    [[nodiscard]] Processor* processor() const { return processor_.get(); }
    [[nodiscard]] std::span<const ParameterView> views() const RTA_NONBLOCKING {
        return {is_small() ? inline_views_.data() : large_->views.data(), own_parameters_};
    }

    /// [audio] Returns whether run() must be called; if not, calling process() of the processor is enough. Rarely true:
    /// the node is muted, ramps, or is bypassed.
    [[nodiscard]] bool needs_run(const AudioThreadKey&) const RTA_NONBLOCKING { return needs_run_; }

    /// Processing time in the blocks in which the node was timed, since it was added.
    struct Time {
        std::uint64_t cycles = 0;  ///< as counted by cycle_count()
        std::uint64_t block_count = 0;
    };
    /// [audio] Adds the time of one block.
    void add_time(const AudioThreadKey&, std::uint64_t cycles) RTA_NONBLOCKING {
        // relaxed: orders no other data. Only this thread writes, so load and store need not be one operation.
        cycles_.store(cycles_.load(std::memory_order_relaxed) + cycles, std::memory_order_relaxed);
        timed_blocks_.store(timed_blocks_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    /// [any] The two numbers are not read together: the latest block may be counted in one of them only.
    [[nodiscard]] Time time() const noexcept {
        return {.cycles = cycles_.load(std::memory_order_relaxed),
                .block_count = timed_blocks_.load(std::memory_order_relaxed)};
    }

    /// A node that produced NaN or infinity stays muted until it is destroyed.
    struct Fault {
        bool muted = false;
        bool reported = false;
    };
    /// [audio]
    void mute(const AudioThreadKey&) RTA_NONBLOCKING {
        fault_.muted = true;
        needs_run_ = true;
    }
    /// [audio]
    void mark_reported(const AudioThreadKey&) RTA_NONBLOCKING { fault_.reported = true; }
    /// [audio]
    [[nodiscard]] Fault fault(const AudioThreadKey&) const RTA_NONBLOCKING { return fault_; }

 private:
    /// Views and ramps of a node with many parameters.
    struct Large {
        std::vector<dsp::Ramp> ramps;
        std::vector<ParameterView> views;   ///< own_parameters_ of them
        std::vector<std::uint64_t> moving;  ///< continues moving_
    };
    struct SinkPresence {
        Presence presence;
        ParameterView view;
    };

    void update_views(const ProcessContext& context, const Crossfade& crossfade,
                      std::span<float> scratch) RTA_NONBLOCKING;
    [[nodiscard]] std::uint64_t update_word(std::size_t first, std::uint64_t moving, std::uint64_t frame,
                                            std::uint32_t block_size, std::span<float> scratch) RTA_NONBLOCKING;
    void run_with_dry(ProcessContext& context, std::span<float> dry) RTA_NONBLOCKING;
    /// Returns whether the dry signal is audible or must be delayed for a later bypass.
    [[nodiscard]] bool uses_dry() const RTA_NONBLOCKING {
        return dry_delay_ != nullptr || !bypass_view_.at_rest() || bypass_view_.value != 0.0F;
    }
    /// Returns the number of parameters, `bypass` included.
    [[nodiscard]] std::size_t parameter_count() const RTA_NONBLOCKING {
        return std::size_t{own_parameters_} + (has_bypass_ ? 1 : 0);
    }
    /// Small nodes keep the views and ramps of parameters inline.
    [[nodiscard]] bool is_small() const RTA_NONBLOCKING { return own_parameters_ <= kInlineViews; }
    [[nodiscard]] const dsp::Ramp& parameter_ramp(std::size_t index) const RTA_NONBLOCKING {
        return is_small() ? inline_ramps_[index] : large_->ramps[index];
    }
    [[nodiscard]] dsp::Ramp& ramp(std::size_t index) RTA_NONBLOCKING {
        return is_small() ? inline_ramps_[index] : large_->ramps[index];
    }
    /// Returns the view of a ramp.
    [[nodiscard]] ParameterView& view(std::size_t index) RTA_NONBLOCKING {
        if (index < own_parameters_) return is_small() ? inline_views_[index] : large_->views[index];
        return bypass_view_;
    }
    [[nodiscard]] std::uint64_t& moving_word(std::size_t ramp) RTA_NONBLOCKING {
        return ramp < kWordBits ? moving_ : large_->moving[ramp / kWordBits - 1];
    }
    void start_moving(std::size_t ramp) RTA_NONBLOCKING {
        moving_word(ramp) |= std::uint64_t{1} << ramp % kWordBits;
        needs_run_ = true;
    }

    static constexpr std::size_t kInlineViews = 3;
    static constexpr std::size_t kWordBits = 64;

    // While nothing ramps, a block touches only the first cache line of a node, up to inline_views_. While a parameter
    // of a small node ramps, it touches that and the ramp.
    /// A view is on a ramp or was in the previous block; the node is muted; needs_dry_; or it has never run.
    bool needs_run_ = true;
    bool needs_dry_ = false;  ///< uses_dry()
    Fault fault_;
    bool has_bypass_;
    bool is_device_sink_;
    std::uint16_t own_parameters_;  ///< all but `bypass`, which the engine handles
    /// One bit for each of the first ramps: it moves, or did when its view was updated last. All others are at rest.
    std::uint64_t moving_ = 0;
    std::array<ParameterView, kInlineViews> inline_views_;
    std::array<dsp::Ramp, kInlineViews + 1> inline_ramps_;  ///< of all parameters, `bypass` included

    std::unique_ptr<Large> large_;  ///< nullptr if the node is small
    std::unique_ptr<Processor> processor_;
    std::unique_ptr<SinkPresence> presence_;  ///< device sinks only
    /// Gives the bypassed signal the latency of the processor; nullptr if the node has no latency or no bypass.
    std::unique_ptr<dsp::FixedDelay> dry_delay_;
    ParameterView bypass_view_;
    NodeId id_;
    std::shared_ptr<const NodeDescription> description_;
    LevelTap* level_tap_;
    std::atomic<std::uint64_t> cycles_{0};
    std::atomic<std::uint64_t> timed_blocks_{0};
};

/// Converts a parameter value to the form that the processor receives: a factor for a level in dB, otherwise the value
/// itself. [any]
[[nodiscard]] float processor_value(const ParameterSpec& spec, float value);

/// State of a connection from block to block. It belongs to the connection, not to a plan, so fades continue when the
/// plan changes. Only the audio thread may access it while a plan that borrows it is alive.
struct ConnectionState {
    dsp::Ramp gain;
    Presence presence;
    /// Compensating delay, applied before the gain; nullptr: no delay.
    std::unique_ptr<dsp::FixedDelay> delay{};
    /// Until this frame, NaN and infinity from the delay are replaced by 0: they may be from a node that was muted
    /// since.
    std::uint64_t clean_until_frame = 0;
};

}  // namespace rta
