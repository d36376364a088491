// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace rta::io {

/// Returns the name of the default JACK server: that of JACK_DEFAULT_SERVER when the process started, otherwise
/// `default`. [any]
[[nodiscard]] const std::string& default_jack_server();

/// Changes JACK_DEFAULT_SERVER to a server that does not exist, so that PortAudio does not become a client of JACK: it
/// would hang for minutes and abort the process when the server exits. Call it before other threads are started, which
/// may read the environment.
void hide_jack_from_portaudio();

}  // namespace rta::io
