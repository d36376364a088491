// SPDX-License-Identifier: MIT
#include "resources/frame_stream.h"

#include <bit>
#include <cassert>
#include <cstddef>

namespace rta {

FrameStream::FrameStream(std::uint32_t channels, std::uint32_t frames, std::uint32_t ready_frames)
    : channels_{channels},
      ready_frames_{ready_frames},
      ring_{std::bit_ceil(std::size_t{channels} * frames)},
      sender_{ring_.sender()},
      receiver_{ring_.receiver()} {
    assert(channels > 0 && ready_frames <= frames);
}

FrameStream::State FrameStream::state() RTA_NONBLOCKING {
    // relaxed: only this thread writes it.
    const std::uint64_t wanted = wanted_.load(std::memory_order_relaxed);
    // acquire pairs with the release in start_at_seek(): start_ belongs to this seek, and the samples before it are queued.
    if (served_.load(std::memory_order_acquire) != wanted) {
        received_ += receiver_.discard(ring_.capacity());
        return {};
    }
    // relaxed: ordered by the acquire above; the worker writes it again only after another seek.
    const std::uint64_t start = start_.load(std::memory_order_relaxed);
    if (received_ < start) received_ += receiver_.discard(static_cast<std::size_t>(start - received_));
    State state;
    // acquire pairs with the release in end(). Read before the size: all samples before the end are then counted.
    state.ended = ended_.load(std::memory_order_acquire) == wanted;
    state.frames = static_cast<std::uint32_t>(receiver_.available() / channels_);
    state.ready = state.ended || state.frames >= ready_frames_;
    return state;
}

bool FrameStream::read(std::span<float> interleaved) RTA_NONBLOCKING {
    if (!receiver_.try_pop_batch(interleaved)) return false;
    received_ += interleaved.size();
    return true;
}

void FrameStream::seek(std::uint64_t frame) RTA_NONBLOCKING {
    // Now, so that the worker finds room. What it still sends of the old place is discarded by state().
    received_ += receiver_.discard(ring_.capacity());
    seek_frame_.store(frame, std::memory_order_relaxed);
    // release pairs with the acquire in take_seek(): the worker that sees this number sees this frame, or a later one.
    wanted_.store(wanted_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

std::optional<std::uint64_t> FrameStream::take_seek() {
    // acquire pairs with the release in seek(). If the frame is of a later seek, that one is taken next.
    const std::uint64_t wanted = wanted_.load(std::memory_order_acquire);
    if (wanted == serving_) return std::nullopt;
    serving_ = wanted;
    return seek_frame_.load(std::memory_order_relaxed);
}

void FrameStream::start_at_seek() {
    start_.store(sent_, std::memory_order_relaxed);
    // release pairs with the acquire in state().
    served_.store(serving_, std::memory_order_release);
}

std::uint32_t FrameStream::room() { return static_cast<std::uint32_t>(sender_.free_space() / channels_); }

void FrameStream::send(std::span<const float> interleaved) {
    [[maybe_unused]] const bool sent = sender_.try_push_batch(interleaved);
    assert(sent && "more frames than room()");
    sent_ += interleaved.size();
}

void FrameStream::end() {
    // release pairs with the acquire in state().
    ended_.store(serving_, std::memory_order_release);
}

bool FrameStream::wants_worker() const {
    // relaxed: a hint. The worker reads again what it acts on.
    const std::uint64_t wanted = wanted_.load(std::memory_order_relaxed);
    if (wanted != served_.load(std::memory_order_relaxed)) return true;
    if (ended_.load(std::memory_order_relaxed) == wanted) return false;
    return ring_.approximate_size() <= ring_.capacity() / 4 * 3;
}

}  // namespace rta
