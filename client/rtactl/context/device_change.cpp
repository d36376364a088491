// SPDX-License-Identifier: MIT
#include "rtactl/context/device_change.h"

#include <ostream>
#include <utility>

#include "rtactl/drawing/wording.h"

namespace rta::rtactl {

Result<void> change_device(Context& context, const std::optional<std::string>& device) {
    v1::Request request;
    v1::SetDevice& change = *request.mutable_set_device();
    if (device) change.set_device(*device);
    const auto response = context.change(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (!context.json()) context.out() << "device: " << device_text(response->set_device().device()) << '\n';
    return {};
}

}  // namespace rta::rtactl
