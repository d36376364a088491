// SPDX-License-Identifier: MIT
#include <array>

#include "rtactl/context/context.h"
#include "rtactl/drawing/status_page.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_status(Context& context, const Arguments& arguments) {
    v1::Request request;
    request.mutable_get_status();
    const auto response = context.query(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (!context.json()) print_status(context.out(), response->get_status(), arguments.has("--verbose"));
    return {};
}

constexpr std::array kStatusOptions{
    Option{"--verbose", "", "Also show the id of the instance and the number of plans."}};

}  // namespace

extern constinit const Command kStatus = checked({
    .position = 100,
    .name = "status",
    .help = "Show the device, its latency, the real-time privileges granted, and the engine.",
    .example = "rtactl status",
    .options = kStatusOptions,
    .run = run_status,
});

}  // namespace rta::rtactl::commands
