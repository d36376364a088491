// SPDX-License-Identifier: MIT
#include "support/jack_client.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <stdexcept>

namespace rta::test {
namespace {

void check_connection(int result, const std::string& what, const std::string& from, const std::string& to) {
    if (result != 0) throw std::runtime_error("cannot " + what + " the JACK ports " + from + " and " + to);
}

jack_port_t* add_port(jack_client_t* client, const std::string& name, unsigned long flags) {
    jack_port_t* port = ::jack_port_register(client, name.c_str(), JACK_DEFAULT_AUDIO_TYPE, flags, 0);
    if (port == nullptr) throw std::runtime_error("cannot add the JACK port " + name);
    return port;
}

}  // namespace

JackClient::JackClient(const JackServer& server, const Options& options) : capacity_frames_{options.capacity_frames} {
    client_ = ::jack_client_open(options.name.c_str(), static_cast<jack_options_t>(JackNoStartServer | JackServerName),
                                 nullptr, server.name().c_str());
    if (client_ == nullptr) throw std::runtime_error("cannot open a client of the JACK server " + server.name());
    ::sem_init(&cycle_, 0, 0);
    for (std::uint32_t channel = 0; channel < options.inputs; ++channel) {
        inputs_.push_back(add_port(client_, "in_" + std::to_string(channel + 1), JackPortIsInput));
        recordings_.emplace_back(capacity_frames_);
    }
    for (std::uint32_t channel = 0; channel < options.outputs; ++channel) {
        outputs_.push_back(add_port(client_, "out_" + std::to_string(channel + 1), JackPortIsOutput));
        playbacks_.push_back(std::make_unique<Playback>());
    }
    ::jack_set_process_callback(
        client_,
        [](jack_nframes_t count, void* self) {
            static_cast<JackClient*>(self)->process(count);
            return 0;
        },
        this);
    ::jack_set_xrun_callback(
        client_,
        [](void* self) {
            static_cast<JackClient*>(self)->xruns_.fetch_add(1, std::memory_order_relaxed);
            return 0;
        },
        this);
    ::jack_on_shutdown(
        client_, [](void* self) { static_cast<JackClient*>(self)->shut_down_.store(true, std::memory_order_release); },
        this);
    if (::jack_activate(client_) != 0) throw std::runtime_error("cannot activate the JACK client " + options.name);
}

JackClient::~JackClient() {
    ::jack_client_close(client_);
    ::sem_destroy(&cycle_);
}

void JackClient::process(jack_nframes_t count) {
    const jack_nframes_t now = ::jack_last_frame_time(client_);
    if (started_ && now != expected_time_) {
        // Unsigned arithmetic: also correct when the 32-bit clock of the server wraps.
        lost_frames_.fetch_add(now - expected_time_, std::memory_order_relaxed);
    }
    started_ = true;
    expected_time_ = now + count;

    const std::size_t at = frames_.load(std::memory_order_relaxed);
    origin_.store(now - static_cast<jack_nframes_t>(at), std::memory_order_relaxed);
    const std::size_t room = at < capacity_frames_ ? std::min<std::size_t>(count, capacity_frames_ - at) : 0;
    for (std::size_t channel = 0; channel < inputs_.size(); ++channel) {
        const auto* samples = static_cast<const float*>(::jack_port_get_buffer(inputs_[channel], count));
        std::copy_n(samples, room, recordings_[channel].data() + (room == 0 ? 0 : at));
    }
    for (std::size_t channel = 0; channel < outputs_.size(); ++channel) {
        auto* samples = static_cast<float*>(::jack_port_get_buffer(outputs_[channel], count));
        std::fill_n(samples, count, 0.0F);
        const Playback& playback = *playbacks_[channel];
        if (!playback.ready.load(std::memory_order_acquire)) continue;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t frame = at + i;
            if (frame >= playback.start && frame - playback.start < playback.samples.size()) {
                samples[i] = playback.samples[frame - playback.start];
            }
        }
    }
    // release: a reader that sees the new count also sees the recorded samples.
    frames_.store(at + count, std::memory_order_release);
    ::sem_post(&cycle_);
}

std::vector<std::string> JackClient::ports(std::string_view part, unsigned long flags) const {
    std::vector<std::string> result;
    const char** names = ::jack_get_ports(client_, nullptr, JACK_DEFAULT_AUDIO_TYPE, flags);
    for (const char** name = names; name != nullptr && *name != nullptr; ++name) {
        if (std::string_view{*name}.find(part) != std::string_view::npos) result.emplace_back(*name);
    }
    if (names != nullptr) ::jack_free(names);
    return result;
}

std::vector<std::string> JackClient::output_ports(std::string_view part) const { return ports(part, JackPortIsOutput); }
std::vector<std::string> JackClient::input_ports(std::string_view part) const { return ports(part, JackPortIsInput); }

void JackClient::connect(const std::string& from, const std::string& to) {
    check_connection(::jack_connect(client_, from.c_str(), to.c_str()), "connect", from, to);
}

void JackClient::disconnect(const std::string& from, const std::string& to) {
    check_connection(::jack_disconnect(client_, from.c_str(), to.c_str()), "disconnect", from, to);
}

std::vector<std::string> JackClient::connections(const std::string& port) const {
    std::vector<std::string> result;
    const char** names = ::jack_port_get_all_connections(client_, ::jack_port_by_name(client_, port.c_str()));
    for (const char** name = names; name != nullptr && *name != nullptr; ++name) result.emplace_back(*name);
    if (names != nullptr) ::jack_free(names);
    return result;
}

void JackClient::wait_until_connected() {
    const auto is_connected = [](const jack_port_t* port) { return ::jack_port_connected(port) > 0; };
    const Deadline deadline;
    while (!std::ranges::all_of(inputs_, is_connected) || !std::ranges::all_of(outputs_, is_connected)) {
        if (deadline.passed() || shut_down())
            throw std::runtime_error("no client connects to the ports of the JACK client");
        wait_frames(256);
    }
    lost_frames_.store(0, std::memory_order_relaxed);
}

std::string JackClient::input_port(std::uint32_t channel) const { return ::jack_port_name(inputs_.at(channel)); }
std::string JackClient::output_port(std::uint32_t channel) const { return ::jack_port_name(outputs_.at(channel)); }

std::size_t JackClient::play(std::uint32_t channel, std::vector<float> samples) {
    Playback& playback = *playbacks_.at(channel);
    if (playback.ready.load(std::memory_order_relaxed))
        throw std::logic_error("play() was called twice for one channel");
    playback.samples = std::move(samples);
    // Half a second after the current frame, so that no frame is in the past when the callback plays it.
    playback.start = frames() + 24'000;
    playback.ready.store(true, std::memory_order_release);
    return playback.start;
}

void JackClient::wait_for_frame(std::size_t frame, std::chrono::milliseconds patience) {
    const Deadline deadline{patience};
    while (frames() < frame) {
        if (deadline.passed() || shut_down()) {
            throw std::runtime_error("the JACK server stopped at frame " + std::to_string(frames()) + " of " +
                                     std::to_string(frame));
        }
        timespec until{};
        ::clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        ::sem_timedwait(&cycle_, &until);
    }
}

std::int64_t JackClient::frame_at(std::uint64_t monotonic_ns) const {
    if (frames() == 0) throw std::logic_error("frame_at() was called before the first cycle");
    // jackd may use another clock of the machine, CLOCK_MONOTONIC_RAW.
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const std::int64_t ago_ns =
        1'000'000'000 * std::int64_t{now.tv_sec} + now.tv_nsec - static_cast<std::int64_t>(monotonic_ns);
    const auto server_us = static_cast<std::int64_t>(::jack_get_time()) - ago_ns / 1'000;
    // The frames of the server wrap: the difference is signed.
    return static_cast<std::int32_t>(::jack_time_to_frames(client_, static_cast<jack_time_t>(server_us)) -
                                     origin_.load(std::memory_order_relaxed));
}

std::span<const float> JackClient::recording(std::uint32_t channel) const {
    return std::span{recordings_.at(channel)}.first(std::min(frames(), capacity_frames_));
}

}  // namespace rta::test
