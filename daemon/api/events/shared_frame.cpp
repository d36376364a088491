// SPDX-License-Identifier: MIT
#include "api/events/shared_frame.h"

#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

/// Larger frames get a separate page, so that they do not waste part of a shared one.
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
    const std::size_t begin = page_->size();
    page_->append(head);
    message.AppendToString(page_.get());
    return {page_, begin, size};
}

}  // namespace rta::api
