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

/// View of one or more complete frames, including their lengths, shared by many outboxes without copies. [control]
class SharedFrame {
 public:
    SharedFrame() = default;
    /// Uses a separate page.
    explicit SharedFrame(std::string bytes)
        : size_{bytes.size()}, page_{std::make_shared<const std::string>(std::move(bytes))} {}

    /// Part of a page, which must not change any more.
    SharedFrame(std::shared_ptr<const std::string> page, std::size_t begin, std::size_t size)
        : begin_{begin}, size_{size}, page_{std::move(page)} {}

    [[nodiscard]] explicit operator bool() const { return page_ != nullptr; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::string_view bytes() const { return {page_->data() + begin_, size_}; }
    /// Appends `next` if its frames follow these on the same page; otherwise returns false.
    bool extend(const SharedFrame& next) {
        if (next.page_ != page_ || next.begin_ != begin_ + size_) return false;
        size_ += next.size_;
        return true;
    }

 private:
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
    std::shared_ptr<const std::string> page_;
};

/// Writes consecutive frames onto pages of memory, so that an outbox needs one view for a run of frames. A page lives
/// as long as a view of it. [control]
class FramePages {
 public:
    static constexpr std::size_t kPageBytes = std::size_t{64} << 10U;

    /// Precondition: the message fits into a frame.
    [[nodiscard]] SharedFrame add(const v1::ServerMessage& message);

 private:
    std::shared_ptr<std::string> page_;  ///< never grows beyond its reserved capacity: views stay valid
};

}  // namespace rta::api
