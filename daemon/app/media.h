// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "media/media_files.h"
#include "text/error.h"

namespace rta::app {

/// Opens the folders of --media-dir, with the limits of the memory of nodes. `graph_memory_bytes`: that of
/// --max-graph-memory; 0: none. `on_report`: see media::StreamService. Errors: a folder that cannot be opened.
[[nodiscard]] Expected<std::unique_ptr<media::MediaFiles>> open_media(const std::vector<std::string>& folders,
                                                                      std::uint64_t graph_memory_bytes,
                                                                      media::StreamService::OnReport on_report);

/// Logs what happens to streams. Runs on a thread of the streams. [any]
void log_stream(const media::StreamReport& report);

/// Does nothing with it. [any]
void ignore_stream(const media::StreamReport& report);

}  // namespace rta::app
