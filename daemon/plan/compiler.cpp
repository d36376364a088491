// SPDX-License-Identifier: MIT
#include "plan/compiler.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plan/plan_buffers.h"
#include "plan/plan_layout.h"
#include "plan/segment_compiler.h"
#include "text/sort_range.h"

namespace rta {

/// One compilation.
class PlanCompiler {
 public:
    PlanCompiler(CompileRequest& request, const CompiledGraph* previous)
        : request_{request}, previous_{previous}, plan_{std::make_unique<CompiledGraph>()} {}

    [[nodiscard]] std::expected<std::unique_ptr<CompiledGraph>, Cycle> compile() {
        if (previous_ != nullptr && !may_share()) previous_ = nullptr;
        sort_range(request_.fillings, {}, [](const CompileRequest::Filling& filling) {
            return std::pair{filling.from_node, filling.from_port};
        });
        sort_range(request_.taps, {}, &CompileRequest::Tap::from_node);
        find_first_connections();
        auto layout =
            PlanLayout::of(request_, first_connection_, views(), previous_ != nullptr ? previous_->layout_ : nullptr);
        if (!layout) return std::unexpected(std::move(layout.error()));
        plan_->layout_ = *std::move(layout);
        plan_->buffers_ =
            previous_ != nullptr ? previous_->buffers_ : std::make_shared<PlanBuffers>(request_.block_size);
        place_segments();
        finish();
        return std::move(plan_);
    }

 private:
    using Connection = CompileRequest::Connection;

    /// Buffers do not shrink, so that a plan that needs far fewer than the ones before shares nothing with them.
    [[nodiscard]] bool may_share() const {
        constexpr std::size_t kMostTimes = 4;
        constexpr std::size_t kSpare = 256;
        return previous_->block_size_ == request_.block_size &&
               previous_->gain_fade_frames_ == request_.gain_fade_frames &&
               previous_->buffers_->count() <= kMostTimes * previous_->buffer_count_ + kSpare;
    }

    void find_first_connections() {
        first_connection_.assign(request_.nodes.size() + 1, 0);
        for (const Connection& connection : request_.connections) ++first_connection_[connection.to_node + 1];
        for (std::size_t node = 0; node < request_.nodes.size(); ++node)
            first_connection_[node + 1] += first_connection_[node];
    }

    [[nodiscard]] std::span<const Connection> connections_of(std::uint32_t node) const {
        return std::span{request_.connections}.first(first_connection_[node + 1]).subspan(first_connection_[node]);
    }

    /// Returns the nodes without a step; empty if all have one.
    [[nodiscard]] std::vector<bool> views() const {
        std::vector<bool> views;
        for (std::uint32_t node = 0; node < request_.nodes.size(); ++node) {
            if (!request_.nodes[node].forwards_channels) continue;
            views.resize(request_.nodes.size());
            views[node] = is_view(node);
        }
        return views;
    }

    /// Returns whether the outputs of a node are nothing but views of its inputs, so that it needs no step: it forwards
    /// channels, no input needs a mix, no delay at its outputs is being filled, and none of them is measured.
    [[nodiscard]] bool is_view(std::uint32_t node) const {
        if (std::ranges::binary_search(request_.fillings, node, {}, &CompileRequest::Filling::from_node) ||
            std::ranges::binary_search(request_.taps, node, {}, &CompileRequest::Tap::from_node))
            return false;
        const auto sources = connections_of(node);
        const auto second = std::ranges::adjacent_find(sources, {}, &Connection::to_port);
        return second == sources.end() && std::ranges::all_of(sources, reads_directly);
    }

    void place_segments() {
        const PlanLayout& layout = *plan_->layout_;
        find_candidates();
        plan_->segments_.reserve(layout.segment_count());
        for (std::size_t number = 0; number < layout.segment_count(); ++number) {
            std::shared_ptr<PlanSegment> segment = shareable(number);
            if (segment == nullptr)
                segment =
                    compile_segment(number, source_of(number), request_, first_connection_, layout, *plan_->buffers_);
            plan_->segments_.push_back(std::move(segment));
        }
    }

    /// Finds the segments of the previous plan by their first nodes.
    void find_candidates() {
        if (previous_ == nullptr) return;
        for (const auto& segment : previous_->segments_)
            candidates_.emplace(segment->source().nodes.front().instance, &segment);
    }

    /// Returns the segment of the previous plan that has the same source, or nullptr.
    [[nodiscard]] std::shared_ptr<PlanSegment> shareable(std::size_t number) const {
        const PlanLayout& layout = *plan_->layout_;
        const auto found = candidates_.find(layout.nodes[layout.segment(number).front()].instance);
        if (found == candidates_.end()) return nullptr;
        const SegmentSource& source = (*found->second)->source();
        const bool same_layout = plan_->layout_ == previous_->layout_;
        return has_nodes(number, source) && (same_layout || places_of(number) == source.places) &&
                       fillings_of(number) == source.fillings && taps_of(number) == source.taps
                   ? *found->second
                   : nullptr;
    }

    /// Returns whether the source has the nodes of the segment, and the same connections into them.
    [[nodiscard]] bool has_nodes(std::size_t number, const SegmentSource& source) const {
        const std::span<const std::uint32_t> nodes = plan_->layout_->segment(number);
        if (nodes.size() != source.nodes.size()) return false;
        std::span<const Connection> rest = source.connections;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            if (source_of(request_.nodes[nodes[i]]) != source.nodes[i]) return false;
            const auto connections = connections_of(nodes[i]);
            if (connections.size() > rest.size() ||
                !std::ranges::equal(connections, rest.first(connections.size()), have_same_source))
                return false;
            rest = rest.subspan(connections.size());
        }
        return rest.empty();
    }

    [[nodiscard]] static SegmentSource::Node source_of(const CompileRequest::Node& node) {
        return {node.instance, node.processor, node.present};
    }

    /// The state belongs to one connection, so that it stands for its ends.
    [[nodiscard]] static bool have_same_source(const Connection& a, const Connection& b) {
        return a.state == b.state && a.target_gain == b.target_gain && a.at_rest == b.at_rest &&
               a.present == b.present && a.gain_fade_frames == b.gain_fade_frames &&
               a.gain_wait_frames == b.gain_wait_frames && a.is_delayed == b.is_delayed && a.glide == b.glide;
    }

    [[nodiscard]] SegmentSource source_of(std::size_t number) const {
        SegmentSource source{.nodes = {},
                             .connections = {},
                             .fillings = fillings_of(number),
                             .taps = taps_of(number),
                             .places = places_of(number)};
        for (const std::uint32_t node : plan_->layout_->segment(number)) {
            source.nodes.push_back(source_of(request_.nodes[node]));
            const auto connections = connections_of(node);
            source.connections.insert(source.connections.end(), connections.begin(), connections.end());
        }
        return source;
    }

    [[nodiscard]] std::vector<SegmentSource::Filling> fillings_of(std::size_t number) const {
        std::vector<SegmentSource::Filling> fillings;
        for (const CompileRequest::Filling& filling : request_.fillings) {
            if (plan_->layout_->segment_of[filling.from_node] == number)
                fillings.push_back(
                    {request_.nodes[filling.from_node].instance, filling.from_port, filling.state, filling.glide});
        }
        return fillings;
    }

    [[nodiscard]] std::vector<SegmentSource::Tap> taps_of(std::size_t number) const {
        std::vector<SegmentSource::Tap> taps;
        for (const CompileRequest::Tap& tap : request_.taps) {
            if (plan_->layout_->segment_of[tap.from_node] == number)
                taps.push_back({request_.nodes[tap.from_node].instance, tap.from_port, tap.tap});
        }
        return taps;
    }

    [[nodiscard]] std::vector<std::uint32_t> places_of(std::size_t number) const {
        const PlanLayout& layout = *plan_->layout_;
        std::vector<std::uint32_t> places;
        for (const std::uint32_t node : layout.segment(number)) {
            places.push_back(layout.nodes[node].is_view ? 1 : 0);
            for (const Connection& connection : connections_of(node)) {
                const CompileRequest::Node& source = request_.nodes[connection.from_node];
                if (layout.segment_of[connection.from_node] == number) continue;
                layout.append_buffers(layout.signal(connection.from_node, connection.from_port),
                                      output_width(source, connection.from_port), places);
            }
            const CompileRequest::Node& entry = request_.nodes[node];
            for (std::uint32_t port = 0; port < entry.output_count; ++port) {
                const std::uint32_t signal = layout.signal(node, port);
                places.push_back(layout.is_passed(signal) ? 1 : 0);
                if (layout.is_passed(signal)) layout.append_buffers(signal, output_width(entry, port), places);
            }
        }
        return places;
    }

    void finish() {
        plan_->block_size_ = request_.block_size;
        plan_->gain_fade_frames_ = request_.gain_fade_frames;
        plan_->round_ = request_.round;
        plan_->round_frames_ = request_.round_frames;
        plan_->targets_ = std::move(request_.targets);
        std::uint32_t own = 0;
        std::size_t scratch = 2 * std::size_t{request_.block_size};
        for (const auto& segment : plan_->segments_) {
            const auto steps = segment->steps();
            plan_->step_count_ += steps.size();
            plan_->first_steps_.push_back(steps.first(std::min<std::size_t>(steps.size(), kPrefetchSteps)));
            own = std::max(own, segment->buffer_count());
            scratch = std::max(scratch, segment->scratch_frames());
        }
        plan_->buffer_count_ = std::size_t{own} + plan_->layout_->passed_count;
        plan_->progress_.assign(request_.block_size, 0.0F);
        plan_->node_scratch_.assign(scratch, 0.0F);
    }

    CompileRequest& request_;
    const CompiledGraph* previous_;  ///< nullptr: nothing is shared
    std::unique_ptr<CompiledGraph> plan_;
    std::vector<std::uint32_t> first_connection_;  ///< index for each node, and one more at the end
    std::unordered_map<const NodeInstance*, const std::shared_ptr<PlanSegment>*> candidates_;  ///< by the first node
};

std::expected<std::unique_ptr<CompiledGraph>, Cycle> compile(CompileRequest request, const CompiledGraph* previous) {
    return PlanCompiler{request, previous}.compile();
}

}  // namespace rta
