// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace rta::app {

/// Returns the sentence that refuses the first argument that neither the program nor its command accepts, with the most
/// similar name. Requires such an argument in the command line that `app` has parsed: app.remaining(true).
[[nodiscard]] std::string unexpected_argument(const CLI::App& app);

}  // namespace rta::app
