// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/context.h"

namespace rta::rtactl::commands {

namespace {

Result<void> run_panic(Context& context, const Arguments&) {
    v1::Request request;
    request.mutable_panic();
    const auto response = context.change(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (context.json()) return {};
    context.out() << "all processors reset";
    if (response->panic().has_frame()) context.out() << " at frame " << response->panic().frame();
    context.out() << "; the device output is muted: `rtactl unmute` unmutes it\n";
    return {};
}

}  // namespace

extern constinit const Command kPanic = checked({
    .position = 330,
    .name = "panic",
    .help = "Mute the device output and reset all processors.",
    .details =
        "Stops runaway feedback or an endless tail. The graph and its parameters do not change. The output stays\n"
        "muted until `rtactl unmute`.",
    .example = "rtactl panic",
    .run = run_panic,
});

}  // namespace rta::rtactl::commands
