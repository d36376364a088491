// SPDX-License-Identifier: MIT
#include "rtactl/context/context.h"
#include "rtactl/drawing/status_page.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run(Context& context, const Arguments&) {
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
    .run = run,
});

}  // namespace rta::rtactl::commands
