// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "rt/annotations.h"
#include "rt/cache_line.h"

namespace rta {

template <class T>
class RingSender;
template <class T>
class RingReceiver;

/// A bounded queue between exactly one sending and one receiving thread, without locks and without waiting.
///
/// The ring owns the slots; all use goes through its two ends, `sender()` and `receiver()`, which borrow the ring and
/// must not outlive it. Memory is allocated and touched once, when the ring is built [control].
///
/// How it works, and why it is correct:
/// - `tail_` counts the elements ever sent and `head_` the elements ever received. Both run freely and wrap modulo
///   2^bits; `tail_ - head_` is the number of elements waiting, which never exceeds the capacity. Because the capacity
///   is a power of two it divides 2^bits, so `index & mask_` walks the slots without a seam where an index wraps.
/// - Only the sender writes `tail_`, only the receiver writes `head_`. A slot belongs to the sender while its index is
/// in
///   [tail_, head_ + capacity) and to the receiver while it is in [head_, tail_). It changes hands by a release store
///   of the one index, seen by an acquire load of it on the other side: no slot is ever touched by two threads at once.
/// - Each side remembers the other's index as it last saw it, and looks again only when that is not enough: an old
/// value
///   is merely pessimistic, since the other's index only grows. So the two threads seldom share a cache line.
template <class T>
class SpscRing {
    // Elements are copied in and out as bytes would be, and a slot is overwritten without ending anything.
    static_assert(std::is_trivially_copyable_v<T> && std::is_nothrow_copy_constructible_v<T>);
    static_assert(std::atomic<std::size_t>::is_always_lock_free);

 public:
    /// `capacity` elements: a power of two, at least 1. `first_index` is where the free-running indexes begin: tests
    /// start just below their wrap-around. [control]
    explicit SpscRing(std::size_t capacity, std::size_t first_index = 0)
        : slots_{allocate(capacity)}, mask_{capacity - 1} {
        // relaxed: no other thread can know the ring before its constructor has returned.
        sender_side_.tail.store(first_index, std::memory_order_relaxed);
        sender_side_.head_seen = first_index;
        receiver_side_.head.store(first_index, std::memory_order_relaxed);
        receiver_side_.tail_seen = first_index;
    }
    SpscRing(const SpscRing&) = delete;
    SpscRing& operator=(const SpscRing&) = delete;
    // Elements still waiting need no destructor: they are trivially destructible, being trivially copyable.
    ~SpscRing() = default;

    /// The end that sends; may be taken once. [control]
    [[nodiscard]] RingSender<T> sender() {
        assert(!sender_taken_ && "a ring has one sender");
        sender_taken_ = true;
        return RingSender<T>{*this};
    }
    /// The end that receives; may be taken once. [control]
    [[nodiscard]] RingReceiver<T> receiver() {
        assert(!receiver_taken_ && "a ring has one receiver");
        receiver_taken_ = true;
        return RingReceiver<T>{*this};
    }

    /// [any]
    [[nodiscard]] std::size_t capacity() const RTA_NONBLOCKING { return mask_ + 1; }

 private:
    friend class RingSender<T>;
    friend class RingReceiver<T>;

    static constexpr std::align_val_t kAlignment{std::max(kCacheLine, alignof(T))};

    struct Deallocate {
        void operator()(std::byte* slots) const { ::operator delete(slots, kAlignment); }
    };
    using Slots = std::unique_ptr<std::byte[], Deallocate>;

    static Slots allocate(std::size_t capacity) {
        assert(std::has_single_bit(capacity) && "the capacity of a ring is a power of two");
        assert(capacity <= std::numeric_limits<std::size_t>::max() / sizeof(T));
        const std::size_t bytes = capacity * sizeof(T);
        // Cast: operator new returns raw storage; std::byte may alias it, and no T exists in it until one is sent.
        Slots slots{static_cast<std::byte*>(::operator new(bytes, kAlignment))};
        std::memset(slots.get(), 0, bytes);  // fault the pages in now, not at the first send on the audio thread
        return slots;
    }

    /// Where element number `index` lives. In bounds: `index & mask_` is less than the capacity. Aligned: the storage
    /// is aligned for T and sizeof(T) is a multiple of alignof(T).
    [[nodiscard]] std::byte* slot(std::size_t index) const RTA_NONBLOCKING {
        return slots_.get() + (index & mask_) * sizeof(T);
    }

    /// [sender] The slot must belong to the sender.
    void write(std::size_t index, const T& value) RTA_NONBLOCKING {
        // Placement new: begins the life of a T in the slot. The T that may have lived there before is trivially
        // destructible, so reusing its storage ends it properly.
        ::new (static_cast<void*>(slot(index))) T(value);
    }

    /// [receiver] The slot must belong to the receiver.
    [[nodiscard]] const T& read(std::size_t index) const RTA_NONBLOCKING {
        // Cast: the sender began the life of a T at exactly this address and handed the slot over since. launder,
        // because the pointer was computed from the raw storage and not from that placement new.
        return *std::launder(reinterpret_cast<const T*>(slot(index)));
    }

    /// Never written after construction, so every thread may keep its own copy of this cache line.
    Slots slots_;
    std::size_t mask_;
    bool sender_taken_ = false;
    bool receiver_taken_ = false;

    /// Written by the sender only; `tail` is read by the receiver.
    struct alignas(kCacheLine) SenderSide {
        std::atomic<std::size_t> tail{0};
        std::size_t head_seen = 0;
    };
    /// Written by the receiver only; `head` is read by the sender.
    struct alignas(kCacheLine) ReceiverSide {
        std::atomic<std::size_t> head{0};
        std::size_t tail_seen = 0;
    };
    SenderSide sender_side_;
    ReceiverSide receiver_side_;
};

/// The sending end of a ring: one thread at a time. Whoever moves it to another thread orders the two threads' uses, as
/// with any object. A moved-from end refuses everything; using it is a mistake that debug builds stop at.
template <class T>
class RingSender {
 public:
    RingSender(RingSender&& other) noexcept : ring_{std::exchange(other.ring_, nullptr)} {}
    RingSender& operator=(RingSender&& other) noexcept {
        ring_ = std::exchange(other.ring_, nullptr);
        return *this;
    }
    RingSender(const RingSender&) = delete;
    RingSender& operator=(const RingSender&) = delete;
    ~RingSender() = default;

    /// Sends `value`; false, and nothing sent, if the ring is full.
    [[nodiscard]] bool try_push(const T& value) RTA_NONBLOCKING { return try_push_batch(std::span{&value, 1}); }

    /// Sends all `values`, in order, or none: the receiver sees either no element of the batch or all of them. False if
    /// there is not room for all. An empty batch is always sent.
    [[nodiscard]] bool try_push_batch(std::span<const T> values) RTA_NONBLOCKING {
        assert(ring_ != nullptr && "this end was moved from");
        if (ring_ == nullptr) return false;
        auto& mine = ring_->sender_side_;
        // relaxed: only this thread writes tail.
        const std::size_t tail = mine.tail.load(std::memory_order_relaxed);
        if (ring_->capacity() - (tail - mine.head_seen) < values.size() && free_space() < values.size()) return false;

        std::size_t index = tail;
        for (const T& value : values) ring_->write(index++, value);
        // release pairs with the acquire in RingReceiver::try_pop(): the elements are whole before the receiver can see
        // a tail beyond them. One store for all of them: it cannot see a part of the batch.
        mine.tail.store(index, std::memory_order_release);
        return true;
    }

    /// How many elements can be sent for certain: a lower bound, since the receiver may be making room right now.
    [[nodiscard]] std::size_t free_space() RTA_NONBLOCKING {
        assert(ring_ != nullptr && "this end was moved from");
        if (ring_ == nullptr) return 0;
        auto& mine = ring_->sender_side_;
        // acquire pairs with the release in RingReceiver::try_pop(): the receiver has finished reading a slot before we
        // can see a head beyond it and write there again.
        mine.head_seen = ring_->receiver_side_.head.load(std::memory_order_acquire);
        // relaxed: only this thread writes tail.
        return ring_->capacity() - (mine.tail.load(std::memory_order_relaxed) - mine.head_seen);
    }

 private:
    friend class SpscRing<T>;
    explicit RingSender(SpscRing<T>& ring) : ring_{&ring} {}

    SpscRing<T>* ring_;
};

/// The receiving end of a ring; see RingSender for who may use it when. A moved-from end is empty for ever.
template <class T>
class RingReceiver {
 public:
    RingReceiver(RingReceiver&& other) noexcept : ring_{std::exchange(other.ring_, nullptr)} {}
    RingReceiver& operator=(RingReceiver&& other) noexcept {
        ring_ = std::exchange(other.ring_, nullptr);
        return *this;
    }
    RingReceiver(const RingReceiver&) = delete;
    RingReceiver& operator=(const RingReceiver&) = delete;
    ~RingReceiver() = default;

    /// The oldest element, or nothing if the ring is empty.
    [[nodiscard]] std::optional<T> try_pop() RTA_NONBLOCKING {
        assert(ring_ != nullptr && "this end was moved from");
        if (ring_ == nullptr) return std::nullopt;
        auto& mine = ring_->receiver_side_;
        // relaxed: only this thread writes head.
        const std::size_t head = mine.head.load(std::memory_order_relaxed);
        if (head == mine.tail_seen) {
            // acquire pairs with the release in RingSender::try_push_batch(): having seen its tail, we see the elements
            // below it.
            mine.tail_seen = ring_->sender_side_.tail.load(std::memory_order_acquire);
            if (head == mine.tail_seen) return std::nullopt;
        }
        std::optional<T> value{ring_->read(head)};
        // release pairs with the acquire in RingSender::free_space(): the element is copied out before the sender can
        // see a head beyond it and reuse its slot.
        mine.head.store(head + 1, std::memory_order_release);
        return value;
    }

 private:
    friend class SpscRing<T>;
    explicit RingReceiver(SpscRing<T>& ring) : ring_{&ring} {}

    SpscRing<T>* ring_;
};

}  // namespace rta
