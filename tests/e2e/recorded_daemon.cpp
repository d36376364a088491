// SPDX-License-Identifier: MIT
#include "recorded_daemon.h"

#include <unistd.h>

#include <stdexcept>

namespace rta::test {

RecordedDaemon::RecordedDaemon(const Options& options) {
    Daemon::Options daemon{.arguments = {"--device", "null:" + (directory_ / "out.wav").string()}};
    if (!options.graph.empty()) {
        write_text(directory_ / "graph.json", options.graph);
        daemon.arguments.insert(daemon.arguments.end(), {"--graph", (directory_ / "graph.json").string()});
    }
    daemon.arguments.insert(daemon.arguments.end(), options.arguments.begin(), options.arguments.end());
    daemon_ = std::make_unique<Daemon>(daemon);
}

void RecordedDaemon::wait_for_frame(std::uint64_t frame) {
    ProtocolClient client = daemon_->client("clock");
    const Deadline deadline;
    while (client.status().engine().frame() < frame) {
        if (deadline.passed()) throw std::runtime_error("the engine does not get to frame " + std::to_string(frame));
        ::usleep(10'000);  // polls the clock of the engine; no real time is assumed
    }
}

Wav RecordedDaemon::stop() {
    const ExitStatus status = daemon_->stop();
    if (status != ExitStatus{0, 0}) {
        throw std::runtime_error("rtad ended with " + describe(status) + ": " + daemon_->process().error());
    }
    return read_wav(directory_ / "out.wav");
}

Wav render(const std::string& document, double duration_s, std::vector<std::string> arguments) {
    const TemporaryDirectory directory;
    write_text(directory / "graph.json", document);
    arguments.insert(arguments.begin(), {"render", "--graph", (directory / "graph.json").string(), "--duration",
                                         std::to_string(duration_s), "--output", (directory / "out.wav").string()});
    const RunResult result = run_rtad(std::move(arguments));
    if (result.status != ExitStatus{0, 0})
        throw std::runtime_error("rtad render: " + describe(result.status) + ": " + result.error);
    return read_wav(directory / "out.wav");
}

}  // namespace rta::test
