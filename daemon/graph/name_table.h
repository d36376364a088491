// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace rta {

/// Hash table from names to 64-bit ids other than 0. The names themselves are elsewhere. One vector, so that a copy
/// costs no more than its memory. One thread may use a table at a time.
class NameTable {
 public:
    /// Returns the id for which `is_name(id)` returns true, of those added under the same name, or 0.
    template <typename IsName>
    [[nodiscard]] std::uint64_t find(std::string_view name, IsName is_name) const {
        if (slots_.empty()) return 0;
        const std::uint32_t hash = hash_of(name);
        for (std::size_t i = hash & mask();; i = (i + 1) & mask()) {
            const Slot& slot = slots_[i];
            if (slot.id == 0 || (slot.hash == hash && is_name(slot.id))) return slot.id;
        }
    }

    /// Precondition: the name is not in the table.
    void add(std::string_view name, std::uint64_t id) {
        if (slots_.size() * 3 <= (count_ + 1) * 4) grow();
        insert({.id = id, .hash = hash_of(name)});
        ++count_;
    }

    /// Precondition: the name was added with this id.
    void remove(std::string_view name, std::uint64_t id) {
        std::size_t gap = hash_of(name) & mask();
        while (slots_[gap].id != id) gap = (gap + 1) & mask();
        // A search stops at a free slot, so entries that would no longer be found are moved into the gap.
        for (std::size_t i = (gap + 1) & mask(); slots_[i].id != 0; i = (i + 1) & mask()) {
            const std::size_t way = (i - slots_[i].hash) & mask();
            if (way < ((i - gap) & mask())) continue;
            slots_[gap] = slots_[i];
            gap = i;
        }
        slots_[gap] = {};
        --count_;
    }

 private:
    struct Slot {
        std::uint64_t id = 0;  ///< 0: free
        std::uint32_t hash = 0;
    };

    [[nodiscard]] static std::uint32_t hash_of(std::string_view name) {
        const std::uint64_t hash = std::hash<std::string_view>{}(name);
        return static_cast<std::uint32_t>(hash ^ hash >> 32U);
    }
    [[nodiscard]] std::size_t mask() const { return slots_.size() - 1; }

    void insert(const Slot& added) {
        std::size_t i = added.hash & mask();
        while (slots_[i].id != 0) i = (i + 1) & mask();
        slots_[i] = added;
    }

    void grow() {
        constexpr std::size_t kFewest = 8;
        std::vector<Slot> old(slots_.empty() ? kFewest : 2 * slots_.size());
        old.swap(slots_);
        for (const Slot& slot : old) {
            if (slot.id != 0) insert(slot);
        }
    }

    std::vector<Slot> slots_;  ///< a power of two, at most three quarters in use
    std::size_t count_ = 0;
};

}  // namespace rta
