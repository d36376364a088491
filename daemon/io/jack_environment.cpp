// SPDX-License-Identifier: MIT
#include "io/jack_environment.h"

#include <cstdlib>

namespace rta::io {
namespace {

constexpr const char* kVariable = "JACK_DEFAULT_SERVER";

}  // namespace

const std::string& default_jack_server() {
    static const std::string name = [] {
        const char* const text = std::getenv(kVariable);  // NOLINT(concurrency-mt-unsafe): first called at start
        return std::string{text != nullptr && *text != '\0' ? text : "default"};
    }();
    return name;
}

void hide_jack_from_portaudio() {
    static_cast<void>(default_jack_server());
    setenv(kVariable, "hidden-from-portaudio", 1);  // NOLINT(concurrency-mt-unsafe): see the header
}

}  // namespace rta::io
