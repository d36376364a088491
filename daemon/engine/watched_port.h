// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dsp/spectrum.h"
#include "engine/engine.h"
#include "engine/measurements.h"
#include "graph/port_tap.h"
#include "text/error.h"

/// What a daemon and a page have in common when they measure the signals at ports. [control]
namespace rta {

/// Channels of spectra, of all clients together. A port that does not exist yet counts as one channel.
inline constexpr std::size_t kMaximumSpectra = 64;

/// Returns the port, which may not exist yet. INVALID_ARGUMENT: not the name of a port; NOT_FOUND, FAILED_PRECONDITION: an
/// existing node has no such output.
[[nodiscard]] Expected<std::optional<PortRef>> find_watched_port(const AudioGraph& graph, std::string_view port);
[[nodiscard]] std::uint32_t width_of(const AudioGraph& graph, PortRef port);
/// `what` is what all clients together would do, such as "watch 300 ports"; `option` is that of the limit, if it has one.
[[nodiscard]] Error too_much_watched(const std::string& what, std::size_t limit, std::string_view option = {});

/// Returns the end of the last quantum of levels that all taps have sent, in frames.
[[nodiscard]] std::uint64_t measured_frame(const Engine& engine);
/// Returns when the event after the one at `frame` is due. After a delay, skipped events are not sent later.
[[nodiscard]] inline double next_due(double due, double frame, double interval_frames) {
    return std::max(due, frame - interval_frames) + interval_frames;
}

using ChannelLevels = std::vector<MeasuredLevels::Channel>;
/// Returns whether a channel has been measured: nothing yet would look like silence.
[[nodiscard]] bool any_measured(const ChannelLevels& channels);

/// What is measured at the port that has a name now.
class WatchedPort {
 public:
    using Spectra = std::vector<std::vector<float>>;  ///< of each channel, in dBFS

    /// 0 without a port of that name.
    [[nodiscard]] std::uint32_t width() const { return tap_ == nullptr ? 0 : tap_->channel_count(); }
    /// The engine replaces nodes that were faulty without a new revision.
    [[nodiscard]] bool is_gone(const AudioGraph& graph) const { return ref_ && graph.find(ref_->node) == nullptr; }

    /// Adds what was measured up to `frame` and has not been taken; `sum` gets as many channels as the port has.
    void take_levels(std::uint64_t frame, ChannelLevels& sum);

    /// Computes the spectrum of one channel, if it is time: those of all channels 25 times in a second. Returns whether it
    /// did; `analyzer` is created when it is needed.
    bool compute_spectrum(std::uint64_t frame, double sample_rate_hz, std::optional<dsp::Spectrum>& analyzer);
    /// Returns whether those of other channels are left.
    [[nodiscard]] bool computes_spectra() const { return !next_spectra_.empty(); }
    /// The latest of all channels; empty: none yet.
    [[nodiscard]] const Spectra& spectra() const { return spectra_; }
    /// At which they were computed.
    [[nodiscard]] std::uint64_t spectra_frame() const { return spectra_frame_; }

 private:
    friend class WatchedPortLookup;

    std::optional<PortRef> ref_{};    ///< nullopt: no port has this name, or it has too many channels
    std::shared_ptr<PortTap> tap_{};  ///< null: the same
    std::optional<LevelRecord> held_{};
    Spectra spectra_{};
    std::uint64_t spectra_frame_ = 0;
    Spectra next_spectra_{};  ///< of the channels for which they have been computed
};

/// Looks the names of all watched ports up, and lets the engine measure what they refer to.
class WatchedPortLookup {
 public:
    /// Ports beyond the limits, in channels, are not measured: the graph may have got more channels since they were checked.
    WatchedPortLookup(Engine& engine, std::size_t most_channels) : engine_{engine}, most_channels_{most_channels} {}

    /// A port that is measured already stays so. Returns false if what was measured of it has ended.
    bool add(std::string_view name, bool with_spectra, WatchedPort& port);
    void end() { engine_.watch_ports(std::move(tapped_)); }

 private:
    Engine& engine_;
    std::size_t most_channels_;
    std::size_t channels_ = 0;
    std::size_t spectra_ = 0;
    std::vector<TappedPort> tapped_{};
};

}  // namespace rta
