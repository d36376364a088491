// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace rta::v1 {
class ServerMessage;
}

namespace rta::api {

/// One or more whole frames, length included, of which many outboxes hold views and nobody a copy. [control]
class SharedFrame {
 public:
    SharedFrame() = default;
    /// On a page of its own.
    explicit SharedFrame(std::string bytes)
        : size_{bytes.size()}, page_{std::make_shared<const std::string>(std::move(bytes))} {}

    [[nodiscard]] explicit operator bool() const { return page_ != nullptr; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::string_view bytes() const { return {page_->data() + begin_, size_}; }
    /// Takes in the frames that stand right behind these; false if `next` does not.
    bool extend(const SharedFrame& next) {
        if (next.page_ != page_ || next.begin_ != begin_ + size_) return false;
        size_ += next.size_;
        return true;
    }

 private:
    friend class FramePages;
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
    std::shared_ptr<const std::string> page_;
};

/// Writes frames side by side on pages of memory, so that an outbox that holds a run of them holds one view. A page
/// lives as long as somebody's view of it does. [control]
class FramePages {
 public:
    static constexpr std::size_t kPageBytes = std::size_t{64} << 10U;

    /// Precondition: the message fits into a frame.
    [[nodiscard]] SharedFrame add(const v1::ServerMessage& message);

 private:
    std::shared_ptr<std::string> page_;  ///< never grows beyond what was reserved: views stay good
};

}  // namespace rta::api
