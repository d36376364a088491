// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"
#include "rtactl/drawing/status_page.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_status(Context& context, const Arguments&) {
    v1::Request request;
    request.mutable_get_status();
    const auto response = context.query(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (!context.json()) print_status(context.out(), response->get_status());
    return {};
}

}  // namespace

extern constinit const Command kStatus = checked({
    .position = 100,
    .name = "status",
    .help = "Show the device, its latency, the real-time privileges granted, and the engine.",
    .example = "rtactl status",
    .run = run_status,
});

}  // namespace rta::rtactl::commands
