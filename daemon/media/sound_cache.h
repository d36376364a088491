// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "os/file_identity.h"
#include "os/unique_fd.h"
#include "resources/resources.h"
#include "text/error.h"

namespace rta::media {

/// Limits of decoded files.
struct SoundLimits {
    std::uint64_t bytes = std::uint64_t{1} << 30U;           ///< of all files that nodes use
    std::uint64_t (*memory_left_bytes)() = nullptr;          ///< of the machine; nullptr: unknown
    std::uint64_t reserve_bytes = std::uint64_t{32} << 20U;  ///< of it, which files must leave
};

/// Decoded files. Those that want the same version of a file at the same sample rate share one copy, which is freed with its
/// last user. [any] Slow: for workers.
class SoundCache {
 public:
    explicit SoundCache(const SoundLimits& limits) : limits_{limits} {}

    /// Decodes an open file, unless that has been done, or waits until another thread has done so. `name`: for errors, which
    /// are those of Resources::load(). The size is known before the file is decoded, and a file that turns out to be
    /// longer is not read further.
    [[nodiscard]] Expected<std::shared_ptr<const SoundData>> load(os::UniqueFd file, const std::string& name,
                                                                  double sample_rate_hz);
    /// Returns the bytes of all decoded files, and of those that are being decoded.
    [[nodiscard]] std::uint64_t bytes() const { return used_->load(std::memory_order_relaxed); }

 private:
    struct Entry {
        os::FileVersion version;
        double sample_rate_hz;
        std::weak_ptr<const SoundData> sound{};
        bool loading = true;
    };

    [[nodiscard]] Expected<std::shared_ptr<const SoundData>> decode(os::UniqueFd file, const std::string& name,
                                                                    double sample_rate_hz);
    [[nodiscard]] Expected<void> reserve(const std::string& name, std::uint64_t bytes);

    const SoundLimits limits_;
    /// Outlives the cache: sounds that nodes still use subtract their size from it. relaxed: a counter.
    std::shared_ptr<std::atomic<std::uint64_t>> used_ = std::make_shared<std::atomic<std::uint64_t>>(0);
    std::mutex mutex_;
    std::condition_variable loaded_;
    std::list<Entry> entries_{};  ///< under mutex_
};

}  // namespace rta::media
