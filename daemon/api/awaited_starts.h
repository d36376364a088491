// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "api/fairness.h"

namespace rta::api {

/// If no block of audio is rendered for this long, requests that have waited for a block for at least this long are
/// answered.
inline constexpr std::chrono::milliseconds kStillDeadline{500};

/// Requests whose transactions are committed, and that are answered when their transactions begin to be heard. The
/// order of starts may differ from the order of revisions. The cost of a call grows only logarithmically with the
/// number of requests that continue to wait. [control]
class AwaitedStarts {
 public:
    /// Why a request is answered before its transaction begins.
    enum class Late : std::uint8_t {
        no_blocks,  ///< no block was rendered for kStillDeadline
        deadline,   ///< its own deadline has passed
    };
    struct Outcome {
        std::optional<std::uint64_t> frame{};  ///< set unless the start is late
        Late late{};
    };
    /// Called at most once. May call add(), and may destroy any Wait.
    using Answered = std::function<void(const Outcome&)>;

    struct Start {
        std::uint64_t revision;
        TimePoint begin;  ///< of the wait
        TimePoint deadline;
    };

    /// Registration of a waiting request. If it is destroyed before the answer, the request is removed and not
    /// answered. AwaitedStarts must outlive it.
    class [[nodiscard]] Wait {
     public:
        Wait() = default;
        Wait(AwaitedStarts& starts, std::uint64_t revision) : starts_{&starts}, revision_{revision} {}
        Wait(Wait&& other) noexcept : starts_{std::exchange(other.starts_, nullptr)}, revision_{other.revision_} {}
        Wait& operator=(Wait&& other) noexcept {
            std::swap(starts_, other.starts_);
            std::swap(revision_, other.revision_);
            return *this;
        }
        ~Wait() {
            if (starts_ != nullptr) starts_->remove(revision_);
        }

     private:
        AwaitedStarts* starts_ = nullptr;
        std::uint64_t revision_ = 0;
    };

    /// Precondition: revisions increase and `begin` does not decrease from call to call.
    Wait add(const Start& start, Answered answered);
    /// Answers the request that waits for this revision, if there is one.
    void heard(std::uint64_t revision, std::uint64_t frame);
    /// Answers those that have waited too long. `last_block`: when the latest block was rendered.
    void expire(TimePoint now, TimePoint last_block);

    [[nodiscard]] bool empty() const { return waiting_.empty(); }
    [[nodiscard]] std::size_t size() const { return waiting_.size(); }

 private:
    struct Waiting {
        Start start;
        Answered answered;
    };
    using Entry = std::map<std::uint64_t, Waiting>::iterator;

    void answer(Entry entry, const Outcome& outcome);
    void remove(std::uint64_t revision) noexcept;

    std::map<std::uint64_t, Waiting> waiting_;                 ///< by revision, and so in the order of add()
    std::set<std::pair<TimePoint, std::uint64_t>> deadlines_;  ///< with the revision
};

}  // namespace rta::api
