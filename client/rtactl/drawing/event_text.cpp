// SPDX-License-Identifier: MIT
#include "rtactl/drawing/event_text.h"

#include <algorithm>

#include "rtactl/drawing/edit_text.h"
#include "rtactl/drawing/wording.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

/// Limits the length of a line.
constexpr int kEditsShown = 8;

std::string describe_all(const auto& edits) {
    std::string text;
    const int shown = std::min(edits.size(), kEditsShown);
    for (int i = 0; i < shown; ++i) text.append(i == 0 ? "" : "; ").append(describe(edits.Get(i)));
    if (shown < edits.size()) text += "; and " + std::to_string(edits.size() - shown) + " more";
    return text.empty() ? "no change" : text;
}

std::string level_list(const google::protobuf::RepeatedPtrField<v1::ChannelLevel>& channels) {
    std::string peaks;
    std::string means;
    for (const v1::ChannelLevel& channel : channels) {
        peaks.append(" ").append(level_text(channel.peak_db()));
        means.append(" ").append(level_text(channel.rms_db()));
    }
    return " peak" + peaks + ", rms" + means + " dB";
}

std::string levels_text(const v1::Levels& levels) {
    std::string text = "levels up to frame " + std::to_string(levels.frame()) + ": ";
    if (levels.outputs_size() > 0) text += "(device)" + level_list(levels.outputs());
    bool first = levels.outputs_size() == 0;
    for (const v1::MeterLevels& meter : levels.meters()) {
        text.append(first ? "" : "; ").append(meter.node());
        if (meter.has_gain_reduction()) text.append(" ").append(reduction_text(meter.gain_reduction()));
        if (meter.channels_size() > 0) text.append(level_list(meter.channels()));
        if (meter.has_loudness()) text.append(", ").append(loudness_text(meter));
        first = false;
    }
    return first ? text + "none" : text;
}

/// ", strongest 445.3 Hz -20.1 dB" for each channel; empty without spectra.
std::string strongest_text(const v1::PortLevel& port) {
    std::string text;
    for (const v1::Spectrum& spectrum : port.spectra()) {
        const auto& magnitudes = spectrum.magnitudes_db();
        const auto strongest = std::ranges::max_element(magnitudes);
        if (strongest == magnitudes.end()) continue;
        const float frequency_hz = spectrum.band_hz() * static_cast<float>(strongest - magnitudes.begin());
        text += ", strongest " + format_value(frequency_hz, "Hz") + " " + level_text(*strongest) + " dB";
    }
    return text;
}

std::string port_levels_text(const v1::PortLevels& levels) {
    std::string text = "ports up to frame " + std::to_string(levels.frame()) + ":";
    for (const v1::PortLevel& port : levels.ports())
        text += (text.ends_with(':') ? " " : "; ") + port.port() + level_list(port.channels()) + strongest_text(port);
    return levels.ports().empty() ? text + " none" : text;
}

std::string node_loads_text(const v1::NodeLoads& loads) {
    constexpr int kShown = 5;
    std::string text;
    for (int i = 0; i < std::min(loads.nodes_size(), kShown); ++i) {
        const v1::NodeLoad& load = loads.nodes(i);
        text.append(i == 0 ? "" : ", ").append(load.node()).append(" ").append(node_share_text(load.share()));
    }
    if (text.empty()) text = "nothing was measured";
    return text + " (of " + counted(loads.node_count(), "node") + ")";
}

/// Reports telemetry that the daemon dropped because this client read too slowly.
std::string dropped_text(const v1::Event& event) {
    if (event.telemetry_dropped() == 0) return "";
    return " (" + std::to_string(event.telemetry_dropped()) + " events dropped so far: read too slowly)";
}

/// ` by desk ("rtactl")`: the author, and what the client calls itself.
std::string made_by(const auto& change) {
    const std::string name = change.client_name().empty() ? "" : quoted(change.client_name());
    if (change.author().empty()) return name.empty() ? "" : " by " + name;
    return " by " + change.author() + (name.empty() ? "" : " (" + name + ")");
}

/// `scheduled edit 3 by desk ("rtactl") waits for frame 480000: set vol.gain_db`
std::string pending_text(const v1::PendingChanged& changed) {
    const v1::PendingEdit& edit = changed.edit();
    const std::string frame = "frame " + std::to_string(edit.frame());
    std::string text = "scheduled edit " + std::to_string(edit.id()) + made_by(edit);
    switch (changed.what()) {
        case v1::PendingChanged::ADDED:
            text += " waits for " + frame;
            break;
        case v1::PendingChanged::CANCELLED:
            text += " was cancelled";
            break;
        case v1::PendingChanged::COMMITTED:
            text += " took effect on time, " + frame;
            break;
        case v1::PendingChanged::LATE:
            text += " took effect " + std::to_string(changed.late_frames()) + " frames after " + frame;
            break;
        case v1::PendingChanged::FAILED:
            text += " no longer applies (" + changed.error().message() + ")";
            break;
        default:
            text += " has changed in a way unknown to this version of rtactl";
    }
    return text + ": " + edit.summary();
}

/// `the edit by desk ("rtactl"), add osc, waits for its confirmation: it is reverted in 30 s`
std::string confirmation_text(const v1::ConfirmationChanged& changed) {
    const v1::OpenConfirmation& edit = changed.confirmation();
    std::string text = "the edit" + made_by(edit);
    if (!edit.summary().empty()) text += ", " + edit.summary() + ",";
    const std::string by = changed.author().empty() ? "" : " by " + changed.author();
    switch (changed.what()) {
        case v1::ConfirmationChanged::OPENED:
            return text + " waits for its confirmation: it is reverted in " + left_text(edit);
        case v1::ConfirmationChanged::CONFIRMED:
            return text + " was confirmed" + by;
        case v1::ConfirmationChanged::REVERTED:
            return text + (by.empty() ? " was not confirmed in time and is reverted" : " was reverted" + by);
        case v1::ConfirmationChanged::FAILED:
            return text + " stays, because it cannot be reverted (" + changed.error().message() + ")";
        default:
            return text + " has changed in a way unknown to this version of rtactl";
    }
}

/// `scene night was recalled by desk ("rtactl"), revision 7`
std::string scene_text(const v1::SceneChanged& changed) {
    std::string text = "scene " + (changed.old_name().empty() ? changed.scene().name() : changed.old_name());
    switch (changed.what()) {
        case v1::SceneChanged::SAVED:
            return text + " was saved" + made_by(changed) + ", with " + counted(changed.scene().node_count(), "node");
        case v1::SceneChanged::RECALLED:
            return text + " was recalled" + made_by(changed) + ", revision " + std::to_string(changed.revision());
        case v1::SceneChanged::RENAMED:
            return text + " was renamed to " + changed.scene().name() + made_by(changed);
        case v1::SceneChanged::REMOVED:
            return text + " was removed" + made_by(changed);
        default:
            return text + " has changed in a way unknown to this version of rtactl";
    }
}

}  // namespace

std::string describe(const v1::Event& event) {
    const std::string number = std::to_string(event.number()) + ": ";
    switch (event.event_case()) {
        case v1::Event::kGraphChanged:
            return number + "revision " + std::to_string(event.graph_changed().revision()) +
                   made_by(event.graph_changed()) + ": " + describe_all(event.graph_changed().edits());
        case v1::Event::kParametersChanged:
            return number + "parameters" + made_by(event.parameters_changed()) + ": " +
                   describe_all(event.parameters_changed().changes());
        case v1::Event::kTransactionHeard:
            return number + "revision " + std::to_string(event.transaction_heard().revision()) +
                   " takes effect at frame " + std::to_string(event.transaction_heard().frame());
        case v1::Event::kDeviceChanged:
            return number + "device: " + device_text(event.device_changed().device());
        case v1::Event::kNodeFaulted:
            return number + "node " + event.node_faulted().node() + " produced NaN or infinity at frame " +
                   std::to_string(event.node_faulted().frame()) + "; it is silent until it has been rebuilt";
        case v1::Event::kOutputMuted:
            return number + "the device output was " + (event.output_muted().muted() ? "muted" : "unmuted") +
                   made_by(event.output_muted());
        case v1::Event::kOutputVolumeChanged:
            return number + "the volume of the device output was set to " +
                   format_value(event.output_volume_changed().volume_db(), "dB") +
                   made_by(event.output_volume_changed());
        case v1::Event::kPanicked:
            return number + "panic" + made_by(event.panicked()) + ": all processors reset at frame " +
                   std::to_string(event.panicked().frame());
        case v1::Event::kPendingChanged:
            return number + pending_text(event.pending_changed());
        case v1::Event::kSceneChanged:
            return number + scene_text(event.scene_changed());
        case v1::Event::kLevels:
            return levels_text(event.levels()) + dropped_text(event);
        case v1::Event::kPortLevels:
            return port_levels_text(event.port_levels()) + dropped_text(event);
        case v1::Event::kLoad:
            return "load up to frame " + std::to_string(event.load().frame()) + ": " + load_text(event.load()) +
                   dropped_text(event);
        case v1::Event::kXruns:
            return "dropouts up to frame " + std::to_string(event.xruns().frame()) + ": " +
                   describe(event.xruns().counts()) + dropped_text(event);
        case v1::Event::kNodeLoads:
            return "node loads up to frame " + std::to_string(event.node_loads().frame()) + ": " +
                   node_loads_text(event.node_loads()) + dropped_text(event);
        case v1::Event::kConfirmationChanged:
            return number + confirmation_text(event.confirmation_changed());
        case v1::Event::EVENT_NOT_SET:
            break;
    }
    return number + "an event unknown to this version of rtactl";
}

Style style_of(const v1::Event& event) {
    const bool lost_device = event.has_device_changed() && !event.device_changed().device().fallback_reason().empty();
    if (event.has_node_faulted()) return Style::error;
    const v1::PendingChanged::What pending = event.pending_changed().what();
    if (pending == v1::PendingChanged::FAILED) return Style::error;
    if (pending == v1::PendingChanged::LATE) return Style::warning;
    if (event.confirmation_changed().what() == v1::ConfirmationChanged::FAILED) return Style::error;
    if (event.confirmation_changed().what() == v1::ConfirmationChanged::REVERTED) return Style::warning;
    const bool dropouts = event.has_xruns() && describe(event.xruns().counts()) != describe(v1::XrunCounts{});
    if (dropouts || lost_device || event.telemetry_dropped() > 0) return Style::warning;
    return Style::plain;
}

}  // namespace rta::rtactl
