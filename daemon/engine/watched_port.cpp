// SPDX-License-Identifier: MIT
#include "engine/watched_port.h"

#include <array>
#include <span>
#include <utility>

#include "dsp/sample_history.h"
#include "engine/level_values.h"
#include "engine/renderer.h"
#include "graph/port_text.h"
#include "text/quoting.h"

namespace rta {

Expected<std::optional<PortRef>> find_watched_port(const AudioGraph& graph, std::string_view port) {
    const auto found = graph.resolve_output(port);
    if (found) return std::optional{*found};
    const auto [node, name] = split_port(port);
    if (graph.find(node) != nullptr) return std::unexpected(found.error());
    if (is_node_name(node) && (!name || is_node_name(*name))) return std::optional<PortRef>{};
    return fail(ErrorCode::invalid_argument,
                "invalid port " + quoted(port) + ": expected NODE:PORT, or NODE for its only output");
}

std::uint32_t width_of(const AudioGraph& graph, PortRef port) {
    return graph.find(port.node)->description->layout.outputs[port.port].width;
}

Error too_much_watched(const std::string& what, std::size_t limit, std::string_view option) {
    std::string sentence = "all clients together would " + what + "; the limit is " + std::to_string(limit);
    if (!option.empty()) sentence.append(" (--").append(option).append(")");
    return {ErrorCode::resource_exhausted, std::move(sentence), {}};
}

std::uint64_t measured_frame(const Engine& engine) {
    const std::uint64_t quantum = std::max(LevelTap::kMinimumQuantum, engine.config().block_size);
    return engine.renderer().frames() / quantum * quantum;
}

bool any_measured(const ChannelLevels& channels) {
    return std::ranges::any_of(channels,
                               [](const MeasuredLevels::Channel& channel) { return channel.frame_count != 0; });
}

void WatchedPort::take_levels(std::uint64_t frame, ChannelLevels& sum) {
    sum.resize(width());
    if (tap_ == nullptr) return;
    while (const auto record = held_ ? std::exchange(held_, {}) : tap_->levels().take()) {
        if (record->end_frame > frame) {
            held_ = record;
            return;
        }
        if (record->channel_count != 0) add_record(*record, sum);
    }
}

bool WatchedPort::compute_spectrum(std::uint64_t frame, double sample_rate_hz, std::optional<dsp::Spectrum>& analyzer) {
    constexpr double kRateHz = 25.0;
    if (tap_ == nullptr || tap_->samples() == nullptr) return false;
    const bool due = spectra_.empty() || static_cast<double>(frame - spectra_frame_) >= sample_rate_hz / kRateHz;
    if (!due && next_spectra_.empty()) return false;
    if (!analyzer) analyzer.emplace();
    const SampleHistory& samples = *tap_->samples();
    std::array<float, dsp::Spectrum::kFrames> latest{};
    if (samples.copy_latest(static_cast<std::uint32_t>(next_spectra_.size()), latest) == 0) {
        next_spectra_.clear();  // not enough yet
        return false;
    }
    std::vector<float>& magnitudes = next_spectra_.emplace_back(dsp::Spectrum::kBands);
    analyzer->magnitudes(latest, std::span<float, dsp::Spectrum::kBands>{magnitudes});
    for (float& magnitude : magnitudes) magnitude = level_db(static_cast<double>(magnitude));
    if (next_spectra_.size() < samples.channel_count()) return true;
    spectra_ = std::exchange(next_spectra_, {});
    spectra_frame_ = frame;
    return true;
}

bool WatchedPortLookup::add(std::string_view name, bool with_spectra, WatchedPort& port) {
    const auto found = engine_.graph().resolve_output(name);
    const std::uint32_t width = found ? width_of(engine_.graph(), *found) : 0;
    const bool fits = found && channels_ + width <= most_channels_;
    const bool spectra = fits && with_spectra && spectra_ + width <= kMaximumSpectra;
    channels_ += fits ? width : 0;
    spectra_ += spectra ? width : 0;
    const std::optional<PortRef> ref = fits ? std::optional{*found} : std::nullopt;
    const bool stays = port.tap_ != nullptr && port.ref_ == ref && (port.tap_->samples() != nullptr) == spectra;
    if (!stays) {
        port = {};
        port.ref_ = ref;
        if (ref) {
            port.tap_ =
                std::make_shared<PortTap>(width, engine_.config().sample_rate_hz, engine_.config().block_size, spectra);
        }
    }
    if (ref) tapped_.push_back({*ref, port.tap_});
    return stays;
}

}  // namespace rta
