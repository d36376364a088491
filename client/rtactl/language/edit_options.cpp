// SPDX-License-Identifier: MIT
#include "rtactl/language/edit_options.h"

#include <charconv>
#include <string_view>
#include <system_error>

#include "text/quoting.h"

namespace rta::rtactl {

Result<EditOptions> read_edit_options(const Arguments& arguments) {
    EditOptions options{.dry_run = arguments.has("--dry-run")};
    const auto given = arguments.value("--expect");
    if (!given) return options;
    const std::string_view text = *given;
    std::uint64_t revision = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), revision);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return usage_error("--expect: " + quoted(text) +
                           " is not a revision; expected a whole number, as printed by `rtactl status`");
    }
    options.expected_revision = revision;
    return options;
}

}  // namespace rta::rtactl
