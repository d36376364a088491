// SPDX-License-Identifier: MIT
#include "api/shared_frame.h"

#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

/// A frame that would waste much of a page has one of its own.
constexpr std::size_t kLargeBytes = FramePages::kPageBytes / 8;

}  // namespace

SharedFrame FramePages::add(const v1::ServerMessage& message) {
    const std::size_t payload = message.ByteSizeLong();
    std::string head;
    append_frame_length(head, payload);
    const std::size_t size = head.size() + payload;
    if (size > kLargeBytes) {
        head.reserve(size);
        message.AppendToString(&head);
        return SharedFrame{std::move(head)};
    }
    if (page_ == nullptr || page_->capacity() - page_->size() < size) {
        page_ = std::make_shared<std::string>();
        page_->reserve(kPageBytes);
    }
    SharedFrame frame;
    frame.begin_ = page_->size();
    frame.size_ = size;
    frame.page_ = page_;
    page_->append(head);
    message.AppendToString(page_.get());
    return frame;
}

}  // namespace rta::api
