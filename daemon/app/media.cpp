// SPDX-License-Identifier: MIT
#include "app/media.h"

#include <cstdint>
#include <utility>

#include "app/logging.h"
#include "app/process_setup.h"
#include "text/quoting.h"

namespace rta::app {

Expected<std::unique_ptr<media::MediaFiles>> open_media(const std::vector<std::string>& folders,
                                                        std::uint64_t graph_memory_bytes,
                                                        media::StreamService::OnReport on_report) {
    auto opened = media::MediaFolders::open(folders);
    if (!opened) return std::unexpected(std::move(opened.error()));
    media::SoundLimits limits{.memory_left_bytes = &available_memory_bytes};
    if (graph_memory_bytes != 0) limits.bytes = graph_memory_bytes;
    return std::make_unique<media::MediaFiles>(std::move(*opened), limits, std::move(on_report));
}

void log_stream(const media::StreamReport& report) {
    const std::string file = "the file " + quoted(report.source);
    switch (report.kind) {
        case media::StreamReport::Kind::dropouts:
            return log(net::LogLevel::warning, file + " was read too slowly: " + std::to_string(report.count) +
                                                   (report.count == 1 ? " dropout" : " dropouts"));
        case media::StreamReport::Kind::ended:
            return log(net::LogLevel::debug, file + " was played to its end");
        case media::StreamReport::Kind::failed:
            return log(net::LogLevel::warning, report.reason);
    }
}

void ignore_stream(const media::StreamReport&) {}

}  // namespace rta::app
