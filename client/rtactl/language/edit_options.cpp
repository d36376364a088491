// SPDX-License-Identifier: MIT
#include "rtactl/language/edit_options.h"

#include <charconv>
#include <system_error>

#include "text/quoting.h"

namespace rta::rtactl {

Result<EditOptions> read_edit_options(const Arguments& arguments) {
    EditOptions options{.dry_run = arguments.has("--dry-run")};
    const auto text = arguments.value("--expect");
    if (!text) return options;
    std::uint64_t revision = 0;
    const char* const end = text->data() + text->size();
    const auto [last, fault] = std::from_chars(text->data(), end, revision);
    if (fault != std::errc{} || last != end) {
        return usage_error("--expect: " + quoted(*text) +
                           " is not a revision; expected a whole number, as printed by `rtactl status`");
    }
    options.expected_revision = revision;
    return options;
}

}  // namespace rta::rtactl
