// SPDX-License-Identifier: MIT
#include "app/requested_device.h"

#include <utility>

#include "text/quoting.h"

namespace rta::app {

Expected<io::DeviceRequest> requested_device(const std::string& device, const io::DeviceRequest& configured) {
    if (!is_printable(device)) {
        return fail(ErrorCode::invalid_argument,
                    "invalid device " + quoted(device) + ": expected printable characters in UTF-8");
    }
    auto choice = io::parse_device(device, io::device_kinds());
    if (!choice) return std::unexpected(std::move(choice.error()));
    const bool is_file =
        choice->kind != nullptr && choice->kind->argument_use == io::ArgumentUse::output_file && !choice->name.empty();
    if (is_file && *choice != configured.device) {
        return fail(ErrorCode::invalid_argument,
                    "cannot record to " + quoted(choice->name) + ": a client may not write files; use rtad --device");
    }
    io::DeviceRequest request = configured;
    // The configured input belongs to the configured device.
    if (*choice != configured.device) request.input.reset();
    request.device = std::move(*choice);
    request.existing_file = io::ExistingFile::rename;
    if (auto checked = io::check_request(request, io::device_kinds()); !checked) {
        return std::unexpected(std::move(checked.error()));
    }
    return request;
}

}  // namespace rta::app
