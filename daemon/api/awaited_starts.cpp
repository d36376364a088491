// SPDX-License-Identifier: MIT
#include "api/awaited_starts.h"

#include <algorithm>
#include <utility>

namespace rta::api {

AwaitedStarts::Wait AwaitedStarts::add(const Start& start, Answered answered) {
    // Removes what is in only one of the two if memory runs out.
    Wait wait{*this, start.revision};
    waiting_.emplace_hint(waiting_.end(), start.revision, Waiting{start, std::move(answered)});
    deadlines_.emplace(start.deadline, start.revision);
    return wait;
}

void AwaitedStarts::heard(std::uint64_t revision, std::uint64_t frame) {
    if (const auto found = waiting_.find(revision); found != waiting_.end()) answer(found, {.frame = frame});
}

/// Callbacks may add and remove requests, so no iterator is kept. Those that they add have not waited yet.
void AwaitedStarts::expire(TimePoint now, TimePoint last_block) {
    while (!waiting_.empty()) {
        const auto oldest = waiting_.begin();
        if (now - std::max(oldest->second.start.begin, last_block) < kStillDeadline) break;
        answer(oldest, {.late = Late::no_blocks});
    }
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        answer(waiting_.find(deadlines_.begin()->second), {.late = Late::deadline});
    }
}

void AwaitedStarts::answer(Entry entry, const Outcome& outcome) {
    const Answered answered = std::move(entry->second.answered);
    deadlines_.erase({entry->second.start.deadline, entry->first});
    waiting_.erase(entry);
    answered(outcome);
}

void AwaitedStarts::remove(std::uint64_t revision) noexcept {
    const auto found = waiting_.find(revision);
    if (found == waiting_.end()) return;  // answered
    deadlines_.erase({found->second.start.deadline, revision});
    waiting_.erase(found);
}

}  // namespace rta::api
