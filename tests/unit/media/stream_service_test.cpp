// SPDX-License-Identifier: MIT
#include "media/stream_service.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rta::media {
namespace {

using std::chrono::milliseconds;

constexpr StreamService::Format kFormat{.frames = 4'096, .ready_frames = 1'024};
constexpr milliseconds kLong{60'000};

/// What a test and the sources that it has opened share.
struct Disk {
    std::mutex mutex;
    std::condition_variable changed;
    bool hangs = false;
    bool fails = false;
    int waiting = 0;  ///< reads that hang

    void set(bool Disk::* flag, bool value) {
        {
            const std::lock_guard lock{mutex};
            this->*flag = value;
        }
        changed.notify_all();
    }
    void await_hanging_read() {
        std::unique_lock lock{mutex};
        changed.wait(lock, [&] { return waiting > 0; });
    }
};

/// Frame n is n, in one channel.
class CountingSource final : public FrameSource {
 public:
    CountingSource(std::shared_ptr<Disk> disk, std::uint64_t frames) : disk_{std::move(disk)}, frames_{frames} {}
    [[nodiscard]] const std::string& name() const override { return name_; }
    [[nodiscard]] std::uint32_t channels() const override { return 1; }
    [[nodiscard]] Expected<std::size_t> read(std::span<float> interleaved) override {
        {
            std::unique_lock lock{disk_->mutex};
            ++disk_->waiting;
            disk_->changed.notify_all();
            disk_->changed.wait(lock, [&] { return !disk_->hangs; });
            --disk_->waiting;
            if (disk_->fails) return fail(ErrorCode::unavailable, "the disk of the test is broken");
        }
        const std::size_t count = std::min<std::uint64_t>(interleaved.size(), frames_ - next_);
        for (std::size_t i = 0; i < count; ++i) interleaved[i] = static_cast<float>(next_ + i);
        next_ += count;
        return count;
    }
    [[nodiscard]] Expected<void> seek(std::uint64_t frame) override {
        next_ = std::min(frame, frames_);
        return {};
    }

 private:
    std::shared_ptr<Disk> disk_;
    std::uint64_t frames_;
    std::uint64_t next_ = 0;
    std::string name_ = "counting.wav";
};

class Streams : public testing::Test {
 protected:
    ReadStream open(std::uint64_t frames, std::shared_ptr<Disk> disk = nullptr) {
        auto stream = service_->open(std::make_unique<CountingSource>(disk ? std::move(disk) : disk_, frames), kFormat);
        EXPECT_TRUE(stream) << stream.error().sentence;
        return std::move(*stream);
    }
    /// Reads until the end, in blocks of at most 64 frames.
    std::vector<float> read_all(ReadStream& stream) {
        std::vector<float> all;
        while (true) {
            EXPECT_TRUE(service_->wait_until_ready(kLong));
            const FrameStream::State state = stream->state();
            if (state.frames == 0) {
                EXPECT_TRUE(state.ended);
                return all;
            }
            std::vector<float> block(std::min(state.frames, 64U));
            EXPECT_TRUE(stream->read(block));
            all.insert(all.end(), block.begin(), block.end());
        }
    }
    static void expect_counting(const std::vector<float>& samples, std::uint64_t from) {
        for (std::size_t n = 0; n < samples.size(); ++n) ASSERT_EQ(samples[n], static_cast<float>(from + n));
    }
    void await_reports(StreamReport::Kind kind, std::uint32_t count) {
        std::unique_lock lock{mutex_};
        EXPECT_TRUE(reported_.wait_for(lock, kLong, [&] {
            std::uint32_t sum = 0;
            for (const StreamReport& report : reports_) sum += report.kind == kind ? report.count : 0;
            return sum >= count;
        }));
    }

    std::shared_ptr<Disk> disk_ = std::make_shared<Disk>();
    std::mutex mutex_;
    std::condition_variable reported_;
    std::vector<StreamReport> reports_;
    std::unique_ptr<StreamService> service_ = std::make_unique<StreamService>([this](const StreamReport& report) {
        const std::lock_guard lock{mutex_};
        reports_.push_back(report);
        reported_.notify_all();
    });
};

TEST_F(Streams, AreFilledBeforeTheyAreOpen) {
    ReadStream stream = open(100'000);
    const FrameStream::State state = stream->state();
    EXPECT_TRUE(state.ready);
    EXPECT_EQ(state.frames, 4'096U);
}

TEST_F(Streams, CarryFilesThatAreLongerThanTheStream) {
    ReadStream stream = open(100'000);
    const std::vector<float> all = read_all(stream);
    EXPECT_EQ(all.size(), 100'000U);
    expect_counting(all, 0);
}

TEST_F(Streams, FollowSeeksInAnyOrder) {
    ReadStream stream = open(1'000'000);
    for (const std::uint64_t frame : {500'000U, 0U, 999'000U, 20U}) {
        stream->seek(frame + 5'000);
        stream->seek(frame);
        ASSERT_TRUE(service_->wait_until_ready(kLong));
        std::vector<float> block(std::min(1'000U, stream->state().frames));
        ASSERT_TRUE(stream->read(block));
        expect_counting(block, frame);
    }
    stream->seek(2'000'000);
    ASSERT_TRUE(service_->wait_until_ready(kLong));
    EXPECT_TRUE(stream->state().ended);
    EXPECT_EQ(stream->state().frames, 0U);
}

TEST_F(Streams, ASourceThatHangsHarmsNoOther) {
    const auto slow = std::make_shared<Disk>();
    ReadStream hanging = open(100'000, slow);
    ReadStream stream = open(100'000);
    slow->set(&Disk::hangs, true);
    hanging->seek(50);
    slow->await_hanging_read();
    std::vector<float> all;
    while (all.size() < 100'000) {
        const FrameStream::State state = stream->state();
        std::vector<float> block(std::min(state.frames, 64U));
        ASSERT_TRUE(stream->read(block));
        all.insert(all.end(), block.begin(), block.end());
        if (block.empty()) std::this_thread::yield();
    }
    expect_counting(all, 0);
    EXPECT_EQ(hanging->state().frames, 0U);
    EXPECT_FALSE(service_->wait_until_ready(milliseconds{1}));
    slow->set(&Disk::hangs, false);
    EXPECT_TRUE(service_->wait_until_ready(kLong));
    std::vector<float> block(1'000);
    ASSERT_TRUE(hanging->read(block));
    expect_counting(block, 50);
}

TEST_F(Streams, TheServiceEndsAlthoughASourceHangs) {
    {
        ReadStream stream = open(100'000);
        disk_->set(&Disk::hangs, true);
        stream->seek(50);
        disk_->await_hanging_read();
        service_.reset();
    }
    disk_->set(&Disk::hangs, false);
}

TEST_F(Streams, ASourceThatFailsIsReportedAndSilent) {
    ReadStream stream = open(100'000);
    disk_->set(&Disk::fails, true);
    const std::vector<float> rest = read_all(stream);
    EXPECT_GE(rest.size(), 4'096U) << "what had been read before is played";
    expect_counting(rest, 0);
    await_reports(StreamReport::Kind::failed, 1);
    ASSERT_TRUE(service_->failure());
    EXPECT_EQ(service_->failure()->sentence, "the disk of the test is broken");
    disk_->set(&Disk::fails, false);
    stream->seek(70);
    ASSERT_TRUE(service_->wait_until_ready(kLong));
    std::vector<float> block(100);
    ASSERT_TRUE(stream->read(block));
    expect_counting(block, 70);
}

TEST_F(Streams, ASourceThatFailsWhileItIsOpenedIsRefused) {
    disk_->fails = true;
    const auto stream = service_->open(std::make_unique<CountingSource>(disk_, 10), kFormat);
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().code, ErrorCode::unavailable);
    EXPECT_EQ(service_->stream_count(), 0U);
}

TEST_F(Streams, ReportDropoutsAndEnds) {
    ReadStream stream = open(100);
    stream->count_dropout();
    stream->count_dropout();
    stream->count_end();
    await_reports(StreamReport::Kind::dropouts, 2);
    await_reports(StreamReport::Kind::ended, 1);
}

TEST_F(Streams, AnAbandonedStreamEndsItsThread) {
    {
        const ReadStream stream = open(100'000);
    }
    while (service_->stream_count() != 0) std::this_thread::yield();
}

TEST_F(Streams, AreLimited) {
    std::vector<ReadStream> streams;
    for (std::uint32_t i = 0; i < StreamService::kMostStreams; ++i) streams.push_back(open(100));
    const auto refused = service_->open(std::make_unique<CountingSource>(disk_, 100), kFormat);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
}

}  // namespace
}  // namespace rta::media
