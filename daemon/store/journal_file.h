// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/error.h"

namespace rta::store {

// The file of a journal: a line with the version of the format, and frames. The first frame names the `graph.json` to
// which the journal belongs; each other frame holds the changes that were written together. A frame has a mark, the
// length of its contents, the number of its first change, the number of its changes, the SHA-256 of these and of the
// contents, and the contents. Numbers are little-endian. Zeros follow the last frame: space that is reserved. [any]

/// A change, as its owner has serialised it.
struct JournalEntry {
    std::uint64_t revision = 0;
    std::string content{};
    std::optional<std::string> history{};  ///< what it has changed in the history; nullopt: it could not be written

    [[nodiscard]] bool operator==(const JournalEntry&) const = default;
};

/// What a journal continues.
struct JournalBase {
    /// Which history the changes continue.
    enum class History : std::uint8_t {
        saved,  ///< the one that is saved with the graph
        empty,
        lost,  ///< one that could not be saved
    };
    std::string graph{};  ///< SHA-256 of `graph.json` as digits; empty: none
    History history = History::empty;
    std::uint64_t next_number = 1;  ///< of the first change; changes are numbered consecutively

    [[nodiscard]] bool operator==(const JournalBase&) const = default;
};

struct JournalContents {
    enum class End : std::uint8_t {
        complete,
        torn,     ///< the last frame is incomplete, as after a crash: no change in it was acknowledged
        damaged,  ///< what follows the entries is damaged, although it was complete
    };
    JournalBase base;
    std::vector<JournalEntry> entries;  ///< the good ones, up to the end
    End end = End::complete;
};

/// Returns the bytes that an entry takes, at most, if it is the only one of its frame.
[[nodiscard]] std::size_t journal_bytes(std::size_t content_bytes, std::size_t history_bytes = 0);

/// Returns the beginning of a journal. UNAVAILABLE if a hash cannot be computed.
[[nodiscard]] Expected<std::string> write_journal_head(const JournalBase& base);
/// Returns a frame. `number`: of the first of these.
[[nodiscard]] Expected<std::string> write_journal_frame(std::uint64_t number, std::span<const JournalEntry> entries);

/// INVALID_ARGUMENT: the beginning is damaged, or of another version. UNAVAILABLE: see above.
[[nodiscard]] Expected<JournalContents> read_journal(std::string_view file);

}  // namespace rta::store
