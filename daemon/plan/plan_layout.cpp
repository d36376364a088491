// SPDX-License-Identifier: MIT
#include "plan/plan_layout.h"

#include <algorithm>
#include <utility>

#include "plan/buffer_pool.h"

namespace rta {
namespace {

/// The fewest nodes of a segment, except the last; on average, a segment has twice as many, and at most four times.
/// Compiling a segment takes 60 us. The audio thread takes 0.1 us to start one, because what it reads is in no cache.
constexpr std::uint32_t kSegmentNodes = 512;
constexpr std::uint32_t kLongestSegment = 4;
/// Passed signals that keep their buffers may need more of them than is necessary: up to twice as many, and these.
constexpr std::uint32_t kSpareBuffers = 64;

/// Returns a number that looks random, so that segments end at nodes that have nothing in common.
std::uint64_t scattered(NodeId id) { return (id.value() * 0x9E37'79B9'7F4A'7C15U) >> 32U; }

class LayoutBuilder {
 public:
    LayoutBuilder(const CompileRequest& request, std::span<const std::uint32_t> first_connection, PlanLayout& layout)
        : request_{request}, first_connection_{first_connection}, layout_{layout} {}

    void build(const PlanLayout* previous) {
        divide();
        number_signals();
        find_views();
        find_last_readers();
        if (previous != nullptr) find_kept(*previous);
        pass_signals();
        if (layout_.passed_count <= 2 * most_live_ + kSpareBuffers) return;
        kept_.clear();
        pass_signals();
    }

 private:
    using Channel = PlanLayout::Channel;
    static constexpr std::uint32_t kNone = PlanLayout::kNone;

    void divide() {
        layout_.position.resize(layout_.order.size());
        layout_.segment_of.resize(layout_.order.size());
        layout_.first_of = {0};
        for (std::uint32_t i = 0; i < layout_.order.size(); ++i) {
            const std::uint32_t node = layout_.order[i];
            layout_.position[node] = i;
            layout_.segment_of[node] = static_cast<std::uint32_t>(layout_.first_of.size() - 1);
            const std::uint32_t length = i + 1 - layout_.first_of.back();
            const bool may_end = length >= layout_.segment_nodes;
            const bool ends = scattered(layout_.nodes[node].id) % layout_.segment_nodes == 0;
            if ((may_end && ends) || length >= kLongestSegment * layout_.segment_nodes)
                layout_.first_of.push_back(i + 1);
        }
        if (layout_.first_of.back() != layout_.order.size())
            layout_.first_of.push_back(static_cast<std::uint32_t>(layout_.order.size()));
    }

    void number_signals() {
        layout_.first_signal.reserve(request_.nodes.size() + 1);
        std::uint32_t next = 0;
        for (const CompileRequest::Node& node : request_.nodes) {
            layout_.first_signal.push_back(next);
            next += node.output_count;
        }
        layout_.first_signal.push_back(next);
    }

    void find_views() {
        if (std::ranges::none_of(layout_.nodes, &PlanLayout::Node::is_view)) return;
        layout_.first_view_channel.assign(layout_.first_signal.back(), kNone);
        for (const std::uint32_t node : layout_.order) {
            if (layout_.nodes[node].is_view) find_view_channels(node);
        }
    }

    /// The outputs contain the channels of the inputs, one after the other.
    void find_view_channels(std::uint32_t node) {
        const CompileRequest::Node& entry = request_.nodes[node];
        auto next = static_cast<std::uint32_t>(layout_.view_channels.size());
        std::uint32_t connection = first_connection_[node];
        for (std::uint32_t port = 0; port < entry.input_count; ++port) {
            const bool is_connected =
                connection < first_connection_[node + 1] && request_.connections[connection].to_port == port;
            for (std::uint32_t channel = 0; channel < input_width(entry, port); ++channel)
                layout_.view_channels.push_back(is_connected ? source_of(request_.connections[connection], channel)
                                                             : Channel{kNone, 0});
            connection += is_connected ? 1U : 0U;
        }
        for (std::uint32_t port = 0; port < entry.output_count; ++port) {
            layout_.first_view_channel[layout_.signal(node, port)] = next;
            next += output_width(entry, port);
        }
    }

    /// A mono signal feeds all channels.
    [[nodiscard]] Channel source_of(const CompileRequest::Connection& connection, std::uint32_t channel) const {
        const std::uint32_t width = output_width(request_.nodes[connection.from_node], connection.from_port);
        return layout_.origin({layout_.signal(connection.from_node, connection.from_port), width == 1 ? 0 : channel});
    }

    /// Finds the last segment in which each signal is read, also through views.
    void find_last_readers() {
        last_reader_.assign(layout_.first_signal.back(), 0);
        for (const PlanLayout::Link& link : layout_.links) {
            const std::uint32_t signal = layout_.signal(link.from_node, link.from_port);
            const std::uint32_t reader = layout_.segment_of[link.to_node];
            if (!layout_.nodes[link.from_node].is_view) {
                last_reader_[signal] = std::max(last_reader_[signal], reader);
                continue;
            }
            const std::uint32_t width = output_width(request_.nodes[link.from_node], link.from_port);
            for (std::uint32_t channel = 0; channel < width; ++channel) {
                const Channel source = layout_.origin({signal, channel});
                if (source.signal != kNone) last_reader_[source.signal] = std::max(last_reader_[source.signal], reader);
            }
        }
    }

    /// Finds the buffers that signals had before. Nodes are sorted by id.
    void find_kept(const PlanLayout& previous) {
        kept_.assign(layout_.first_signal.back(), {});
        auto old = previous.nodes.begin();
        for (std::uint32_t node = 0; node < layout_.nodes.size(); ++node) {
            while (old != previous.nodes.end() && old->id < layout_.nodes[node].id) ++old;
            if (old == previous.nodes.end()) return;
            if (old->instance != layout_.nodes[node].instance) continue;
            const auto old_node = static_cast<std::uint32_t>(old - previous.nodes.begin());
            for (std::uint32_t port = 0; port < request_.nodes[node].output_count; ++port) {
                const std::uint32_t first = previous.first_passed[previous.signal(old_node, port)];
                if (first == kNone) continue;
                kept_[layout_.signal(node, port)] =
                    std::span{previous.passed}.subspan(first, output_width(request_.nodes[node], port));
            }
        }
    }

    [[nodiscard]] std::span<const std::uint32_t> kept(std::uint32_t signal) const {
        return kept_.empty() ? std::span<const std::uint32_t>{} : kept_[signal];
    }

    void pass_signals() {
        layout_.first_passed.assign(layout_.first_signal.back(), kNone);
        layout_.passed.clear();
        buffers_.clear();
        for (const std::span<const std::uint32_t> numbers : kept_) {
            for (const std::uint32_t number : numbers) buffer(number).is_kept = true;
        }
        first_free_ = 0;
        most_live_ = 0;
        std::uint32_t live = 0;
        std::vector<std::vector<std::uint32_t>> ending(layout_.segment_count());  // numbers, by last segment
        for (std::uint32_t segment = 0; segment < layout_.segment_count(); ++segment) {
            for (const std::uint32_t node : layout_.segment(segment)) {
                for (std::uint32_t port = 0; port < request_.nodes[node].output_count; ++port) {
                    const std::uint32_t signal = layout_.signal(node, port);
                    if (last_reader_[signal] <= segment) continue;
                    pass(signal, output_width(request_.nodes[node], port), ending[last_reader_[signal]]);
                }
            }
            live += newly_passed_;
            newly_passed_ = 0;
            most_live_ = std::max(most_live_, live);
            live -= static_cast<std::uint32_t>(ending[segment].size());
            for (const std::uint32_t number : ending[segment]) {
                buffer(number).is_taken = false;
                first_free_ = std::min(first_free_, number - kFirstPassed);
            }
        }
        layout_.passed_count = static_cast<std::uint32_t>(buffers_.size());
    }

    void pass(std::uint32_t signal, std::uint32_t width, std::vector<std::uint32_t>& ending) {
        layout_.first_passed[signal] = static_cast<std::uint32_t>(layout_.passed.size());
        for (std::uint32_t channel = 0; channel < width; ++channel) {
            const auto numbers = kept(signal);
            const bool keeps = !numbers.empty() && !buffer(numbers[channel]).is_taken;
            const std::uint32_t number = keeps ? numbers[channel] : free_buffer();
            buffer(number).is_taken = true;
            layout_.passed.push_back(number);
            ending.push_back(number);
            ++newly_passed_;
        }
    }

    /// Returns a buffer that is free and that no signal keeps: otherwise that signal, and then others, would move.
    [[nodiscard]] std::uint32_t free_buffer() {
        while (first_free_ < buffers_.size() && (buffers_[first_free_].is_taken || buffers_[first_free_].is_kept))
            ++first_free_;
        return kFirstPassed + first_free_;
    }

    struct Buffer {
        bool is_taken = false;
        bool is_kept = false;
    };
    [[nodiscard]] Buffer& buffer(std::uint32_t number) {
        const std::size_t index = number - kFirstPassed;
        if (index >= buffers_.size()) buffers_.resize(index + 1);
        return buffers_[index];
    }

    const CompileRequest& request_;
    std::span<const std::uint32_t> first_connection_;
    PlanLayout& layout_;
    std::vector<std::uint32_t> last_reader_;            ///< segment, for each signal
    std::vector<std::span<const std::uint32_t>> kept_;  ///< numbers, for each signal; empty: none
    std::vector<Buffer> buffers_;
    std::uint32_t first_free_ = 0;    ///< no buffer before it is free, except kept ones
    std::uint32_t newly_passed_ = 0;  ///< buffers, in the segment
    std::uint32_t most_live_ = 0;     ///< buffers in use at the same time
};

}  // namespace

void PlanLayout::append_buffers(std::uint32_t signal, std::uint32_t width, std::vector<std::uint32_t>& numbers) const {
    for (std::uint32_t channel = 0; channel < width; ++channel) {
        const Channel source = origin({signal, channel});
        numbers.push_back(source.signal == kNone ? kSilence : passed_buffer(source));
    }
}

std::expected<std::shared_ptr<const PlanLayout>, Cycle> PlanLayout::of(const CompileRequest& request,
                                                                       std::span<const std::uint32_t> first_connection,
                                                                       const std::vector<bool>& views,
                                                                       std::shared_ptr<const PlanLayout> previous) {
    auto layout = std::make_shared<PlanLayout>();
    layout->segment_nodes = request.segment_nodes != 0 ? request.segment_nodes : kSegmentNodes;
    layout->nodes.reserve(request.nodes.size());
    for (std::size_t i = 0; i < request.nodes.size(); ++i)
        layout->nodes.push_back({request.nodes[i].id, request.nodes[i].instance, !views.empty() && views[i]});
    layout->links.reserve(request.connections.size());
    for (const CompileRequest::Connection& connection : request.connections)
        layout->links.push_back({connection.from_node, connection.from_port, connection.to_node});
    if (previous != nullptr && previous->segment_nodes == layout->segment_nodes && previous->nodes == layout->nodes &&
        previous->links == layout->links)
        return previous;

    std::vector<Arc> arcs;
    arcs.reserve(layout->links.size());
    for (const Link& link : layout->links) arcs.push_back({link.from_node, link.to_node});
    auto order = topological_order(static_cast<std::uint32_t>(request.nodes.size()), arcs);
    if (!order) return std::unexpected(std::move(order.error()));
    layout->order = *std::move(order);
    LayoutBuilder{request, first_connection, *layout}.build(previous.get());
    return layout;
}

}  // namespace rta
