// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "os/file_operations.h"
#include "os/unique_fd.h"
#include "store/journal_file.h"
#include "text/error.h"

namespace rta::store {

/// A journal that is being written. Space is reserved before it is used, so that a full disk is noticed before a change
/// is made, not after it. After an error of append(), the file must not be used any more: what is on the disk is not
/// known. All functions may block on the disk. Not thread-safe.
class Journal {
 public:
    /// Space is reserved in pieces of this size.
    static constexpr std::size_t kPieceBytes = std::size_t{64} << 10U;
    /// A journal that cannot be replaced may become this long.
    static constexpr std::size_t kMaximumBytes = std::size_t{64} << 20U;

    explicit Journal(os::FileOperations& files) : files_{files} {}

    /// Creates a journal without entries, and waits until it is on the disk, except for its name. `path` is for errors.
    /// The previous one is closed. RESOURCE_EXHAUSTED: the disk is full. UNAVAILABLE: system errors.
    [[nodiscard]] Expected<void> create(int folder, const std::string& name, const std::string& path,
                                        const JournalBase& base);
    void close() { file_.reset(); }
    /// Returns whether it can be written, and its file has not been removed.
    [[nodiscard]] bool is_open() const;

    /// Returns the bytes that can be written without a further reservation.
    [[nodiscard]] std::size_t room() const { return file_ ? reserved_ - end_ : 0; }
    /// Returns the bytes of its entries.
    [[nodiscard]] std::size_t entry_bytes() const { return end_ - head_; }
    [[nodiscard]] std::size_t entry_count() const { return static_cast<std::size_t>(next_number_ - first_number_); }

    /// Reserves space, so that room() is at least `bytes`. Errors as those of create(), and RESOURCE_EXHAUSTED after
    /// kMaximumBytes; room() has not become smaller.
    [[nodiscard]] Expected<void> reserve(std::size_t bytes);
    /// Writes entries as one frame, and waits until it is on the disk. Reserves what room() lacks.
    [[nodiscard]] Expected<void> append(std::span<const JournalEntry> entries);

 private:
    os::FileOperations& files_;
    os::UniqueFd file_;
    std::string path_;
    std::size_t head_ = 0;
    std::size_t end_ = 0;
    std::size_t reserved_ = 0;
    std::uint64_t first_number_ = 1;
    std::uint64_t next_number_ = 1;
};

}  // namespace rta::store
