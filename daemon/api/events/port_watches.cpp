// SPDX-License-Identifier: MIT
#include "api/events/port_watches.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "api/events/channel_levels.h"
#include "engine/renderer.h"
#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

/// As in telemetry.cpp: taps hold 250 ms, and levels come in quanta of frames.
constexpr std::chrono::microseconds kLongestPoll{50'000};
constexpr std::chrono::microseconds kShortestPoll{2'000};

/// Returns each port once, in the order in which it is listed first.
std::vector<PortWatches::Watch> merged(std::span<const PortWatches::Watch> watches) {
    std::vector<PortWatches::Watch> result;
    std::map<std::string_view, std::size_t> places;
    for (const PortWatches::Watch& watch : watches) {
        const auto [place, added] = places.try_emplace(watch.port, result.size());
        if (added) {
            result.push_back(watch);
        } else {
            result[place->second].spectrum |= watch.spectrum;
        }
    }
    return result;
}

/// Returns a serialised v1::Event of which `ports` are the serialised elements of PortLevels.ports.
std::string event_of(std::uint64_t frame, std::uint64_t frame_count, const std::string& ports) {
    v1::PortLevels head;
    head.set_frame(frame);
    head.set_frame_count(static_cast<std::uint32_t>(frame_count));
    std::string event;
    constexpr std::size_t kLengthDelimited = 2;
    append_frame_length(event, std::size_t{v1::Event::kPortLevelsFieldNumber} << 3U | kLengthDelimited);  // a varint
    append_frame_length(event, head.ByteSizeLong() + ports.size());
    head.AppendToString(&event);
    event += ports;
    return event;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Subscriptions

/// Checks what all clients would watch if the member, which may be null, watched these ports instead.
Expected<void> PortWatches::check(const std::vector<Watch>& watches, const Member* member) const {
    const std::size_t left = member == nullptr ? 0 : member->view->first.size();
    if (const std::size_t all = watches_ - left + watches.size(); all > limits_.watches)
        return std::unexpected(
            too_much_watched("have " + std::to_string(all) + " watches", limits_.watches, "max-watches"));

    struct Wanted {
        bool spectrum;
        std::size_t width;
    };
    std::map<std::string_view, Wanted> ports;
    for (const auto& [name, port] : ports_)
        ports.emplace(name, Wanted{.spectrum = port.views_of_spectra != 0, .width = port.measured.width()});
    if (member != nullptr && member->view->second.subscribers.size() == 1) {  // the view will be gone
        for (const auto& [reading, spectrum] : member->view->second.watched) {
            const Port& port = *reading->port;
            if (port.views == 1) ports.erase(port.name);
            if (port.views > 1) ports.at(port.name).spectrum = port.views_of_spectra > (spectrum ? 1U : 0U);
        }
    }
    for (const Watch& watch : watches) {
        const auto port = find_watched_port(engine_.graph(), watch.port);
        if (!port) return std::unexpected(port.error());
        const auto [entry, added] = ports.try_emplace(watch.port, Wanted{.spectrum = false, .width = 0});
        entry->second.spectrum |= watch.spectrum;
        if (*port) entry->second.width = width_of(engine_.graph(), **port);
    }
    std::size_t channels = 0;
    std::size_t spectra = 0;
    for (const auto& [name, wanted] : ports) {
        const std::size_t width = std::max<std::size_t>(wanted.width, 1);
        channels += width;
        spectra += wanted.spectrum ? width : 0;
    }
    if (ports.size() > limits_.watched_ports) {
        return std::unexpected(too_much_watched("watch " + std::to_string(ports.size()) + " ports",
                                                limits_.watched_ports, "max-watched-ports"));
    }
    if (channels > limits_.watched_channels) {
        return std::unexpected(too_much_watched("watch " + std::to_string(channels) + " channels",
                                                limits_.watched_channels, "max-watched-channels"));
    }
    if (spectra > kMaximumSpectra) {
        return std::unexpected(
            too_much_watched("watch the spectra of " + std::to_string(spectra) + " channels", kMaximumSpectra));
    }
    return {};
}

Expected<void> PortWatches::subscribe(Telemetry::Subscriber& subscriber, std::span<const Watch> watches,
                                      float rate_hz) {
    if (watches.size() > kMaximumOfClient) {
        return fail(ErrorCode::invalid_argument, "watches has " + std::to_string(watches.size()) +
                                                     " elements: expected at most " + std::to_string(kMaximumOfClient));
    }
    std::vector<Watch> wanted = merged(watches);
    const auto known = members_.find(&subscriber);
    if (auto good = check(wanted, known == members_.end() ? nullptr : &known->second); !good) return good;
    if (members_.empty()) frame_ = measured_frame(engine_);
    withdraw(subscriber);
    // Its view is removed last: ports that it watches before and after continue to be measured.
    struct AtEnd {
        ~AtEnd() { watches.remove_unused(); }
        PortWatches& watches;
    };
    {
        const AtEnd at_end{*this};
        if (!wanted.empty()) enter(subscriber, std::move(wanted), rate_hz);
    }
    resolve_if_changed();
    return {};
}

void PortWatches::unsubscribe(Telemetry::Subscriber& subscriber) {
    if (!members_.contains(&subscriber)) return;
    withdraw(subscriber);
    remove_unused();
    resolve_if_changed();
}

/// The client gets no more events. Its view may be left without subscribers.
void PortWatches::withdraw(Telemetry::Subscriber& subscriber) {
    const auto node = members_.extract(&subscriber);
    if (node.empty()) return;
    const auto& [rate, view] = node.mapped();
    watches_ -= view->first.size();
    std::erase(view->second.subscribers, &subscriber);
    std::erase(rate->second.report.recipients_left, &subscriber);
}

void PortWatches::enter(Telemetry::Subscriber& subscriber, std::vector<Watch> watches, float rate_hz) {
    const float nearest = nearest_rate(rates_, rate_hz, limits_.telemetry_rates);
    const double interval = engine_.config().sample_rate_hz / static_cast<double>(nearest);
    Rate fresh{.interval_frames = interval, .due = static_cast<double>(engine_.renderer().frames()) + interval};
    const auto rate = rates_.try_emplace(nearest, std::move(fresh)).first;
    const auto [view, added] = rate->second.views.try_emplace(std::move(watches));
    if (added) fill(rate->second, view->first, view->second);
    // With room for it, push_back() does not throw: the client is in both places, or in neither.
    Subscribers& all = view->second.subscribers;
    if (all.size() == all.capacity()) all.reserve(2 * all.size() + 1);
    members_.emplace(&subscriber, Member{.rate = rate, .view = view});
    all.push_back(&subscriber);
    watches_ += view->first.size();
}

void PortWatches::fill(Rate& rate, const std::vector<Watch>& watches, View& view) {
    changed_ = true;
    view.watched.reserve(watches.size());
    for (const Watch& watch : watches) {
        const auto port = ports_.try_emplace(watch.port).first;
        port->second.name = port->first;
        Reading& reading = rate.readings.try_emplace(port->second.name, Reading{.port = &port->second}).first->second;
        view.watched.push_back({&reading, watch.spectrum});
        ++reading.views;
        ++port->second.views;
        port->second.views_of_spectra += watch.spectrum ? 1U : 0U;
    }
}

/// Removes the views that no client has, and what only they have watched.
void PortWatches::remove_unused() {
    const auto unused = [](const auto& entry) { return entry.second.views == 0; };
    for (auto& [rate_hz, rate] : rates_) {
        std::erase_if(rate.views, [&](const auto& entry) {
            if (!entry.second.subscribers.empty()) return false;
            forget(rate, entry.second);
            return true;
        });
        std::erase_if(rate.readings, unused);
    }
    std::erase_if(rates_, [](const auto& entry) { return entry.second.views.empty(); });
    std::erase_if(ports_, unused);
}

void PortWatches::forget(Rate& rate, const View& view) {
    changed_ = true;
    if (std::vector<View*>& left = rate.report.left; !left.empty() && left.back() == &view) {
        end_view(rate.report);
    } else {
        std::erase(left, &view);
    }
    for (const auto& [reading, spectrum] : view.watched) {
        --reading->views;
        --reading->port->views;
        reading->port->views_of_spectra -= spectrum ? 1U : 0U;
    }
}

void PortWatches::resolve() {
    changed_ = true;  // after an exception, they are looked up again
    WatchedPortLookup lookup{engine_, limits_.watched_channels};
    for (auto& [name, port] : ports_) lookup.add(name, port.views_of_spectra != 0, port.measured);
    lookup.end();
    resolved_revision_ = engine_.revision();
    changed_ = false;
}

void PortWatches::resolve_if_changed() {
    if (changed_) resolve();
}

bool PortWatches::outdated() const {
    return engine_.revision() != resolved_revision_ || std::ranges::any_of(ports_, [&](const auto& entry) {
               return entry.second.measured.is_gone(engine_.graph());
           });
}

// ---------------------------------------------------------------------------------------------------------------------
// Events

void PortWatches::poll(const std::function<bool()>& over) {
    if (members_.empty()) return;
    collect();
    for (auto& [rate_hz, rate] : rates_) {
        const bool due = static_cast<double>(frame_) >= rate.due && rate.frame_count != 0;
        if (due && rate.report.left.empty()) begin_report(rate);
    }
    // One step of each rate in turn: long lists do not delay the events of other rates.
    for (bool working = true; working;) {
        working = false;
        for (auto& [rate_hz, rate] : rates_) working = continue_report(rate) || working;
        if (over()) return;
    }
}

/// Takes what has been measured. `limits_.watched_channels` bounds the time.
void PortWatches::collect() {
    const std::uint64_t measured = measured_frame(engine_);
    const std::uint64_t frames = measured - std::exchange(frame_, measured);
    if (frames == 0) return;
    for (auto& [name, port] : ports_) {
        port.taken.clear();
        port.measured.take_levels(frame_, port.taken);
    }
    for (auto& [rate_hz, rate] : rates_) {
        rate.frame_count += frames;
        for (auto& [name, reading] : rate.readings) add_channels(reading.port->taken, reading.sum);
    }
    if (outdated()) resolve();
}

void PortWatches::begin_report(Rate& rate) const {
    rate.report = {.frame = frame_, .frame_count = std::exchange(rate.frame_count, 0)};
    for (auto& [name, reading] : rate.readings) {
        const bool measured = any_measured(reading.sum);
        reading.reported = std::exchange(reading.sum, {});
        // The width may be that of an earlier node.
        reading.reported.resize(measured ? reading.port->measured.width() : 0);
        reading.encoded = {};
    }
    for (auto& [watches, view] : rate.views | std::views::reverse) rate.report.left.push_back(&view);
    rate.due = next_due(rate.due, static_cast<double>(frame_), rate.interval_frames);
}

/// Does one step. Returns whether another one may be left.
bool PortWatches::continue_report(Rate& rate) {
    Report& report = rate.report;
    if (report.left.empty()) return false;
    const View& view = *report.left.back();
    if (report.encoded < view.watched.size()) {
        const Watched& next = view.watched[report.encoded];
        if (!encode(next)) return true;
        report.ports += next.reading->encoded[next.spectrum ? 1 : 0];
        ++report.encoded;
        return true;
    }
    if (report.event == nullptr) {
        report.recipients_left = view.subscribers;
        report.event = std::make_shared<const std::string>(event_of(report.frame, report.frame_count, report.ports));
    }
    for (std::size_t i = 0; i < kDeliveredInStep && !report.recipients_left.empty(); ++i) {
        report.recipients_left.back()->deliver_telemetry(report.event);
        report.recipients_left.pop_back();
    }
    if (report.recipients_left.empty()) end_view(report);
    return true;
}

/// Continues with the next view.
void PortWatches::end_view(Report& report) {
    report.left.pop_back();
    report.encoded = 0;
    report.ports = {};
    report.event = {};
    report.recipients_left = {};
}

/// Encodes the port unless another view has it in the same event. Returns false if its spectra need another step.
bool PortWatches::encode(const Watched& watched) {
    Reading& reading = *watched.reading;
    std::string& encoded = reading.encoded[watched.spectrum ? 1 : 0];
    if (!encoded.empty() || reading.reported.empty()) return true;
    WatchedPort& measured = reading.port->measured;
    if (watched.spectrum) {
        measured.compute_spectrum(frame_, engine_.config().sample_rate_hz, analyzer_);
        if (measured.computes_spectra()) return false;
    }
    v1::PortLevels message;
    v1::PortLevel& level = *message.add_ports();
    level.set_port(std::string{reading.port->name});
    for (const MeasuredLevels::Channel& channel : reading.reported) write_channel(channel, *level.add_channels());
    if (watched.spectrum && !measured.spectra().empty() &&
        std::exchange(reading.spectra_frame, measured.spectra_frame()) != measured.spectra_frame()) {
        for (const std::vector<float>& magnitudes : measured.spectra()) {
            v1::Spectrum& spectrum = *level.add_spectra();
            spectrum.set_band_hz(static_cast<float>(engine_.config().sample_rate_hz / dsp::Spectrum::kFrames));
            spectrum.mutable_magnitudes_db()->Add(magnitudes.begin(), magnitudes.end());
        }
    }
    encoded = message.SerializeAsString();
    return true;
}

std::optional<std::chrono::microseconds> PortWatches::interval() const {
    if (members_.empty()) return std::nullopt;
    double due = rates_.begin()->second.due;
    for (const auto& [rate_hz, rate] : rates_) {
        if (!rate.report.left.empty()) return std::chrono::microseconds{0};
        due = std::min(due, rate.due);
    }
    const double left_s = (due - static_cast<double>(engine_.renderer().frames())) / engine_.config().sample_rate_hz;
    const std::chrono::microseconds left{static_cast<std::int64_t>(1e6 * std::max(left_s, 0.0))};
    return std::clamp(left, kShortestPoll, kLongestPoll);
}

}  // namespace rta::api
