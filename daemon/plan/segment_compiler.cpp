// SPDX-License-Identifier: MIT
#include "plan/segment_compiler.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "plan/buffer_pool.h"
#include "plan/source_order.h"

namespace rta {
namespace {

/// The channels of one output port and the number of connections that have not read them yet, inside the segment.
struct Signal {
    std::uint32_t first_buffer = 0;  ///< in SegmentCompiler::buffers_
    std::uint32_t width = 0;
    std::uint32_t readers = 0;
};

bool rests_audible(const PlanSegment::MixInput& input) { return input.presence != 0.0F && input.target_gain != 0.0F; }

}  // namespace

/// Compiles one segment. Buffers are numbered first. When their count is known, they are allocated and numbers become
/// pointers.
class SegmentCompiler {
 public:
    SegmentCompiler(CompileRequest& request, std::span<const std::uint32_t> first_connection, const PlanLayout& layout,
                    PlanBuffers& buffers)
        : request_{request}, first_connection_{first_connection}, layout_{layout}, plan_buffers_{buffers} {}

    [[nodiscard]] std::shared_ptr<PlanSegment> compile(std::size_t number, SegmentSource source) {
        plan_ = std::make_shared<PlanSegment>(std::move(source));
        nodes_ = layout_.segment(number);
        first_position_ = layout_.first_of[number];
        find_signals();
        find_homes();
        reserve();
        for (const std::uint32_t node : nodes_) place(node);
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

    /// Numbers the output ports, and counts their readers in the segment.
    void find_signals() {
        first_signal_.reserve(nodes_.size() + 1);
        signals_.reserve(nodes_.size());
        for (const std::uint32_t node : nodes_) {
            first_signal_.push_back(static_cast<std::uint32_t>(signals_.size()));
            const Node& entry = request_.nodes[node];
            for (std::uint32_t port = 0; port < entry.output_count; ++port)
                signals_.push_back({0, output_width(entry, port), 0});
        }
        first_signal_.push_back(static_cast<std::uint32_t>(signals_.size()));
        for (const std::uint32_t node : nodes_) {
            for (const Connection& connection : connections_of(node)) {
                if (is_inner(connection)) ++inner_signal(connection).readers;
                ++connection_count_;
            }
        }
    }

    /// Finds the passed signals in the buffers of which others are: in front of an in-place node whose output is passed, the
    /// signal is in that buffer already.
    void find_homes() {
        homes_.assign(signals_.size(), PlanLayout::kNone);
        for (std::size_t place = nodes_.size(); place-- > 0;) {
            const std::uint32_t node = nodes_[place];
            for (std::uint32_t port = 0; port < request_.nodes[node].output_count; ++port) {
                const std::uint32_t signal = layout_.signal(node, port);
                if (layout_.is_passed(signal)) homes_[first_signal_[place] + port] = signal;
            }
            if (!may_overwrite(node) || homes_[first_signal_[place]] == PlanLayout::kNone) continue;
            const Connection& source = connections_of(node).front();
            homes_[first_signal_[place_of(source.from_node)] + source.from_port] = homes_[first_signal_[place]];
        }
    }

    /// Returns whether a node works in place in a signal of the segment that no other node reads.
    [[nodiscard]] bool may_overwrite(std::uint32_t node) {
        const Node& entry = request_.nodes[node];
        const bool fits = entry.input_count != 0 && entry.output_count != 0 && entry.input_width == entry.output_width;
        const auto connections = connections_of(node);
        if (!entry.in_place || !fits || connections.empty() || connections.front().to_port != 0) return false;
        const bool is_mixed = connections.size() > 1 && connections[1].to_port == 0;
        if (is_mixed || !reads_directly(connections.front()) || !is_inner(connections.front())) return false;
        const Signal& source = inner_signal(connections.front());
        return source.readers == 1 && source.width == entry.input_width;
    }

    [[nodiscard]] std::span<Connection> connections_of(std::uint32_t node) {
        return std::span{request_.connections}.first(first_connection_[node + 1]).subspan(first_connection_[node]);
    }
    /// Returns whether the source of a connection is in the segment, too.
    [[nodiscard]] bool is_inner(const Connection& connection) const {
        return layout_.segment_of[connection.from_node] == layout_.segment_of[nodes_.front()];
    }
    /// Returns the place of a node in the segment.
    [[nodiscard]] std::size_t place_of(std::uint32_t node) const { return layout_.position[node] - first_position_; }

    [[nodiscard]] Signal& inner_signal(const Connection& connection) {
        return signals_[first_signal_[place_of(connection.from_node)] + connection.from_port];
    }
    /// Returns the signal that a connection carries. One from another segment is in buffers that are passed.
    [[nodiscard]] Signal signal_of(const Connection& connection) {
        if (is_inner(connection)) return inner_signal(connection);
        const auto first = static_cast<std::uint32_t>(buffers_.size());
        const std::uint32_t width = output_width(request_.nodes[connection.from_node], connection.from_port);
        layout_.append_buffers(layout_.signal(connection.from_node, connection.from_port), width, buffers_);
        return {first, width, 0};
    }

    [[nodiscard]] std::span<Signal> outputs_of(std::uint32_t node) {
        const std::size_t place = place_of(node);
        return std::span{signals_}.subspan(first_signal_[place], first_signal_[place + 1] - first_signal_[place]);
    }

    void reserve() {
        plan_->steps_.reserve(nodes_.size());
        plan_->details_.reserve(nodes_.size());
        step_ports_.reserve(nodes_.size());
        plan_->mix_inputs_.reserve(connection_count_);
        buffers_.reserve(signals_.size());
        const std::size_t views = nodes_.size() + connection_count_;
        for (auto* const planned : {&input_views_, &output_views_, &mix_sources_}) planned->reserve(views);
        for (auto* const numbers : {&read_numbers_, &write_numbers_}) numbers->reserve(2 * views);
    }

    void place(std::uint32_t node) {
        mixed_ports_.clear();
        temporary_.clear();
        if (!layout_.nodes[node].is_view) return place_step(node);
        place_view(node);
        release_inputs(node);
    }

    void place_step(std::uint32_t node) {
        const Node& entry = request_.nodes[node];
        PlanSegment::StepDetail detail{};
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

    /// Lets the outputs hold the channels of the inputs.
    void place_view(std::uint32_t node) {
        shared_.clear();
        visit_inputs(node, [&](std::uint32_t port, std::span<const Connection> sources) {
            const Signal source = sources.empty() ? Signal{} : signal_of(sources.front());
            for (std::uint32_t channel = 0; channel < input_width(request_.nodes[node], port); ++channel)
                shared_.push_back(sources.empty() ? kSilence : buffer_of(source, channel));
        });
        for (const std::uint32_t buffer : shared_) pool_.hold(buffer);
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
            const Signal signal = signal_of(source);
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
        const Signal source = signal_of(request_.connections[first]);
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
        std::size_t place = 0;
        std::size_t index = first_signal_[place_of(node)];
        for (Signal& signal : outputs_of(node)) {
            signal.first_buffer = static_cast<std::uint32_t>(buffers_.size());
            const std::uint32_t home = homes_[index++];
            for (std::uint32_t channel = 0; channel < signal.width; ++channel, ++place)
                buffers_.push_back(home == PlanLayout::kNone ? own_buffer(place)
                                                             : layout_.passed_buffer({home, channel}));
            output_views_.push_back(planned_write(signal.first_buffer, signal.width));
        }
    }

    /// Returns a buffer of the segment for a channel of the outputs.
    [[nodiscard]] std::uint32_t own_buffer(std::size_t place) {
        if (place >= shared_.size() || shared_[place] == kSilence) return pool_.take();
        pool_.hold(shared_[place]);
        return shared_[place];
    }

    void place_fillings(std::uint32_t node) {
        for (const CompileRequest::Filling& filling : fillings_from(node)) {
            const Signal& signal = outputs_of(node)[filling.from_port];
            static_cast<void>(place_delay(planned_read(signal, signal.width), *filling.state, filling.glide));
        }
    }

    void place_taps(std::uint32_t node) {
        for (const CompileRequest::Tap& tap : taps_of(node)) {
            const Signal& signal = outputs_of(node)[tap.from_port];
            tap_sources_.push_back(planned_read(signal, signal.width));
            plan_->taps_.push_back({.source = {}, .tap = tap.tap});
        }
    }

    /// After a node: releases its mixes, its delayed signals, and signals without further readers.
    void release_inputs(std::uint32_t node) {
        pool_.release(temporary_);
        for (const Connection& connection : connections_of(node)) {
            if (!is_inner(connection)) continue;
            Signal& signal = inner_signal(connection);
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
        std::size_t scratch_channels = 0;
        for (const std::uint32_t node : nodes_)
            scratch_channels = std::max(scratch_channels, std::size_t{request_.nodes[node].scratch_channels});
        plan_->scratch_frames_ = scratch_channels * request_.block_size;
        plan_->buffer_count_ = pool_.count();
        plan_buffers_.grow(pool_.count(), layout_.passed_count);
    }

    void resolve_views() {
        plan_->read_channels_.reserve(read_numbers_.size());
        for (const std::uint32_t number : read_numbers_) plan_->read_channels_.push_back(plan_buffers_.read(number));
        plan_->write_channels_.reserve(write_numbers_.size());
        for (const std::uint32_t number : write_numbers_) plan_->write_channels_.push_back(plan_buffers_.write(number));

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
        for (PlanSegment::PortMix& mix : plan_->mixes_) {
            const auto inputs = std::span{plan_->mix_inputs_}.subspan(mix.first_input, mix.input_count);
            mix.first_factor = static_cast<std::uint32_t>(plan_->rested_factors_.size());
            mix.first_channel = static_cast<std::uint32_t>(plan_->rested_channels_.size());
            for (const PlanSegment::MixInput& input : inputs) {
                if (rests_audible(input)) plan_->rested_factors_.push_back(input.target_gain);
            }
            mix.factor_count = static_cast<std::uint32_t>(plan_->rested_factors_.size()) - mix.first_factor;
            for (std::uint32_t channel = 0; channel < mix.destination.channel_count(); ++channel) {
                for (const PlanSegment::MixInput& input : inputs) {
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
    std::span<const std::uint32_t> first_connection_;
    const PlanLayout& layout_;
    PlanBuffers& plan_buffers_;
    std::shared_ptr<PlanSegment> plan_;
    std::span<const std::uint32_t> nodes_;  ///< of the segment, in their order
    std::uint32_t first_position_ = 0;      ///< of the first of them
    std::size_t connection_count_ = 0;      ///< into these nodes
    BufferPool pool_;
    std::vector<Signal> signals_;              ///< of all output ports of these nodes
    std::vector<std::uint32_t> first_signal_;  ///< index for each of these nodes, and one more at the end
    std::vector<std::uint32_t> homes_;         ///< passed signal for each of `signals_`; kNone: in own buffers
    std::vector<std::uint32_t> buffers_;       ///< scratch channels by number; those of one signal are adjacent
    std::vector<std::uint32_t> shared_;        ///< of the node being placed; see find_shared()
    std::vector<PortCounts> step_ports_;       ///< of each step
    std::vector<MixedPort> mixed_ports_;       ///< of the step being placed, ascending
    std::vector<std::uint32_t> temporary_;     ///< channels for mixes and delays of the step being placed
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

std::shared_ptr<PlanSegment> compile_segment(std::size_t number, SegmentSource source, CompileRequest& request,
                                             std::span<const std::uint32_t> first_connection, const PlanLayout& layout,
                                             PlanBuffers& buffers) {
    return SegmentCompiler{request, first_connection, layout, buffers}.compile(number, std::move(source));
}

}  // namespace rta
