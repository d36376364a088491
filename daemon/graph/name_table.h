// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/shared_vector.h"

namespace rta {

/// Hash table from names to 64-bit ids other than 0. The names themselves are elsewhere. Copies share it until one of
/// them changes.
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
        insert(slots_.own(), {.id = id, .hash = hash_of(name)});
        ++count_;
    }

    /// Precondition: the name was added with this id.
    void remove(std::string_view name, std::uint64_t id) {
        std::vector<Slot>& slots = slots_.own();
        std::size_t gap = hash_of(name) & mask();
        while (slots[gap].id != id) gap = (gap + 1) & mask();
        // A search stops at a free slot, so entries that would no longer be found are moved into the gap.
        for (std::size_t i = (gap + 1) & mask(); slots[i].id != 0; i = (i + 1) & mask()) {
            const std::size_t way = (i - slots[i].hash) & mask();
            if (way < ((i - gap) & mask())) continue;
            slots[gap] = slots[i];
            gap = i;
        }
        slots[gap] = {};
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

    static void insert(std::vector<Slot>& slots, const Slot& added) {
        const std::size_t mask = slots.size() - 1;
        std::size_t i = added.hash & mask;
        while (slots[i].id != 0) i = (i + 1) & mask;
        slots[i] = added;
    }

    void grow() {
        constexpr std::size_t kFewest = 8;
        std::vector<Slot> larger(slots_.empty() ? kFewest : 2 * slots_.size());
        for (const Slot& slot : slots_) {
            if (slot.id != 0) insert(larger, slot);
        }
        slots_ = SharedVector{std::move(larger)};
    }

    SharedVector<Slot> slots_;  ///< a power of two, at most three quarters in use
    std::size_t count_ = 0;
};

}  // namespace rta
