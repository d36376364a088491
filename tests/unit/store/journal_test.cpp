// SPDX-License-Identifier: MIT
#include "store/journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "os/file.h"
#include "store/journal_file.h"
#include "support/temporary.h"

namespace rta::store {
namespace {

using End = JournalContents::End;

std::vector<JournalEntry> entries() {
    return {{7, "add a", "step 1"},
            {8, "", ""},
            {8, std::string(300, 'x'), std::nullopt},
            {9, "add b", "step 2"},
            {10, std::string{"\0\xF5rtj", 5}, ""},
            {11, "last", "step 3"}};
}

const JournalBase kBase{.graph = std::string(64, 'a'), .history = JournalBase::History::saved, .next_number = 41};

/// A journal of which each frame has as many entries as `sizes` says.
std::string journal_of(const std::vector<std::size_t>& sizes) {
    const std::vector<JournalEntry> all = entries();
    std::string text = write_journal_head(kBase).value();
    std::size_t begin = 0;
    for (const std::size_t size : sizes) {
        text += write_journal_frame(kBase.next_number + begin, std::span{all}.subspan(begin, size)).value();
        begin += size;
    }
    return text;
}

bool is_beginning(const std::vector<JournalEntry>& some) {
    const std::vector<JournalEntry> all = entries();
    return some.size() <= all.size() && std::equal(some.begin(), some.end(), all.begin());
}

TEST(JournalFile, WhatIsWrittenIsRead) {
    for (const std::size_t zeros : {0U, 1U, 5'000U}) {
        const auto read = read_journal(journal_of({1, 2, 3}) + std::string(zeros, '\0'));
        ASSERT_TRUE(read) << read.error().sentence;
        EXPECT_EQ(read->base, kBase);
        EXPECT_EQ(read->entries, entries());
        EXPECT_EQ(read->end, End::complete);
    }
    const auto empty = read_journal(write_journal_head({}).value());
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->base, JournalBase{});
    EXPECT_TRUE(empty->entries.empty());
}

TEST(JournalFile, EveryBeginningIsAWholeNumberOfFrames) {
    const std::string text = journal_of({1, 2, 3});
    const std::size_t head = write_journal_head(kBase)->size();
    for (std::size_t length = 0; length < text.size(); ++length) {
        for (const std::size_t zeros : {0U, 600U}) {
            const auto read = read_journal(text.substr(0, length) + std::string(zeros, '\0'));
            ASSERT_EQ(read.has_value(), length >= head) << length;
            if (!read) continue;
            EXPECT_TRUE(is_beginning(read->entries)) << length;
            const std::size_t count = read->entries.size();
            EXPECT_TRUE(count == 0 || count == 1 || count == 3) << length;
            EXPECT_NE(read->end, End::damaged) << length;
        }
    }
}

TEST(JournalFile, NoDamagedByteIsTakenForAnEntry) {
    const std::string text = journal_of({1, 2, 2, 1}) + std::string(100, '\0');
    const std::size_t frames_end = text.size() - 100;
    const std::size_t last_frame = journal_of({1, 2, 2}).size();
    const std::size_t head = write_journal_head(kBase)->size();
    for (std::size_t place = 0; place < text.size(); ++place) {
        for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
            std::string damaged = text;
            damaged[place] = static_cast<char>(static_cast<unsigned char>(damaged[place]) ^ flip);
            const auto read = read_journal(damaged);
            ASSERT_EQ(read.has_value(), place >= head) << place;
            if (!read) continue;
            EXPECT_TRUE(is_beginning(read->entries)) << place;
            if (place >= frames_end) {
                EXPECT_EQ(read->entries.size(), entries().size()) << place;
                continue;
            }
            EXPECT_LT(read->entries.size(), entries().size()) << place;
            EXPECT_EQ(read->end, place < last_frame ? End::damaged : End::torn) << place;
        }
    }
}

/// A frame of another journal, or one that is missing.
TEST(JournalFile, AFrameWithAnotherNumberIsDamage) {
    const std::vector<JournalEntry> all = entries();
    for (const std::uint64_t number : {0U, 40U, 42U, 43U, 1'000U}) {
        const auto frame = write_journal_frame(number, std::span{all}.first(2));
        const auto read = read_journal(write_journal_head(kBase).value() + *frame);
        ASSERT_TRUE(read);
        EXPECT_TRUE(read->entries.empty());
        EXPECT_EQ(read->end, End::damaged);
    }
}

TEST(JournalFile, AnotherVersionIsRefused) {
    std::string text = journal_of({6});
    text.replace(text.find('1'), 1, "2");
    const auto read = read_journal(text);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::invalid_argument);
    EXPECT_NE(read.error().sentence.find("unknown format"), std::string::npos) << read.error().sentence;
}

class JournalTest : public testing::Test {
 protected:
    [[nodiscard]] Expected<void> create(Journal& journal) const {
        return journal.create(folder_.get(), "journal", path_, kBase);
    }
    [[nodiscard]] Expected<JournalContents> read() const { return read_journal(test::read_text(path_)); }

    test::TemporaryDirectory directory_;
    std::string path_ = directory_ / "journal";
    os::UniqueFd folder_ = os::open_folder(directory_.path()).value();
    Journal journal_{os::FileOperations::system()};
};

TEST_F(JournalTest, SpaceIsReservedBeforeItIsUsed) {
    ASSERT_TRUE(create(journal_));
    ASSERT_GT(journal_.room(), 10'000U);
    EXPECT_EQ(journal_.entry_count(), 0U);
    const std::size_t room = journal_.room();
    const std::vector<JournalEntry> all = entries();
    ASSERT_TRUE(journal_.append(std::span{all}.first(2)));
    EXPECT_LT(journal_.room(), room);
    EXPECT_EQ(journal_.entry_count(), 2U);
    ASSERT_TRUE(journal_.reserve(1'000'000));
    EXPECT_GE(journal_.room(), 1'000'000U);
    ASSERT_TRUE(journal_.append(std::span{all}.subspan(2)));
    const auto read = this->read();
    ASSERT_TRUE(read);
    EXPECT_EQ(read->entries, all);
    EXPECT_EQ(read->end, End::complete);
    const auto too_long = journal_.reserve(Journal::kMaximumBytes);
    ASSERT_FALSE(too_long);
    EXPECT_EQ(too_long.error().code, ErrorCode::resource_exhausted);
    EXPECT_GT(journal_.room(), 900'000U) << "what is reserved stays";
}

TEST_F(JournalTest, AnEntryLongerThanTheReservedSpaceIsWritten) {
    ASSERT_TRUE(create(journal_));
    const std::vector<JournalEntry> one{{1, std::string(3'000'000, 'x'), ""}};
    ASSERT_TRUE(journal_.append(one));
    EXPECT_EQ(read()->entries, one);
}

TEST_F(JournalTest, ARemovedFileIsNotOpen) {
    EXPECT_FALSE(journal_.is_open());
    ASSERT_TRUE(create(journal_));
    EXPECT_TRUE(journal_.is_open());
    std::filesystem::remove(path_);
    EXPECT_FALSE(journal_.is_open());
}

}  // namespace
}  // namespace rta::store
