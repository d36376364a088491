// SPDX-License-Identifier: MIT
#include "plan/compiler.h"

#include <algorithm>
#include <cassert>
#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <tuple>

namespace rta {
namespace {

/// Allocates scratch channels. The channel released last is reused first, because it is the most likely to be cached.
class BufferPool {
 public:
    [[nodiscard]] std::uint32_t take() {
        if (free_.empty()) return count_++;
        const std::uint32_t buffer = free_.back();
        free_.pop_back();
        return buffer;
    }
    void release(std::span<const std::uint32_t> buffers) { free_.insert(free_.end(), buffers.begin(), buffers.end()); }
    [[nodiscard]] std::uint32_t count() const { return count_; }

 private:
    std::vector<std::uint32_t> free_;
    std::uint32_t count_ = 0;
};

/// The scratch channels of one output port and the number of connections that have not read them yet.
struct Signal {
    std::uint32_t first_buffer = 0;  ///< in PlanCompiler::buffers_
    std::uint32_t width = 0;
    std::uint32_t readers = 0;
};

constexpr std::uint32_t kSilence = static_cast<std::uint32_t>(-1);

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
        sort_targets();
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

    /// Groups the targets by node. Those of one node keep their order, so that the later one wins.
    void sort_targets() {
        struct Ordered {
            NodeId node;
            std::size_t index;
            auto operator<=>(const Ordered&) const = default;
        };
        std::vector<Ordered> order;
        order.reserve(request_.targets.size());
        for (const ParameterTarget& target : request_.targets) order.push_back({target.node->id(), order.size()});
        std::ranges::sort(order);
        plan_->targets_.reserve(order.size());
        for (const Ordered& entry : order) plan_->targets_.push_back(request_.targets[entry.index]);
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
        const Node& entry = request_.nodes[node];
        CompiledGraph::StepDetail detail{};
        detail.presence = entry.present ? 1.0F : 0.0F;
        detail.first_mix = static_cast<std::uint32_t>(plan_->mixes_.size());
        detail.first_delay = static_cast<std::uint32_t>(plan_->delays_.size());
        const std::size_t first_input_view = input_views_.size();
        const std::size_t first_output_view = output_views_.size();
        mixed_buffers_.clear();
        delayed_buffers_.clear();

        place_inputs(node);
        const bool in_place = place_in_place(node);
        place_outputs(node, in_place ? 1 : 0);
        detail.delay_count = static_cast<std::uint32_t>(plan_->delays_.size()) - detail.first_delay;
        place_fillings(node);
        detail.filling_count =
            static_cast<std::uint32_t>(plan_->delays_.size()) - detail.first_delay - detail.delay_count;
        release_inputs(node);

        detail.mix_count = static_cast<std::uint32_t>(plan_->mixes_.size()) - detail.first_mix;
        const auto targets = std::ranges::equal_range(plan_->targets_, entry.id, {},
                                                      [](const ParameterTarget& target) { return target.node->id(); });
        detail.first_target = static_cast<std::uint32_t>(targets.begin() - plan_->targets_.begin());
        detail.target_count = static_cast<std::uint32_t>(targets.size());

        const auto step = static_cast<std::uint32_t>(plan_->steps_.size());
        const bool is_full = detail.mix_count != 0 || detail.filling_count != 0 || entry.is_device_sink;
        if (is_full) plan_->full_steps_.push_back(step);
        if (is_full || detail.target_count != 0) plan_->first_steps_.push_back(step);
        step_ports_.push_back({input_views_.size() - first_input_view, output_views_.size() - first_output_view});
        plan_->details_.push_back(detail);
        plan_->steps_.push_back({.inputs = {},
                                 .outputs = {},
                                 .parameters = entry.parameters,
                                 .processor = entry.processor,
                                 .node = entry.instance});
    }

    void place_inputs(std::uint32_t node) {
        auto next = first_connection_[node];
        const auto end = first_connection_[node + 1];
        const Node& entry = request_.nodes[node];
        for (std::uint32_t port = 0; port < entry.input_count; ++port) {
            const std::uint32_t width = input_width(entry, port);
            const auto begin = next;
            while (next < end && request_.connections[next].to_port == port) ++next;
            const auto sources = std::span{request_.connections}.subspan(begin, next - begin);
            if (sources.empty()) {
                input_views_.push_back(planned_silence(width));
            } else if (sources.size() == 1 && sources.front().at_rest && sources.front().target_gain == 1.0F &&
                       !sources.front().is_delayed) {
                input_views_.push_back(planned_read(signal_of(sources.front()), width));
            } else {
                place_mix(sources, width, port);
            }
        }
        assert(next == end);
    }

    /// Mixes `sources` into separate buffers, which are released after the step.
    void place_mix(std::span<Connection> sources, std::uint32_t width, std::uint32_t port) {
        sort_by_name(sources);
        const auto first_buffer = static_cast<std::uint32_t>(buffers_.size());
        for (std::uint32_t channel = 0; channel < width; ++channel) buffers_.push_back(pool_.take());
        mix_destinations_.push_back(planned_write(first_buffer, width));
        mixed_buffers_.push_back({first_buffer, width, port});

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
                                          request_.gain_fade_frames,
                                          source.gain_wait_frames,
                                          source.present ? 1.0F : 0.0F,
                                          source.at_rest});
        }
        input_views_.push_back(planned_read({first_buffer, width, 0}, width));
    }

    /// Delays a signal into separate buffers, which are released after the step.
    [[nodiscard]] PlannedView place_delay(const PlannedView& source, ConnectionState& state,
                                          const CompileRequest::Glide& glide) {
        const auto first_buffer = static_cast<std::uint32_t>(buffers_.size());
        for (std::uint32_t channel = 0; channel < source.width; ++channel) buffers_.push_back(pool_.take());
        delayed_buffers_.push_back({first_buffer, source.width});
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

    /// Signals are summed in the order of their sources' names, so that a graph renders bit-identically however it was
    /// built. A name occurs twice while a node is replaced by a node of the same name: the older node comes first.
    void sort_by_name(std::span<Connection> sources) {
        if (sources.size() == 1) return;
        sort_keys_.clear();
        for (std::size_t i = 0; i < sources.size(); ++i) {
            const Node& node = request_.nodes[sources[i].from_node];
            sort_keys_.push_back({node.name_bytes, node.id, node.instance, sources[i].from_port, i});
        }
        std::ranges::sort(sort_keys_, std::less<>{});
        sorted_.clear();
        for (const SortKey& key : sort_keys_) sorted_.push_back(sources[key.index]);
        std::ranges::move(sorted_, sources.begin());
    }

    /// Lets output 0 use the buffers of input 0 if the type allows it and no other node will read that input.
    [[nodiscard]] bool place_in_place(std::uint32_t node) {
        const Node& entry = request_.nodes[node];
        const std::uint32_t width = entry.input_width;
        if (!entry.in_place || entry.input_count == 0 || entry.output_count == 0 || width != entry.output_width)
            return false;

        Signal& output = signals_[first_signal_[node]];
        if (!mixed_buffers_.empty() && mixed_buffers_.front().port == 0) {
            output.first_buffer = mixed_buffers_.front().first_buffer;
            mixed_buffers_.erase(mixed_buffers_.begin());
        } else {
            const auto first = first_connection_[node];
            if (first == first_connection_[node + 1] || request_.connections[first].to_port != 0)
                return false;  // silence
            Signal& source = signal_of(request_.connections[first]);
            if (source.readers != 1 || source.width != width) return false;
            output.first_buffer = source.first_buffer;
            source.first_buffer = kSilence;  // now owned by the output: must not be released
        }
        output_views_.push_back(planned_write(output.first_buffer, width));
        return true;
    }

    void place_outputs(std::uint32_t node, std::uint32_t first_port) {
        for (std::uint32_t index = first_signal_[node] + first_port; index < first_signal_[node + 1]; ++index) {
            Signal& signal = signals_[index];
            signal.first_buffer = static_cast<std::uint32_t>(buffers_.size());
            for (std::uint32_t channel = 0; channel < signal.width; ++channel) buffers_.push_back(pool_.take());
            output_views_.push_back(planned_write(signal.first_buffer, signal.width));
        }
    }

    void place_fillings(std::uint32_t node) {
        for (const CompileRequest::Filling& filling :
             std::ranges::equal_range(request_.fillings, node, {}, &CompileRequest::Filling::from_node)) {
            const Signal& signal = signals_[first_signal_[node] + filling.from_port];
            static_cast<void>(place_delay(planned_read(signal, signal.width), *filling.state, filling.glide));
        }
    }

    /// After the step: releases its mixes, its delayed signals, and signals without further readers.
    void release_inputs(std::uint32_t node) {
        for (const MixedBuffers& mixed : mixed_buffers_) release(mixed.first_buffer, mixed.width);
        for (const DelayedBuffers& delayed : delayed_buffers_) release(delayed.first_buffer, delayed.width);
        for (auto c = first_connection_[node]; c < first_connection_[node + 1]; ++c) {
            Signal& signal = signal_of(request_.connections[c]);
            if (--signal.readers == 0 && signal.first_buffer != kSilence) release(signal.first_buffer, signal.width);
        }
        for (std::uint32_t index = first_signal_[node]; index < first_signal_[node + 1]; ++index) {
            const Signal& signal = signals_[index];
            if (signal.readers == 0) release(signal.first_buffer, signal.width);
        }
    }

    void release(std::uint32_t first_buffer, std::uint32_t width) {
        pool_.release(std::span{buffers_}.subspan(first_buffer, width));
    }

    [[nodiscard]] PlannedView planned_silence(std::uint32_t width) {
        const auto first = static_cast<std::uint32_t>(read_numbers_.size());
        read_numbers_.insert(read_numbers_.end(), width, kSilence);
        return {first, width};
    }

    /// A mono signal feeds all channels of a wider view.
    [[nodiscard]] PlannedView planned_read(const Signal& signal, std::uint32_t width) {
        const auto first = static_cast<std::uint32_t>(read_numbers_.size());
        for (std::uint32_t channel = 0; channel < width; ++channel) {
            read_numbers_.push_back(buffers_[signal.first_buffer + (signal.width == 1 ? 0 : channel)]);
        }
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

    struct SortKey {
        std::uint64_t name_bytes;
        NodeId id;
        const NodeInstance* node;
        std::uint32_t port;
        std::size_t index;

        /// The order by name of the node, then by name of its port, then by id.
        [[nodiscard]] bool operator<(const SortKey& other) const {
            if (name_bytes != other.name_bytes) return name_bytes < other.name_bytes;
            return std::tuple{node_name(), port_name(), id} <
                   std::tuple{other.node_name(), other.port_name(), other.id};
        }
        [[nodiscard]] std::string_view node_name() const { return node->description().name; }
        [[nodiscard]] std::string_view port_name() const { return node->description().layout.outputs[port].name; }
    };

    struct MixedBuffers {
        std::uint32_t first_buffer;
        std::uint32_t width;
        std::uint32_t port;
    };

    struct DelayedBuffers {
        std::uint32_t first_buffer;
        std::uint32_t width;
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
    std::vector<PortCounts> step_ports_;           ///< of each step
    std::vector<MixedBuffers> mixed_buffers_;      ///< of the step being placed
    std::vector<DelayedBuffers> delayed_buffers_;  ///< of the step being placed
    std::vector<SortKey> sort_keys_;               ///< of the port being placed
    std::vector<Connection> sorted_;
    std::vector<std::uint32_t> read_numbers_;
    std::vector<std::uint32_t> write_numbers_;
    std::vector<PlannedView> input_views_;
    std::vector<PlannedView> output_views_;
    std::vector<PlannedView> mix_destinations_;
    std::vector<PlannedView> mix_sources_;
    std::vector<PlannedView> delay_sources_;
    std::vector<PlannedView> delay_destinations_;
};

std::expected<std::unique_ptr<CompiledGraph>, Cycle> compile(CompileRequest request) {
    return PlanCompiler{request}.compile();
}

}  // namespace rta
