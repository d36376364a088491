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

/// Bounded, lock-free and wait-free single-producer single-consumer queue.
///
/// The ring owns the slots. Elements pass through its two ends, `sender()` and `receiver()`, which refer to the ring
/// and must not outlive it. Memory is allocated and pre-faulted once, in the constructor [control].
///
/// Why it is correct:
/// - `tail` counts all elements sent, `head` all elements received. Both wrap modulo 2^bits; `tail - head` is the
///   number of queued elements and never exceeds the capacity. The capacity is a power of two and so divides 2^bits:
///   `index & mask_` stays continuous when an index wraps.
/// - Only the sender writes `tail`, only the receiver writes `head`. The sender owns the slots with an index in
///   [tail, head + capacity), the receiver those in [head, tail). Ownership passes by a release store of an index that
///   the other side reads with an acquire load, so two threads never access the same slot at the same time.
/// - Each side caches the last seen index of the other side (`head_seen`, `tail_seen`) and reloads it only when the
///   cached value is not sufficient. An outdated value is safe because indexes only grow, and caching avoids most
///   cache-line transfers between the threads.
template <class T>
class SpscRing {
    // Elements are copied like bytes, and slots are overwritten without a destructor call.
    static_assert(std::is_trivially_copyable_v<T> && std::is_nothrow_copy_constructible_v<T>);
    static_assert(std::atomic<std::size_t>::is_always_lock_free);

 public:
    /// `capacity` is the number of elements: a power of two, at least 1. `first_index` is the initial value of both
    /// indexes; tests start just below the wrap-around. [control]
    explicit SpscRing(std::size_t capacity, std::size_t first_index = 0)
        : slots_{allocate(capacity)}, mask_{capacity - 1} {
        // relaxed: no other thread knows the ring before its constructor has returned.
        sender_side_.tail.store(first_index, std::memory_order_relaxed);
        sender_side_.head_seen = first_index;
        receiver_side_.head.store(first_index, std::memory_order_relaxed);
        receiver_side_.tail_seen = first_index;
    }
    SpscRing(const SpscRing&) = delete;
    SpscRing& operator=(const SpscRing&) = delete;
    // Queued elements need no destructor call: trivially copyable types are trivially destructible.
    ~SpscRing() = default;

    /// Returns the sending end. Precondition: not called before. [control]
    [[nodiscard]] RingSender<T> sender() {
        assert(!sender_taken_ && "a ring has one sender");
        sender_taken_ = true;
        return RingSender<T>{*this};
    }
    /// Returns the receiving end. Precondition: not called before. [control]
    [[nodiscard]] RingReceiver<T> receiver() {
        assert(!receiver_taken_ && "a ring has one receiver");
        receiver_taken_ = true;
        return RingReceiver<T>{*this};
    }

    /// Returns the maximum number of queued elements. [any]
    [[nodiscard]] std::size_t capacity() const RTA_NONBLOCKING { return mask_ + 1; }

    /// Returns about how many elements are queued, for threads that hold neither end. [any]
    [[nodiscard]] std::size_t approximate_size() const RTA_NONBLOCKING {
        // relaxed: the caller reads no element. The head may have passed this tail by the time it is read.
        const std::size_t tail = sender_side_.tail.load(std::memory_order_relaxed);
        const std::size_t size = tail - receiver_side_.head.load(std::memory_order_relaxed);
        return size <= capacity() ? size : 0;
    }

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
        // Cast: operator new returns raw storage; std::byte may alias it, and it holds no T until one is sent.
        Slots slots{static_cast<std::byte*>(::operator new(bytes, kAlignment))};
        std::memset(slots.get(), 0, bytes);  // pre-fault the pages, so that the audio thread does not
        return slots;
    }

    /// Returns the address of element `index`. In bounds: `index & mask_` is less than the capacity. Aligned: the
    /// storage is aligned for T, and sizeof(T) is a multiple of alignof(T).
    [[nodiscard]] std::byte* slot(std::size_t index) const RTA_NONBLOCKING {
        return slots_.get() + (index & mask_) * sizeof(T);
    }

    /// [sender] Precondition: the sender owns the slot.
    void write(std::size_t index, const T& value) RTA_NONBLOCKING {
        // Placement new starts the lifetime of a T in the slot. A previous T is trivially destructible, so reusing its
        // storage ends its lifetime.
        ::new (static_cast<void*>(slot(index))) T(value);
    }

    /// [receiver] Precondition: the receiver owns the slot.
    [[nodiscard]] const T& read(std::size_t index) const RTA_NONBLOCKING {
        // Cast: the sender started the lifetime of a T at this address before it passed the slot on. launder: the
        // pointer is computed from the raw storage, not obtained from that placement new.
        return *std::launder(reinterpret_cast<const T*>(slot(index)));
    }

    /// Constant after construction, so the threads can share this cache line.
    Slots slots_;
    std::size_t mask_;
    bool sender_taken_ = false;
    bool receiver_taken_ = false;

    /// Written by the sender only. The receiver reads `tail`.
    struct alignas(kCacheLine) SenderSide {
        std::atomic<std::size_t> tail{0};
        std::size_t head_seen = 0;
    };
    /// Written by the receiver only. The sender reads `head`.
    struct alignas(kCacheLine) ReceiverSide {
        std::atomic<std::size_t> head{0};
        std::size_t tail_seen = 0;
    };
    SenderSide sender_side_;
    ReceiverSide receiver_side_;
};

/// Sending end of a ring, used by one thread at a time. A caller that moves it to another thread must synchronize the
/// two threads, as with any object. A moved-from end refuses every element; debug builds assert.
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

    /// Sends `value`. Returns false and sends nothing if the ring is full.
    [[nodiscard]] bool try_push(const T& value) RTA_NONBLOCKING { return try_push_batch(std::span{&value, 1}); }

    /// Sends all `values` in order, or none: the receiver sees either no element of the batch or all of them. Returns
    /// false if the free space does not suffice. An empty batch always succeeds.
    [[nodiscard]] bool try_push_batch(std::span<const T> values) RTA_NONBLOCKING {
        assert(ring_ != nullptr && "this end was moved from");
        if (ring_ == nullptr) return false;
        auto& mine = ring_->sender_side_;
        // relaxed: only this thread writes tail.
        const std::size_t tail = mine.tail.load(std::memory_order_relaxed);
        if (ring_->capacity() - (tail - mine.head_seen) < values.size() && free_space() < values.size()) return false;

        std::size_t index = tail;
        for (const T& value : values) ring_->write(index++, value);
        // release pairs with the acquire in RingReceiver::try_pop(): the elements are complete before the receiver can
        // see a tail beyond them. A single store, so that it cannot see part of a batch.
        mine.tail.store(index, std::memory_order_release);
        return true;
    }

    /// Returns the number of elements that can be sent: a lower bound, because the receiver may free slots
    /// concurrently.
    [[nodiscard]] std::size_t free_space() RTA_NONBLOCKING {
        assert(ring_ != nullptr && "this end was moved from");
        if (ring_ == nullptr) return 0;
        auto& mine = ring_->sender_side_;
        // acquire pairs with the release in RingReceiver::try_pop(): the receiver has finished reading a slot before
        // this thread can see a head beyond it and overwrite the slot.
        mine.head_seen = ring_->receiver_side_.head.load(std::memory_order_acquire);
        // relaxed: only this thread writes tail.
        return ring_->capacity() - (mine.tail.load(std::memory_order_relaxed) - mine.head_seen);
    }

 private:
    friend class SpscRing<T>;
    explicit RingSender(SpscRing<T>& ring) : ring_{&ring} {}

    SpscRing<T>* ring_;
};

/// Receiving end of a ring; the thread rules of RingSender apply. A moved-from end is always empty.
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

    /// Removes and returns the oldest element; std::nullopt if the ring is empty.
    [[nodiscard]] std::optional<T> try_pop() RTA_NONBLOCKING {
        assert(ring_ != nullptr && "this end was moved from");
        if (ring_ == nullptr) return std::nullopt;
        auto& mine = ring_->receiver_side_;
        // relaxed: only this thread writes head.
        const std::size_t head = mine.head.load(std::memory_order_relaxed);
        if (head == mine.tail_seen) {
            // acquire pairs with the release in RingSender::try_push_batch(): a thread that sees its tail also sees the
            // elements below it.
            mine.tail_seen = ring_->sender_side_.tail.load(std::memory_order_acquire);
            if (head == mine.tail_seen) return std::nullopt;
        }
        std::optional<T> value{ring_->read(head)};
        // release pairs with the acquire in RingSender::free_space(): the element is copied before the sender can see a
        // head beyond it and reuse its slot.
        mine.head.store(head + 1, std::memory_order_release);
        return value;
    }

    /// Removes the oldest elements and copies them to `values`, all or none: returns false if fewer are queued. An empty
    /// batch always succeeds.
    [[nodiscard]] bool try_pop_batch(std::span<T> values) RTA_NONBLOCKING {
        if (available() < values.size()) return false;
        auto& mine = ring_->receiver_side_;
        // relaxed: only this thread writes head.
        std::size_t index = mine.head.load(std::memory_order_relaxed);
        for (T& value : values) value = ring_->read(index++);
        // release: as in try_pop().
        mine.head.store(index, std::memory_order_release);
        return true;
    }

    /// Removes up to `count` of the oldest elements. Returns how many.
    std::size_t discard(std::size_t count) RTA_NONBLOCKING {
        const std::size_t discarded = std::min(count, available());
        if (discarded == 0) return 0;
        auto& mine = ring_->receiver_side_;
        // relaxed: only this thread writes head. release: as in try_pop().
        mine.head.store(mine.head.load(std::memory_order_relaxed) + discarded, std::memory_order_release);
        return discarded;
    }

    /// Returns the number of elements that can be received: a lower bound, because the sender may add some concurrently.
    [[nodiscard]] std::size_t available() RTA_NONBLOCKING {
        assert(ring_ != nullptr && "this end was moved from");
        if (ring_ == nullptr) return 0;
        auto& mine = ring_->receiver_side_;
        // acquire: as in try_pop().
        mine.tail_seen = ring_->sender_side_.tail.load(std::memory_order_acquire);
        // relaxed: only this thread writes head.
        return mine.tail_seen - mine.head.load(std::memory_order_relaxed);
    }

 private:
    friend class SpscRing<T>;
    explicit RingReceiver(SpscRing<T>& ring) : ring_{&ring} {}

    SpscRing<T>* ring_;
};

}  // namespace rta
