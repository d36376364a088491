// SPDX-License-Identifier: MIT
#include "api/events/outbox.h"

#include <utility>

#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

/// Small frames are collected up to this size, to be written together.
constexpr std::size_t kChunkBytes = std::size_t{64} << 10U;
/// Maximum number of bytes of the length of a frame.
constexpr std::size_t kLongestLength = 10;
/// Maximum telemetry in one write, unless it is a single event.
constexpr std::size_t kTelemetryAtOnceBytes = std::size_t{32} << 10U;

}  // namespace

std::string& Outbox::open_chunk() {
    if (chunks_.empty() || chunks_.back().shared || chunks_.back().own.size() >= kChunkBytes) {
        chunks_.emplace_back();
    }
    return chunks_.back().own;
}

void Outbox::push_response(const v1::ServerMessage& message) {
    std::string& bytes = open_chunk();
    const std::size_t before = bytes.size();
    const std::size_t payload = message.ByteSizeLong();
    bytes.reserve(before + payload + kLongestLength);  // so that nothing below can throw half-way
    append_frame_length(bytes, payload);
    message.AppendToString(&bytes);
    unsent_ += bytes.size() - before;
}

void Outbox::push_response(std::string&& frame) {
    const std::size_t size = frame.size();
    chunks_.emplace_back().own = std::move(frame);
    unsent_ += size;
}

bool Outbox::push_event(const SharedFrame& frame) {
    const std::size_t size = frame.size();
    if (unsent_events_ != 0 && unsent_events_ + size > limits_.event_bytes) return false;
    if (chunks_.empty() || !chunks_.back().shared || !chunks_.back().shared.extend(frame)) {
        if (chunks_.size() >= kEventLimitChunks) return false;
        chunks_.emplace_back().shared = frame;
    }
    unsent_ += size;
    unsent_events_ += size;
    return true;
}

void Outbox::push_telemetry(const SharedTelemetry& event) {
    telemetry_.push_back({event, ++telemetry_made_});
    telemetry_bytes_ += event->size();
    while (telemetry_.size() > kTelemetryEvents ||
           (telemetry_.size() > 1 && telemetry_bytes_ > limits_.telemetry_bytes)) {
        drop_oldest();
    }
}

void Outbox::drop_oldest() {
    telemetry_bytes_ -= telemetry_.front().event->size();
    telemetry_.pop_front();
    ++telemetry_dropped_;
}

/// Appends the oldest event as a frame, and returns its size before the filter. Protobuf merges concatenated messages: the numbers are a second Event, and both
/// together are the event of a ServerMessage.
std::size_t Outbox::take_telemetry(std::string& into) {
    const Telemetry oldest = std::move(telemetry_.front());
    telemetry_.pop_front();
    telemetry_bytes_ -= oldest.event->size();
    const std::string reduced = filter_ ? filter_->reduced(*oldest.event) : std::string{};
    const std::string& event = filter_ ? reduced : *oldest.event;
    v1::Event numbers;
    numbers.set_telemetry_number(oldest.number);
    numbers.set_telemetry_dropped(telemetry_dropped_);
    constexpr char kLengthDelimited = 2;
    std::string head{static_cast<char>(v1::ServerMessage::kEventFieldNumber << 3 | kLengthDelimited)};
    const std::size_t bytes = event.size() + numbers.ByteSizeLong();
    append_frame_length(head, bytes);  // a varint, as all lengths in protobuf
    append_frame_length(into, head.size() + bytes);
    into.append(head).append(event);
    numbers.AppendToString(&into);
    return oldest.event->size();
}

std::vector<Outbox::Chunk> Outbox::take(std::size_t wanted) {
    std::vector<Chunk> taken;
    std::size_t bytes = 0;
    while (!chunks_.empty() && (taken.empty() || bytes < wanted)) {
        bytes += chunks_.front().bytes().size();
        taken.push_back(std::move(chunks_.front()));
        chunks_.pop_front();
    }
    if (telemetry_.empty() || (!taken.empty() && bytes >= wanted)) return taken;
    // Only a little: once taken, telemetry can become outdated, but can no longer be dropped.
    Chunk& chunk = taken.emplace_back();
    chunk.telemetry = true;
    std::size_t read = 0;
    do {
        read += take_telemetry(chunk.own);
    } while (!telemetry_.empty() && bytes + read < wanted && read < kTelemetryAtOnceBytes);
    return taken;
}

void Outbox::sent(const std::vector<Chunk>& chunks) {
    for (const Chunk& chunk : chunks) {
        if (chunk.telemetry) continue;
        unsent_ -= chunk.bytes().size();
        if (chunk.shared) unsent_events_ -= chunk.bytes().size();
    }
}

}  // namespace rta::api
