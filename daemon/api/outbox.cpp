// SPDX-License-Identifier: MIT
#include "api/outbox.h"

#include <utility>

#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

/// Small frames are gathered up to so many bytes: one write instead of many.
constexpr std::size_t kChunkBytes = std::size_t{64} << 10U;
/// Frames larger than this are shared between outboxes; copying smaller ones costs less than sharing them.
constexpr std::size_t kCopiedBytes = std::size_t{4} << 10U;

}  // namespace

std::string& Outbox::open_chunk() {
    if (chunks_.empty() || chunks_.back().shared_ != nullptr || chunks_.back().own_.size() >= kChunkBytes) {
        chunks_.emplace_back();
    }
    return chunks_.back().own_;
}

void Outbox::push_response(const v1::ServerMessage& message) {
    std::string& bytes = open_chunk();
    const std::size_t before = bytes.size();
    append_frame_length(bytes, message.ByteSizeLong());
    message.AppendToString(&bytes);
    unsent_ += bytes.size() - before;
}

bool Outbox::push_event(const SharedFrame& frame) {
    const std::size_t size = frame->size();
    if (unsent_events_ != 0 && unsent_events_ + size > kEventLimitBytes) return false;
    if (size <= kCopiedBytes) {
        open_chunk().append(*frame);
    } else {
        chunks_.emplace_back().shared_ = frame;
    }
    chunks_.back().event_bytes_ += size;
    unsent_ += size;
    unsent_events_ += size;
    return true;
}

std::vector<Outbox::Chunk> Outbox::take(std::size_t wanted) {
    std::vector<Chunk> taken;
    std::size_t bytes = 0;
    while (!chunks_.empty() && (taken.empty() || bytes < wanted)) {
        bytes += chunks_.front().bytes().size();
        taken.push_back(std::move(chunks_.front()));
        chunks_.pop_front();
    }
    return taken;
}

void Outbox::sent(const std::vector<Chunk>& chunks) {
    for (const Chunk& chunk : chunks) {
        unsent_ -= chunk.bytes().size();
        unsent_events_ -= chunk.event_bytes_;
    }
}

}  // namespace rta::api
