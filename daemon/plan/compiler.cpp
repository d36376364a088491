// SPDX-License-Identifier: MIT
#include "plan/compiler.h"

#include <algorithm>
#include <cassert>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>

#include "plan/buffer_pool.h"
#include "plan/source_order.h"

namespace rta {
namespace {

/// The scratch channels of one output port and the number of connections that have not read them yet.
struct Signal {
    std::uint32_t first_buffer = 0;  ///< in PlanCompiler::buffers_
    std::uint32_t width = 0;
    std::uint32_t readers = 0;
};

bool rests_audible(const CompiledGraph::MixInput& input) { return input.presence != 0.0F && input.target_gain != 0.0F; }

}  // namespace

/// One compilation. Buffers are numbered first. When their count is known, they are allocated and numbers become
/// pointers.
class PlanCompiler {
 public:
    explicit PlanCompiler(CompileRequest& request) : request_{request}, plan_{std::make_unique<CompiledGraph>()} {}

    [[nodiscard]] std::expected<std::unique_ptr<CompiledGraph>, Cycle> compile() {
        const auto order = topological_order(static_cast<std::uint32_t>(request_.nodes.size()), arcs());
        if (!order) return std::unexpected(order.error());
        find_signals();
        std::ranges::sort(request_.fillings, {}, [](const CompileRequest::Filling& filling) {
            return std::pair{filling.from_node, filling.from_port};
        });
        std::ranges::sort(request_.taps, {}, &CompileRequest::Tap::from_node);
        plan_->targets_ = std::move(request_.targets);
        reserve();
        for (const std::uint32_t node : *order) place(node);
        allocate();
        resolve_views();
        return std::move(plan_);
    }

 private:
    using Node = CompileRequest::Node;
    using Connection = CompileRequest::Connection;

    /// A view whose channels are still numbers.
    struct PlannedView {
        std::uint32_t first_channel;  ///< in read_numbers_ or write_numbers_
        std::uint32_t width;
    };

    [[nodiscard]] std::vector<Arc> arcs() const {
        std::vector<Arc> arcs;
        arcs.reserve(request_.connections.size());
        for (const Connection& connection : request_.connections)
            arcs.push_back({connection.from_node, connection.to_node});
        return arcs;
    }

    [[nodiscard]] static std::uint32_t input_width(const Node& node, std::uint32_t port) {
        return port == 0 ? node.input_width : node.instance->description().layout.inputs[port].width;
    }
    [[nodiscard]] static std::uint32_t output_width(const Node& node, std::uint32_t port) {
        return port == 0 ? node.output_width : node.instance->description().layout.outputs[port].width;
    }

    /// Numbers the output ports, counts their readers, and finds the first incoming connection of each node.
    void find_signals() {
        const auto node_count = request_.nodes.size();
        first_signal_.reserve(node_count + 1);
        signals_.reserve(node_count);
        for (std::uint32_t node = 0; node < node_count; ++node) {
            first_signal_.push_back(static_cast<std::uint32_t>(signals_.size()));
            const Node& entry = request_.nodes[node];
            for (std::uint32_t port = 0; port < entry.output_count; ++port)
                signals_.push_back({0, output_width(entry, port), 0});
        }
        first_signal_.push_back(static_cast<std::uint32_t>(signals_.size()));
        first_connection_.assign(node_count + 1, 0);
        for (const Connection& connection : request_.connections) {
            ++signal_of(connection).readers;
            ++first_connection_[connection.to_node + 1];
        }
        for (std::size_t node = 0; node < node_count; ++node) first_connection_[node + 1] += first_connection_[node];
    }

    [[nodiscard]] Signal& signal_of(const Connection& connection) {
        return signals_[first_signal_[connection.from_node] + connection.from_port];
    }

    [[nodiscard]] std::span<Signal> outputs_of(std::uint32_t node) {
        return std::span{signals_}.subspan(first_signal_[node], first_signal_[node + 1] - first_signal_[node]);
    }

    void reserve() {
        plan_->steps_.reserve(request_.nodes.size());
        plan_->details_.reserve(request_.nodes.size());
        step_ports_.reserve(request_.nodes.size());
        plan_->mix_inputs_.reserve(request_.connections.size());
        buffers_.reserve(signals_.size());
        const std::size_t views = request_.nodes.size() + request_.connections.size();
        for (auto* const planned : {&input_views_, &output_views_, &mix_sources_}) planned->reserve(views);
        for (auto* const numbers : {&read_numbers_, &write_numbers_}) numbers->reserve(2 * views);
    }

    void place(std::uint32_t node) {
        mixed_ports_.clear();
        temporary_.clear();
        if (!is_view(node)) return place_step(node);
        place_view(node);
        release_inputs(node);
    }

    void place_step(std::uint32_t node) {
        const Node& entry = request_.nodes[node];
        CompiledGraph::StepDetail detail{};
        detail.presence = entry.present ? 1.0F : 0.0F;
        detail.first_mix = static_cast<std::uint32_t>(plan_->mixes_.size());
        detail.first_delay = static_cast<std::uint32_t>(plan_->delays_.size());
        const std::size_t first_input_view = input_views_.size();
        const std::size_t first_output_view = output_views_.size();

        place_inputs(node);
        place_outputs(node);
        detail.delay_count = static_cast<std::uint32_t>(plan_->delays_.size()) - detail.first_delay;
        place_fillings(node);
        detail.filling_count =
            static_cast<std::uint32_t>(plan_->delays_.size()) - detail.first_delay - detail.delay_count;
        detail.first_tap = static_cast<std::uint32_t>(plan_->taps_.size());
        place_taps(node);
        detail.tap_count = static_cast<std::uint32_t>(plan_->taps_.size()) - detail.first_tap;
        release_inputs(node);

        detail.mix_count = static_cast<std::uint32_t>(plan_->mixes_.size()) - detail.first_mix;

        const auto step = static_cast<std::uint32_t>(plan_->steps_.size());
        const bool is_full =
            detail.mix_count != 0 || detail.filling_count != 0 || detail.tap_count != 0 || entry.is_device_sink;
        if (is_full) plan_->full_steps_.push_back(step);
        step_ports_.push_back({input_views_.size() - first_input_view, output_views_.size() - first_output_view});
        plan_->details_.push_back(detail);
        plan_->steps_.push_back({.inputs = {},
                                 .outputs = {},
                                 .parameters = entry.parameters,
                                 .processor = entry.processor,
                                 .node = entry.instance});
    }

    /// Calls `visit` for each input port of a node, with its number and its connections.
    template <typename Visit>
    void visit_inputs(std::uint32_t node, Visit visit) {
        auto next = first_connection_[node];
        const auto end = first_connection_[node + 1];
        for (std::uint32_t port = 0; port < request_.nodes[node].input_count; ++port) {
            const auto begin = next;
            while (next < end && request_.connections[next].to_port == port) ++next;
            visit(port, std::span{request_.connections}.subspan(begin, next - begin));
        }
        assert(next == end);
    }

    /// Returns whether a port can read the buffers of its source.
    [[nodiscard]] static bool reads_directly(const Connection& source) {
        return source.at_rest && source.target_gain == 1.0F && !source.is_delayed;
    }

    [[nodiscard]] std::span<const CompileRequest::Filling> fillings_from(std::uint32_t node) const {
        return std::ranges::equal_range(request_.fillings, node, {}, &CompileRequest::Filling::from_node);
    }

    [[nodiscard]] std::span<const CompileRequest::Tap> taps_of(std::uint32_t node) const {
        return std::ranges::equal_range(request_.taps, node, {}, &CompileRequest::Tap::from_node);
    }

    void place_inputs(std::uint32_t node) {
        visit_inputs(node, [&](std::uint32_t port, std::span<Connection> sources) {
            const std::uint32_t width = input_width(request_.nodes[node], port);
            if (sources.empty()) {
                input_views_.push_back(planned_silence(width));
            } else if (sources.size() == 1 && reads_directly(sources.front())) {
                input_views_.push_back(planned_read(signal_of(sources.front()), width));
            } else {
                place_mix(sources, width, port);
            }
        });
    }

    /// Returns whether the outputs of a node are nothing but views of its inputs, so that it needs no step: it forwards
    /// channels, no input needs a mix, no delay at its outputs is being filled, and none of them is measured.
    [[nodiscard]] bool is_view(std::uint32_t node) const {
        if (!request_.nodes[node].forwards_channels || !fillings_from(node).empty() || !taps_of(node).empty())
            return false;
        const auto sources =
            std::span{request_.connections}.first(first_connection_[node + 1]).subspan(first_connection_[node]);
        const auto second = std::ranges::adjacent_find(sources, {}, &Connection::to_port);
        return second == sources.end() && std::ranges::all_of(sources, reads_directly);
    }

    /// Lets the outputs hold the channels of the inputs.
    void place_view(std::uint32_t node) {
        shared_.clear();
        visit_inputs(node, [&](std::uint32_t port, std::span<const Connection> sources) {
            for (std::uint32_t channel = 0; channel < input_width(request_.nodes[node], port); ++channel)
                shared_.push_back(sources.empty() ? kSilence : buffer_of(signal_of(sources.front()), channel));
        });
        pool_.hold(shared_);
        auto next = static_cast<std::uint32_t>(buffers_.size());
        buffers_.insert(buffers_.end(), shared_.begin(), shared_.end());
        for (Signal& signal : outputs_of(node)) {
            signal.first_buffer = next;
            next += signal.width;
        }
        assert(next == buffers_.size());
    }

    /// Returns the place in buffers_ of channels that are released after the step.
    [[nodiscard]] std::uint32_t take_temporary(std::uint32_t width) {
        const auto first_buffer = static_cast<std::uint32_t>(buffers_.size());
        for (std::uint32_t channel = 0; channel < width; ++channel) buffers_.push_back(pool_.take());
        temporary_.insert(temporary_.end(), buffers_.end() - static_cast<std::ptrdiff_t>(width), buffers_.end());
        return first_buffer;
    }

    /// Mixes `sources` into separate buffers, which are released after the step.
    void place_mix(std::span<Connection> sources, std::uint32_t width, std::uint32_t port) {
        source_order_.sort(sources, request_.nodes);
        const std::uint32_t first_buffer = take_temporary(width);
        mix_destinations_.push_back(planned_write(first_buffer, width));
        mixed_ports_.push_back({port, first_buffer});

        plan_->mixes_.push_back({.destination = {},
                                 .first_input = static_cast<std::uint32_t>(plan_->mix_inputs_.size()),
                                 .input_count = static_cast<std::uint32_t>(sources.size()),
                                 .first_factor = 0,
                                 .factor_count = 0,
                                 .first_channel = 0,
                                 .at_rest = std::ranges::all_of(sources, &Connection::at_rest)});
        for (const Connection& source : sources) {
            const Signal& signal = signal_of(source);
            const PlannedView as_sent = planned_read(signal, signal.width);
            mix_sources_.push_back(source.is_delayed ? place_delay(as_sent, *source.state, source.glide) : as_sent);
            plan_->mix_inputs_.push_back({{},
                                          source.state,
                                          source.target_gain,
                                          std::max(request_.gain_fade_frames, source.gain_fade_frames),
                                          source.gain_wait_frames,
                                          source.present ? 1.0F : 0.0F,
                                          source.at_rest});
        }
        input_views_.push_back(planned_read({first_buffer, width, 0}, width));
    }

    /// Delays a signal into separate buffers, which are released after the step.
    [[nodiscard]] PlannedView place_delay(const PlannedView& source, ConnectionState& state,
                                          const CompileRequest::Glide& glide) {
        const std::uint32_t first_buffer = take_temporary(source.width);
        delay_sources_.push_back(source);
        delay_destinations_.push_back(planned_write(first_buffer, source.width));
        plan_->delays_.push_back({.source = {},
                                  .destination = {},
                                  .state = &state,
                                  .glide = glide.delay,
                                  .glide_frames = glide.frames,
                                  .glide_length_frames = glide.length_frames,
                                  .glide_order = glide.order});
        return planned_read({first_buffer, source.width, 0}, source.width);
    }

    /// Finds the channels of the inputs that the outputs may share, because no other node will read them: one number for
    /// each of the first channels of the outputs, or kSilence for a channel that they must not share.
    void find_shared(std::uint32_t node) {
        const Node& entry = request_.nodes[node];
        shared_.clear();
        if (entry.forwards_channels) return share_mixes(entry);
        const std::uint32_t width = entry.input_width;
        if (!entry.in_place || entry.input_count == 0 || entry.output_count == 0 || width != entry.output_width) return;

        const auto first = first_connection_[node];
        if (first == first_connection_[node + 1] || request_.connections[first].to_port != 0) return;  // silence
        const Signal& source = signal_of(request_.connections[first]);
        const bool is_mixed = !mixed_ports_.empty() && mixed_ports_.front().port == 0;
        if (!is_mixed && (source.readers != 1 || source.width != width)) return;
        const std::uint32_t first_buffer = is_mixed ? mixed_ports_.front().first_buffer : source.first_buffer;
        const auto buffers = std::span{buffers_}.subspan(first_buffer, width);
        if (pool_.held_once(buffers)) shared_.assign(buffers.begin(), buffers.end());
    }

    /// A node that forwards channels keeps its mixes as outputs, and copies its other inputs.
    void share_mixes(const Node& entry) {
        auto mixed = mixed_ports_.begin();
        for (std::uint32_t port = 0; port < entry.input_count; ++port) {
            const bool is_mixed = mixed != mixed_ports_.end() && mixed->port == port;
            for (std::uint32_t channel = 0; channel < input_width(entry, port); ++channel)
                shared_.push_back(is_mixed ? buffers_[mixed->first_buffer + channel] : kSilence);
            if (is_mixed) ++mixed;
        }
    }

    void place_outputs(std::uint32_t node) {
        find_shared(node);
        pool_.hold(shared_);
        std::size_t place = 0;
        for (Signal& signal : outputs_of(node)) {
            signal.first_buffer = static_cast<std::uint32_t>(buffers_.size());
            for (std::uint32_t channel = 0; channel < signal.width; ++channel, ++place) {
                const bool is_shared = place < shared_.size() && shared_[place] != kSilence;
                buffers_.push_back(is_shared ? shared_[place] : pool_.take());
            }
            output_views_.push_back(planned_write(signal.first_buffer, signal.width));
        }
    }

    void place_fillings(std::uint32_t node) {
        for (const CompileRequest::Filling& filling : fillings_from(node)) {
            const Signal& signal = signals_[first_signal_[node] + filling.from_port];
            static_cast<void>(place_delay(planned_read(signal, signal.width), *filling.state, filling.glide));
        }
    }

    void place_taps(std::uint32_t node) {
        for (const CompileRequest::Tap& tap : taps_of(node)) {
            const Signal& signal = signals_[first_signal_[node] + tap.from_port];
            tap_sources_.push_back(planned_read(signal, signal.width));
            plan_->taps_.push_back({.source = {}, .tap = tap.tap});
        }
    }

    /// After a node: releases its mixes, its delayed signals, and signals without further readers.
    void release_inputs(std::uint32_t node) {
        pool_.release(temporary_);
        for (auto c = first_connection_[node]; c < first_connection_[node + 1]; ++c) {
            Signal& signal = signal_of(request_.connections[c]);
            if (--signal.readers == 0) release(signal);
        }
        for (const Signal& signal : outputs_of(node)) {
            if (signal.readers == 0) release(signal);
        }
    }

    void release(const Signal& signal) {
        pool_.release(std::span{buffers_}.subspan(signal.first_buffer, signal.width));
    }

    [[nodiscard]] PlannedView planned_silence(std::uint32_t width) {
        const auto first = static_cast<std::uint32_t>(read_numbers_.size());
        read_numbers_.insert(read_numbers_.end(), width, kSilence);
        return {first, width};
    }

    /// Returns the buffer that feeds a channel of a view: a mono signal feeds all channels of a wider one.
    [[nodiscard]] std::uint32_t buffer_of(const Signal& signal, std::uint32_t channel) const {
        return buffers_[signal.first_buffer + (signal.width == 1 ? 0 : channel)];
    }

    [[nodiscard]] PlannedView planned_read(const Signal& signal, std::uint32_t width) {
        const auto first = static_cast<std::uint32_t>(read_numbers_.size());
        for (std::uint32_t channel = 0; channel < width; ++channel) read_numbers_.push_back(buffer_of(signal, channel));
        return {first, width};
    }

    [[nodiscard]] PlannedView planned_write(std::uint32_t first_buffer, std::uint32_t width) {
        const auto first = static_cast<std::uint32_t>(write_numbers_.size());
        for (std::uint32_t channel = 0; channel < width; ++channel)
            write_numbers_.push_back(buffers_[first_buffer + channel]);
        return {first, width};
    }

    void allocate() {
        std::size_t node_scratch = 2 * std::size_t{request_.block_size};
        for (const Node& node : request_.nodes)
            node_scratch = std::max(node_scratch, std::size_t{node.scratch_channels} * request_.block_size);
        plan_->block_size_ = request_.block_size;
        plan_->round_ = request_.round;
        plan_->round_frames_ = request_.round_frames;
        plan_->progress_.assign(request_.block_size, 0.0F);
        plan_->buffer_count_ = pool_.count();
        plan_->scratch_ = AudioBuffer{pool_.count(), request_.block_size};
        plan_->silence_ = AudioBuffer{1, request_.block_size};
        plan_->node_scratch_.assign(node_scratch, 0.0F);
    }

    void resolve_views() {
        const AudioWriteView scratch = plan_->scratch_.write();
        plan_->read_channels_.reserve(read_numbers_.size());
        for (const std::uint32_t number : read_numbers_) {
            plan_->read_channels_.push_back(number == kSilence ? plan_->silence_.read().channel(0).data()
                                                               : scratch.channel(number).data());
        }
        plan_->write_channels_.reserve(write_numbers_.size());
        for (const std::uint32_t number : write_numbers_)
            plan_->write_channels_.push_back(scratch.channel(number).data());

        plan_->input_views_.reserve(input_views_.size());
        for (const PlannedView& view : input_views_) plan_->input_views_.push_back(read_view(view));
        plan_->output_views_.reserve(output_views_.size());
        for (const PlannedView& view : output_views_) plan_->output_views_.push_back(write_view(view));
        for (std::size_t i = 0; i < plan_->delays_.size(); ++i) {
            plan_->delays_[i].source = read_view(delay_sources_[i]);
            plan_->delays_[i].destination = write_view(delay_destinations_[i]);
        }
        for (std::size_t i = 0; i < plan_->taps_.size(); ++i) plan_->taps_[i].source = read_view(tap_sources_[i]);
        for (std::size_t i = 0; i < plan_->mixes_.size(); ++i)
            plan_->mixes_[i].destination = write_view(mix_destinations_[i]);
        for (std::size_t i = 0; i < plan_->mix_inputs_.size(); ++i)
            plan_->mix_inputs_[i].source = read_view(mix_sources_[i]);
        resolve_rested();
        resolve_steps();
    }

    /// Prepares the form of each mix that is used once all gains are at rest.
    void resolve_rested() {
        plan_->rested_factors_.reserve(plan_->mix_inputs_.size());
        plan_->rested_channels_.reserve(plan_->mix_inputs_.size());
        for (CompiledGraph::PortMix& mix : plan_->mixes_) {
            const auto inputs = std::span{plan_->mix_inputs_}.subspan(mix.first_input, mix.input_count);
            mix.first_factor = static_cast<std::uint32_t>(plan_->rested_factors_.size());
            mix.first_channel = static_cast<std::uint32_t>(plan_->rested_channels_.size());
            for (const CompiledGraph::MixInput& input : inputs) {
                if (rests_audible(input)) plan_->rested_factors_.push_back(input.target_gain);
            }
            mix.factor_count = static_cast<std::uint32_t>(plan_->rested_factors_.size()) - mix.first_factor;
            for (std::uint32_t channel = 0; channel < mix.destination.channel_count(); ++channel) {
                for (const CompiledGraph::MixInput& input : inputs) {
                    if (!rests_audible(input)) continue;
                    const bool mono = input.source.channel_count() == 1;
                    plan_->rested_channels_.push_back(input.source.channel(mono ? 0 : channel).data());
                }
            }
        }
    }

    /// Views are stored in the order of the steps.
    void resolve_steps() {
        std::span<const AudioReadView> inputs = plan_->input_views_;
        std::span<const AudioWriteView> outputs = plan_->output_views_;
        for (std::size_t i = 0; i < plan_->steps_.size(); ++i) {
            plan_->steps_[i].inputs = inputs.first(step_ports_[i].inputs);
            plan_->steps_[i].outputs = outputs.first(step_ports_[i].outputs);
            inputs = inputs.subspan(step_ports_[i].inputs);
            outputs = outputs.subspan(step_ports_[i].outputs);
        }
    }

    [[nodiscard]] AudioReadView read_view(const PlannedView& view) const {
        return {plan_->read_channels_.data() + view.first_channel, view.width, request_.block_size};
    }
    [[nodiscard]] AudioWriteView write_view(const PlannedView& view) const {
        return {plan_->write_channels_.data() + view.first_channel, view.width, request_.block_size};
    }

    struct MixedPort {
        std::uint32_t port;
        std::uint32_t first_buffer;  ///< in buffers_
    };

    /// Number of ports of a step.
    struct PortCounts {
        std::size_t inputs;
        std::size_t outputs;
    };

    CompileRequest& request_;
    std::unique_ptr<CompiledGraph> plan_;
    BufferPool pool_;
    std::vector<Signal> signals_;                  ///< of all output ports of all nodes
    std::vector<std::uint32_t> first_signal_;      ///< index for each node
    std::vector<std::uint32_t> first_connection_;  ///< index for each node, and one more at the end
    std::vector<std::uint32_t> buffers_;           ///< scratch channels by number; those of one signal are adjacent
    std::vector<std::uint32_t> shared_;            ///< of the node being placed; see find_shared()
    std::vector<PortCounts> step_ports_;           ///< of each step
    std::vector<MixedPort> mixed_ports_;           ///< of the step being placed, ascending
    std::vector<std::uint32_t> temporary_;         ///< channels for mixes and delays of the step being placed
    SourceOrder source_order_;
    std::vector<std::uint32_t> read_numbers_;
    std::vector<std::uint32_t> write_numbers_;
    std::vector<PlannedView> input_views_;
    std::vector<PlannedView> output_views_;
    std::vector<PlannedView> mix_destinations_;
    std::vector<PlannedView> mix_sources_;
    std::vector<PlannedView> tap_sources_;
    std::vector<PlannedView> delay_sources_;
    std::vector<PlannedView> delay_destinations_;
};

std::expected<std::unique_ptr<CompiledGraph>, Cycle> compile(CompileRequest request) {
    return PlanCompiler{request}.compile();
}

}  // namespace rta
