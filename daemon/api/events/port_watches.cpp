// SPDX-License-Identifier: MIT
#include "api/events/port_watches.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "api/events/channel_levels.h"
#include "engine/renderer.h"
#include "graph/port_text.h"
#include "text/quoting.h"

namespace rta::api {
namespace {

/// As in telemetry.cpp: taps hold 250 ms, and levels come in quanta of frames.
constexpr std::chrono::microseconds kLongestPoll{50'000};
constexpr std::chrono::microseconds kShortestPoll{2'000};

void add_record(const LevelRecord& record, std::vector<MeasuredLevels::Channel>& channels) {
    MeasuredLevels::Channel& channel = channels[record.channel];
    channel.peak = std::max(channel.peak, record.peak);
    channel.sum_of_squares += record.sum_of_squares;
    channel.frame_count += record.channel_frame_count;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Subscriptions

Expected<void> PortWatches::check_port(const std::string& port) const {
    if (const auto found = engine_.graph().resolve_output(port)) return {};
    const auto [node, name] = split_port(port);
    if (engine_.graph().find(node) != nullptr) return std::unexpected(engine_.graph().resolve_output(port).error());
    constexpr std::size_t kLongest = 256;
    if (is_node_name(node) && port.size() <= kLongest) return {};
    return fail(ErrorCode::invalid_argument, "invalid port " + quoted(std::string_view{port}.substr(0, kLongest)) +
                                                 ": expected NODE:PORT, or NODE for its only output");
}

Expected<void> PortWatches::check(std::span<const Watch> watches, const Telemetry::Subscriber& subscriber) const {
    if (watches.size() > kMaximumOfClient) {
        return fail(ErrorCode::invalid_argument, "watches has " + std::to_string(watches.size()) +
                                                     " elements: expected at most " + std::to_string(kMaximumOfClient));
    }
    std::set<std::string> names;
    std::set<std::string> spectra;
    for (const Watch& watch : watches) {
        if (auto good = check_port(watch.port); !good) return good;
        names.insert(watch.port);
        if (watch.spectrum) spectra.insert(watch.port);
    }
    for (const Client& client : clients_) {
        if (client.subscriber == &subscriber) continue;
        for (const Watched& watched : client.watched) {
            names.insert(watched.port->name);
            if (watched.spectrum) spectra.insert(watched.port->name);
        }
    }
    if (names.size() > maximum_ports_) {
        return fail(ErrorCode::resource_exhausted, "all clients together would watch " + std::to_string(names.size()) +
                                                       " ports; the limit is " + std::to_string(maximum_ports_) +
                                                       " (--max-watched-ports)");
    }
    std::size_t channels = 0;
    for (const std::string& name : spectra) {
        if (const auto port = engine_.graph().resolve_output(name)) channels += width_of(*port);
    }
    if (channels <= kMaximumSpectra) return {};
    return fail(ErrorCode::resource_exhausted, "all clients together would watch the spectra of " +
                                                   std::to_string(channels) + " channels; the limit is " +
                                                   std::to_string(kMaximumSpectra));
}

Expected<void> PortWatches::subscribe(Telemetry::Subscriber& subscriber, std::span<const Watch> watches,
                                      float rate_hz) {
    if (auto good = check(watches, subscriber); !good) return good;
    if (clients_.empty()) frame_ = measured_frame();
    const double interval = engine_.config().sample_rate_hz / static_cast<double>(rate_hz);
    Client client{.subscriber = &subscriber,
                  .interval_frames = interval,
                  .due = static_cast<double>(engine_.renderer().frames()) + interval};
    for (const Watch& watch : watches)
        client.watched.push_back({.port = port_of(watch.port), .spectrum = watch.spectrum});
    const bool had = std::erase_if(clients_, [&](const Client& other) { return other.subscriber == &subscriber; }) != 0;
    if (!watches.empty()) clients_.push_back(std::move(client));
    if (had || !watches.empty()) resolve();
    return {};
}

void PortWatches::unsubscribe(Telemetry::Subscriber& subscriber) {
    if (std::erase_if(clients_, [&](const Client& client) { return client.subscriber == &subscriber; }) != 0) resolve();
}

std::shared_ptr<PortWatches::Port> PortWatches::port_of(const std::string& name) {
    for (const auto& port : ports()) {
        if (port->name == name) return port;
    }
    return std::make_shared<Port>(Port{.name = name});
}

/// Each once.
std::vector<std::shared_ptr<PortWatches::Port>> PortWatches::ports() const {
    std::vector<std::shared_ptr<Port>> all;
    for (const Client& client : clients_) {
        for (const Watched& watched : client.watched) all.push_back(watched.port);
    }
    std::ranges::sort(all);
    const auto repeated = std::ranges::unique(all);
    all.erase(repeated.begin(), repeated.end());
    return all;
}

bool PortWatches::wants_spectrum(const Port& port) const {
    return std::ranges::any_of(clients_, [&](const Client& client) {
        return std::ranges::any_of(
            client.watched, [&](const Watched& watched) { return watched.spectrum && watched.port.get() == &port; });
    });
}

std::uint32_t PortWatches::width_of(PortRef port) const {
    return engine_.graph().find(port.node)->description->layout.outputs[port.port].width;
}

/// Looks the names up, and lets the engine measure what they refer to. A tap that already measures the port stays.
void PortWatches::resolve() {
    resolved_revision_ = engine_.revision();
    std::vector<WatchedPort> watched;
    std::size_t spectra = 0;
    for (const auto& port : ports()) {
        const auto found = engine_.graph().resolve_output(port->name);
        const std::optional<PortRef> ref = found ? std::optional{*found} : std::nullopt;
        const std::uint32_t width = ref ? width_of(*ref) : 0;
        const bool spectrum = ref && wants_spectrum(*port) && spectra + width <= kMaximumSpectra;
        spectra += spectrum ? width : 0;
        const bool stays = port->tap != nullptr && port->ref == ref && (port->tap->samples() != nullptr) == spectrum;
        if (!stays) {
            *port = {.name = port->name, .ref = ref};
            if (ref)
                port->tap = std::make_shared<PortTap>(width, engine_.config().sample_rate_hz,
                                                      engine_.config().block_size, spectrum);
        }
        if (ref) watched.push_back({*ref, port->tap});
    }
    engine_.watch_ports(std::move(watched));
}

/// The engine replaces nodes that were faulty without a new revision.
bool PortWatches::outdated() const {
    if (engine_.revision() != resolved_revision_) return true;
    return std::ranges::any_of(clients_, [&](const Client& client) {
        return std::ranges::any_of(client.watched, [&](const Watched& watched) {
            return watched.port->ref && engine_.graph().find(watched.port->ref->node) == nullptr;
        });
    });
}

// ---------------------------------------------------------------------------------------------------------------------
// Events

/// Returns the end of the last quantum of levels that all taps have sent.
std::uint64_t PortWatches::measured_frame() const {
    const std::uint64_t quantum = std::max(LevelTap::kMinimumQuantum, engine_.config().block_size);
    return engine_.renderer().frames() / quantum * quantum;
}

void PortWatches::poll() {
    if (clients_.empty()) return;
    const std::uint64_t measured = measured_frame();
    const std::uint64_t frames = measured - std::exchange(frame_, measured);
    for (const auto& port : ports()) {
        if (port->tap != nullptr) take_levels(*port);
    }
    for (Client& client : clients_) {
        client.frame_count += frames;
        for (Watched& watched : client.watched) add_channels(watched.port->taken, watched.sum);
    }
    if (outdated()) resolve();
    for (Client& client : clients_) {
        if (static_cast<double>(measured) < client.due || client.frame_count == 0) continue;
        send(client);
        // After a delay of the control thread, skipped events are not sent later.
        client.due =
            std::max(client.due, static_cast<double>(measured) - client.interval_frames) + client.interval_frames;
    }
}

/// Takes what was measured up to frame_.
void PortWatches::take_levels(Port& port) const {
    port.taken.assign(port.tap->channel_count(), {});
    while (const auto record = port.held ? std::exchange(port.held, {}) : port.tap->levels().take()) {
        if (record->end_frame > frame_) {
            port.held = record;
            return;
        }
        if (record->channel_count != 0) add_record(*record, port.taken);
    }
}

void PortWatches::send(Client& client) {
    v1::Event event;
    v1::PortLevels& message = *event.mutable_port_levels();
    message.set_frame(frame_);
    message.set_frame_count(static_cast<std::uint32_t>(std::exchange(client.frame_count, 0)));
    for (Watched& watched : client.watched) {
        Channels sum = std::exchange(watched.sum, {});
        if (watched.port->tap == nullptr) continue;
        sum.resize(watched.port->tap->channel_count());  // nothing has been measured yet, or of an earlier node
        v1::PortLevel& level = *message.add_ports();
        level.set_port(watched.port->name);
        for (const MeasuredLevels::Channel& channel : sum) write_channel(channel, *level.add_channels());
        if (watched.spectrum) write_spectra(watched, level);
    }
    deliver(event, std::array{client.subscriber});
}

void PortWatches::write_spectra(Watched& watched, v1::PortLevel& message) {
    Port& port = *watched.port;
    if (port.tap->samples() == nullptr) return;
    const double interval = engine_.config().sample_rate_hz / kSpectrumRateHz;
    if (static_cast<double>(frame_ - port.spectra_frame) >= interval || port.spectra.empty()) compute_spectra(port);
    if (port.spectra.empty() || watched.spectra_frame == port.spectra_frame) return;
    watched.spectra_frame = port.spectra_frame;
    for (const std::vector<float>& magnitudes : port.spectra) {
        v1::Spectrum& spectrum = *message.add_spectra();
        spectrum.set_band_hz(static_cast<float>(engine_.config().sample_rate_hz / dsp::Spectrum::kFrames));
        spectrum.mutable_magnitudes_db()->Add(magnitudes.begin(), magnitudes.end());
    }
}

void PortWatches::compute_spectra(Port& port) {
    if (!analyzer_) analyzer_.emplace();
    const SampleHistory& samples = *port.tap->samples();
    std::array<float, dsp::Spectrum::kFrames> latest{};
    std::vector<std::vector<float>> spectra;
    for (std::uint32_t channel = 0; channel < samples.channel_count(); ++channel) {
        if (samples.copy_latest(channel, latest) == 0) return;  // not enough yet: the next event has them
        std::vector<float>& magnitudes = spectra.emplace_back(dsp::Spectrum::kBands);
        analyzer_->magnitudes(latest, std::span<float, dsp::Spectrum::kBands>{magnitudes});
        for (float& magnitude : magnitudes) magnitude = decibels(static_cast<double>(magnitude));
    }
    port.spectra = std::move(spectra);
    port.spectra_frame = frame_;
}

std::optional<std::chrono::microseconds> PortWatches::interval() const {
    if (clients_.empty()) return std::nullopt;
    const double due = std::ranges::min_element(clients_, {}, &Client::due)->due;
    const double left_s = (due - static_cast<double>(engine_.renderer().frames())) / engine_.config().sample_rate_hz;
    const std::chrono::microseconds left{static_cast<std::int64_t>(1e6 * std::max(left_s, 0.0))};
    return std::clamp(left, kShortestPoll, kLongestPoll);
}

}  // namespace rta::api
