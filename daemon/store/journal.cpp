// SPDX-License-Identifier: MIT
#include "store/journal.h"

#include <sys/stat.h>

#include "store/disk_error.h"

namespace rta::store {

Expected<void> Journal::create(int folder, const std::string& name, const std::string& path, const JournalBase& base) {
    constexpr mode_t kMode = 0600;
    close();
    path_ = path;
    const auto head = write_journal_head(base);
    if (!head) return std::unexpected(head.error());
    auto file = files_.create(folder, name, kMode);
    if (!file) return cannot("write", path_, file.error());
    file_ = std::move(*file);
    end_ = 0;
    reserved_ = 0;
    head_ = head->size();
    first_number_ = next_number_ = base.next_number;
    auto created = reserve(kPieceBytes);
    if (created) {
        auto written = files_.write_at(file_.get(), *head, 0);
        if (written) written = files_.sync_data(file_.get());
        if (!written) created = cannot("write", path_, written.error());
    }
    if (!created) close();
    end_ = head_;
    return created;
}

bool Journal::is_open() const {
    struct stat status{};
    return file_ && ::fstat(file_.get(), &status) == 0 && status.st_nlink != 0;
}

Expected<void> Journal::reserve(std::size_t bytes) {
    if (room() >= bytes) return {};
    const std::size_t end = (end_ + bytes + kPieceBytes - 1) / kPieceBytes * kPieceBytes;
    if (end > kMaximumBytes) {
        return fail(ErrorCode::resource_exhausted, path_ + " has reached its limit of " +
                                                       std::to_string(kMaximumBytes >> 20U) +
                                                       " MiB, because the graph cannot be saved");
    }
    const auto reserved =
        files_.reserve(file_.get(), static_cast<off_t>(reserved_), static_cast<off_t>(end - reserved_));
    if (!reserved) return cannot("reserve space for", path_, reserved.error());
    reserved_ = end;
    return {};
}

Expected<void> Journal::append(std::span<const JournalEntry> entries) {
    const auto frame = write_journal_frame(next_number_, entries);
    if (!frame) return std::unexpected(frame.error());
    if (auto reserved = reserve(frame->size()); !reserved) return reserved;
    auto written = files_.write_at(file_.get(), *frame, static_cast<off_t>(end_));
    if (written) written = files_.sync_data(file_.get());
    if (!written) return cannot("write", path_, written.error());
    end_ += frame->size();
    next_number_ += entries.size();
    return {};
}

}  // namespace rta::store
