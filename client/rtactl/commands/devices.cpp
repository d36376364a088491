// SPDX-License-Identifier: MIT
#include <ostream>
#include <string_view>

#include "rtactl/context/context.h"
#include "rtactl/drawing/text_table.h"
#include "text/format_number.h"
#include "text/quoting.h"

namespace rta::rtactl::commands {

namespace {

/// Returns the same words as `rtad devices`.
std::string notes_on(const v1::Device& device) {
    std::string notes = device.channels_out() == 0 ? "capture only" : "";
    const std::string_view role = device.default_input() && device.default_output() ? "default input and output"
                                  : device.default_output()                         ? "default output"
                                  : device.default_input()                          ? "default input"
                                                                                    : "";
    if (!notes.empty() && !role.empty()) notes += ", ";
    return notes.append(role);
}

void print_devices(std::ostream& out, const v1::DevicesResult& devices) {
    if (devices.devices_size() == 0) {
        out << "no sound card found; rtad uses the null device\n";
        return;
    }
    TextTable table;
    table.heading({"NAME", "IN", "OUT", "RATE", "DEVICE", ""});
    for (const v1::Device& device : devices.devices()) {
        table.add({device.name(), std::to_string(device.channels_in()), std::to_string(device.channels_out()),
                   format_number(device.default_sample_rate_hz()) + " Hz", shell_word(device.flag()),
                   notes_on(device)});
    }
    table.print(out);
}

Result<void> run_devices(Context& context, const Arguments&) {
    v1::Request request;
    request.mutable_list_devices();
    const auto response = context.query(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (!context.json()) print_devices(context.out(), response->list_devices());
    return {};
}

}  // namespace

extern constinit const Command kDevices = checked({
    .position = 110,
    .name = "devices",
    .help = "List the sound devices that the daemon can open.",
    .details = "DEVICE is what \"rtactl device set\" and \"rtad --device\" take.",
    .example = "rtactl devices",
    .run = run_devices,
});

}  // namespace rta::rtactl::commands
