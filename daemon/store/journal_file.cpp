// SPDX-License-Identifier: MIT
#include "store/journal_file.h"

#include <array>
#include <cstring>
#include <utility>

#include "store/digest.h"

namespace rta::store {
namespace {

constexpr std::string_view kVersion = "rtad journal 1\n";
constexpr std::string_view kMark = "\xF5rtj";
constexpr std::size_t kNumbersBytes = 4 + 8 + 4;
constexpr std::size_t kHeadBytes = kMark.size() + kNumbersBytes + kDigestBytes;
constexpr std::size_t kEntryHeadBytes = 8 + 4 + 4;
constexpr std::uint32_t kNoHistory = 0xFFFF'FFFF;
constexpr std::array<std::string_view, 3> kHistories{"saved", "empty", "lost"};  // as in JournalBase::History
constexpr std::string_view kNoGraph = "-";

template <class Number>
void add(std::string& text, Number number) {
    for (std::size_t i = 0; i < sizeof number; ++i) {
        text += static_cast<char>(static_cast<unsigned char>(number & 0xFFU));
        number = static_cast<Number>(number >> 7U >> 1U);
    }
}

/// Takes a number off the text, which must be long enough.
template <class Number>
Number take(std::string_view& text) {
    Number number = 0;
    for (std::size_t i = sizeof number; i-- > 0;)
        number = static_cast<Number>((number << 7U << 1U) | static_cast<unsigned char>(text[i]));
    text.remove_prefix(sizeof number);
    return number;
}

std::string_view take_bytes(std::string_view& text, std::size_t bytes) {
    const std::string_view taken = text.substr(0, bytes);
    text.remove_prefix(taken.size());
    return taken;
}

Expected<std::string> write_frame(std::uint64_t number, std::size_t count, std::string_view contents) {
    std::string checked;
    checked.reserve(kNumbersBytes + contents.size());
    add(checked, static_cast<std::uint32_t>(contents.size()));
    add(checked, number);
    add(checked, static_cast<std::uint32_t>(count));
    checked += contents;
    const auto hash = sha256(checked);
    if (!hash) return hash;
    std::string frame{kMark};
    frame.append(checked, 0, kNumbersBytes);
    frame += *hash;
    frame.append(checked, kNumbersBytes);
    return frame;
}

struct Frame {
    std::uint64_t number;
    std::uint32_t count;
    std::string_view contents;
    std::size_t bytes;  ///< of the whole frame
};

/// Returns the frame with which the text begins; nullopt if that is not a good one.
Expected<std::optional<Frame>> read_frame(std::string_view text) {
    if (text.size() < kHeadBytes || !text.starts_with(kMark)) return std::nullopt;
    std::string_view rest = text.substr(kMark.size());
    std::string checked{rest.substr(0, kNumbersBytes)};
    const auto length = take<std::uint32_t>(rest);
    const auto number = take<std::uint64_t>(rest);
    const auto count = take<std::uint32_t>(rest);
    const std::string_view hash = take_bytes(rest, kDigestBytes);
    if (length > rest.size()) return std::nullopt;
    const std::string_view contents = rest.substr(0, length);
    checked += contents;
    const auto expected = sha256(checked);
    if (!expected) return std::unexpected(expected.error());
    if (hash != *expected) return std::nullopt;
    return Frame{number, count, contents, kHeadBytes + length};
}

/// Returns whether a good frame begins anywhere in the text.
Expected<bool> has_frame(std::string_view text) {
    for (std::size_t at = text.find(kMark); at != std::string_view::npos; at = text.find(kMark, at + 1)) {
        const auto frame = read_frame(text.substr(at));
        if (!frame) return std::unexpected(frame.error());
        if (*frame) return true;
    }
    return false;
}

std::optional<JournalBase> read_base(const Frame& frame) {
    if (frame.count != 0) return std::nullopt;
    const std::size_t space = frame.contents.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    JournalBase base{.next_number = frame.number};
    if (const std::string_view graph = frame.contents.substr(0, space); graph != kNoGraph) base.graph = graph;
    for (std::size_t i = 0; i < kHistories.size(); ++i) {
        if (frame.contents.substr(space + 1) != kHistories[i]) continue;
        base.history = static_cast<JournalBase::History>(i);
        return base;
    }
    return std::nullopt;
}

/// Adds the entries of a frame. Returns false, and adds none, if it is not a frame of entries with the next numbers.
bool add_entries(const Frame& frame, JournalContents& journal) {
    if (frame.count == 0 || frame.number != journal.base.next_number + journal.entries.size()) return false;
    std::string_view rest = frame.contents;
    std::vector<JournalEntry> entries;
    while (rest.size() >= kEntryHeadBytes) {
        JournalEntry& entry = entries.emplace_back();
        entry.revision = take<std::uint64_t>(rest);
        const auto content = take<std::uint32_t>(rest);
        const auto history = take<std::uint32_t>(rest);
        entry.content = take_bytes(rest, content);
        if (entry.content.size() != content) return false;
        if (history == kNoHistory) continue;
        entry.history = take_bytes(rest, history);
        if (entry.history->size() != history) return false;
    }
    if (!rest.empty() || entries.size() != frame.count) return false;
    journal.entries.insert(journal.entries.end(), std::make_move_iterator(entries.begin()),
                           std::make_move_iterator(entries.end()));
    return true;
}

}  // namespace

std::size_t journal_bytes(std::size_t content_bytes, std::size_t history_bytes) {
    return kHeadBytes + kEntryHeadBytes + content_bytes + history_bytes;
}

Expected<std::string> write_journal_head(const JournalBase& base) {
    std::string contents{base.graph.empty() ? kNoGraph : base.graph};
    contents.append(" ").append(kHistories[static_cast<std::size_t>(base.history)]);
    auto frame = write_frame(base.next_number, 0, contents);
    if (!frame) return frame;
    return std::string{kVersion} + *frame;
}

Expected<std::string> write_journal_frame(std::uint64_t number, std::span<const JournalEntry> entries) {
    std::string contents;
    for (const JournalEntry& entry : entries) {
        add(contents, entry.revision);
        add(contents, static_cast<std::uint32_t>(entry.content.size()));
        add(contents, entry.history ? static_cast<std::uint32_t>(entry.history->size()) : kNoHistory);
        contents += entry.content;
        if (entry.history) contents += *entry.history;
    }
    return write_frame(number, entries.size(), contents);
}

Expected<JournalContents> read_journal(std::string_view file) {
    if (!file.starts_with(kVersion))
        return fail(ErrorCode::invalid_argument,
                    "unknown format: expected \"" + std::string{kVersion.substr(0, kVersion.size() - 1)} + "\"");
    file.remove_prefix(kVersion.size());
    const auto head = read_frame(file);
    if (!head) return std::unexpected(head.error());
    auto base = *head ? read_base(**head) : std::nullopt;
    if (!base) return fail(ErrorCode::invalid_argument, "the beginning is damaged");
    file.remove_prefix((*head)->bytes);
    JournalContents journal{.base = std::move(*base), .entries = {}};
    while (file.find_first_not_of('\0') != std::string_view::npos) {
        const auto frame = read_frame(file);
        if (!frame) return std::unexpected(frame.error());
        if (!*frame || !add_entries(**frame, journal)) {
            // A frame is written when the one before it is on the disk.
            const auto continues = *frame ? Expected<bool>{true} : has_frame(file.substr(1));
            if (!continues) return std::unexpected(continues.error());
            journal.end = *continues ? JournalContents::End::damaged : JournalContents::End::torn;
            break;
        }
        file.remove_prefix((*frame)->bytes);
    }
    return journal;
}

}  // namespace rta::store
