// SPDX-License-Identifier: MIT
#include "api/events/kept_changes.h"

namespace rta::api {

void KeptChanges::restart(std::uint64_t number) {
    changes_.clear();
    bytes_ = 0;
    first_ = number;
}

void KeptChanges::add(const Change& change) {
    changes_.push_back(change);
    bytes_ += bytes_of(changes_.back());
    while (changes_.size() > kMaximum || (!changes_.empty() && bytes_ > most_bytes_)) {
        bytes_ -= bytes_of(changes_.front());
        changes_.pop_front();
        ++first_;
    }
}

const Change* KeptChanges::find(std::uint64_t number) const {
    if (number < first_ || number - first_ >= changes_.size()) return nullptr;
    return &changes_[static_cast<std::size_t>(number - first_)];
}

}  // namespace rta::api
