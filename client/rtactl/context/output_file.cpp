// SPDX-License-Identifier: MIT
#include "rtactl/context/output_file.h"

#include <ostream>
#include <utility>

#include "rtactl/terminal/file.h"
#include "rtactl/terminal/printable_stream.h"

namespace rta::rtactl {

Result<void> check_output(std::string_view path) {
    if (path.empty()) return usage_error("empty file name");
    return {};
}

Result<void> write_output(Context& context, const std::string& path, std::string_view text) {
    if (path == kStandardStream) {
        if (!context.json()) context.out() << printable_document(text);
        return {};
    }
    if (auto written = replace_file(path, text); !written) return usage_error(std::move(written.error()));
    return {};
}

}  // namespace rta::rtactl
