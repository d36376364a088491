// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dsp/fixed_delay.h"
#include "dsp/ramp.h"
#include "graph/audio_graph.h"
#include "graph/processor.h"
#include "plan/silence.h"
#include "rt/audio_thread.h"
#include "rt/cache_line.h"

namespace rta {

/// A node that sounds: its processor and the state of its parameters. Built on the control thread, borrowed by one plan
/// after the other, so that a node keeps its state when the graph around it changes. While any plan that borrows it is
/// alive, only the audio thread touches what is marked so.
class alignas(kCacheLine) NodeInstance {
 public:
    NodeInstance(std::shared_ptr<const NodeDescription> description, std::unique_ptr<Processor> processor);
    NodeInstance(const NodeInstance&) = delete;
    NodeInstance& operator=(const NodeInstance&) = delete;

    /// [control] Before the first plan that has this node. Ids grow in the order of commits, processors are built
    /// earlier.
    void assign_id(NodeId id) { id_ = id; }
    [[nodiscard]] NodeId id() const RTA_NONBLOCKING { return id_; }
    /// [control] The same node under another name; the audio thread never looks at it.
    void rename(std::shared_ptr<const NodeDescription> description) { description_ = std::move(description); }
    [[nodiscard]] const NodeDescription& description() const { return *description_; }
    [[nodiscard]] const std::shared_ptr<const NodeDescription>& shared_description() const { return description_; }

    /// [control] How much later the sound comes out than it went in.
    [[nodiscard]] std::uint32_t latency_frames() const { return processor_->latency_frames(); }
    /// [control] Where it measures levels; nullptr if it does not.
    [[nodiscard]] LevelTap* level_tap() const { return level_tap_; }

    /// [control] Before the first plan that has this node: parameter values in the parameters' own units, at rest.
    void start_with(std::span<const float> parameters);

    /// [control] Before the first plan that has this node: a device sink that is there from its first frame on, instead
    /// of fading in.
    void start_present();

    /// [audio] Sends a parameter on its way to `value`, which is in the form that the processor is handed.
    void retarget(const AudioThreadKey& key, std::uint32_t parameter, float value, std::uint64_t frame,
                  std::uint32_t ramp_frames) RTA_NONBLOCKING;
    /// [audio] The same for the presence of a device sink, 0 or 1. A ramp that was to begin later is taken back.
    void retarget_presence(const AudioThreadKey& key, float presence, std::uint64_t frame, std::uint64_t start_frame,
                           std::uint32_t ramp_frames) RTA_NONBLOCKING;
    /// [control] Floats that run() needs as scratch.
    [[nodiscard]] std::size_t scratch_frames(std::uint32_t block_size) const;
    /// [audio] One block: parameters on their ramps, the processor, and the cross-fade of a bypass. The context has
    /// everything but parameters and presence, which are this node's and point into `scratch` until it is used again.
    void run(const AudioThreadKey& key, ProcessContext& context, std::span<float> scratch) RTA_NONBLOCKING;

    /// [control] What plans point to. Neither moves while the node lives; only the audio thread looks into them.
    [[nodiscard]] Processor* processor() const { return processor_.get(); }
    [[nodiscard]] std::span<const ParameterView> views() const { return {views_, own_parameters_}; }

    /// [audio] Whether run() has more to do than to call the processor, or the node is muted. Rarely.
    [[nodiscard]] bool needs_care(const AudioThreadKey&) const RTA_NONBLOCKING { return needs_care_; }
    [[nodiscard]] Processor& processor(const AudioThreadKey&) RTA_NONBLOCKING { return *processor_; }

    /// What the node took in the blocks in which it was timed, since it came.
    struct Time {
        std::uint64_t cycles = 0;  ///< of cycle_count()
        std::uint64_t block_count = 0;
    };
    /// [audio]
    void add_time(const AudioThreadKey&, std::uint64_t cycles) RTA_NONBLOCKING {
        // relaxed: numbers for people. Only this thread writes them, so nothing comes between load and store.
        cycles_.store(cycles_.load(std::memory_order_relaxed) + cycles, std::memory_order_relaxed);
        timed_blocks_.store(timed_blocks_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    /// [any] The latest block may be in one of the two only.
    [[nodiscard]] Time time() const noexcept {
        return {.cycles = cycles_.load(std::memory_order_relaxed),
                .block_count = timed_blocks_.load(std::memory_order_relaxed)};
    }

    /// [audio] A node that produced NaN or infinity is silent for the rest of its life.
    struct Fault {
        bool muted = false;
        bool reported = false;
    };
    void mute(const AudioThreadKey&) RTA_NONBLOCKING {
        fault_.muted = true;
        needs_care_ = true;
    }
    void mark_reported(const AudioThreadKey&) RTA_NONBLOCKING { fault_.reported = true; }
    [[nodiscard]] Fault fault(const AudioThreadKey&) const RTA_NONBLOCKING { return fault_; }

 private:
    void update_views(std::uint64_t frame, std::uint32_t block_size, std::span<float> scratch) RTA_NONBLOCKING;
    void run_beside_dry(ProcessContext& context, std::span<float> dry) RTA_NONBLOCKING;
    [[nodiscard]] bool needs_dry() const RTA_NONBLOCKING;
    /// Of parameter `index`, `bypass` included.
    [[nodiscard]] ParameterView& view(std::size_t index) RTA_NONBLOCKING {
        return index < own_parameters_ ? views_[index] : bypass_view_;
    }

    /// Nodes with more parameters than this have their views elsewhere.
    static constexpr std::size_t kViewsHere = 3;

    // One line of the cache is all of the node that a block touches while nothing ramps:
    /// Some view is on a ramp, or was in the block before; the node is muted; or what goes in is heard, or has to be
    /// kept for when it will be.
    bool needs_care_ = false;
    Fault fault_;
    ParameterView* views_;  ///< own_parameters_ of them
    std::array<ParameterView, kViewsHere> few_views_;

    std::vector<ParameterView> many_views_;
    ParameterView presence_view_;
    ParameterView bypass_view_;
    /// Of nodes with latency that can be bypassed: what goes in comes as late as what the processor makes.
    std::unique_ptr<dsp::FixedDelay> dry_delay_;
    std::size_t own_parameters_;  ///< those that the processor knows: all but `bypass`
    std::unique_ptr<Processor> processor_;
    std::vector<dsp::Ramp> ramps_;
    dsp::Ramp presence_;
    NodeId id_;
    std::shared_ptr<const NodeDescription> description_;
    LevelTap* level_tap_;
    std::atomic<std::uint64_t> cycles_{0};
    std::atomic<std::uint64_t> timed_blocks_{0};
};

/// A parameter's value as its processor is handed it: a factor for a level in dB, else the value itself.
[[nodiscard]] float processor_value(const ParameterSpec& spec, float value);

/// What a connection keeps from block to block. Belongs to the connection, not to a plan, so a fade goes on when the
/// plan changes. Only the audio thread touches it while a plan that borrows it is alive.
struct ConnectionState {
    dsp::Ramp gain;  ///< on its way between silence and its full gain
    /// Where what would come early is held back, before the gain; nullptr: nowhere.
    std::unique_ptr<dsp::FixedDelay> delay{};
    /// What comes out of the delay is made finite until then: it may hold what a node said before it was muted.
    std::uint64_t clean_until_frame = 0;
    /// [control] Of what comes out of it, from the first plan that had it on.
    Silence silence{};
};

}  // namespace rta
