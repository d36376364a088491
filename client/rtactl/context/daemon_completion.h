// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "rtactl/context/config_file.h"
#include "rtactl/context/context.h"
#include "rtactl/terminal/completion.h"

namespace rta::rtactl {

/// Completion source that asks the daemon of a context, at most once and with a short timeout: the user is typing. Reads
/// the configuration file of the user.
class DaemonCompletion final : public CompletionSource {
 public:
    explicit DaemonCompletion(Context& context) : context_{context} {}

    [[nodiscard]] const v1::NodeTypesResult* types() override {
        return graph() == nullptr || !context_.has_types() ? nullptr : &context_.types();
    }
    [[nodiscard]] std::vector<std::string> scenes() override { return context_.scene_names_within(kTimeout); }
    [[nodiscard]] const GraphMirror* graph() override {
        if (std::exchange(asked_, true)) return graph_;
        if (const auto graph = context_.fetch_graph_within(kTimeout)) graph_ = *graph;
        return graph_;
    }
    [[nodiscard]] std::map<std::string, std::string> hosts() override {
        std::map<std::string, std::string> hosts;
        const auto file = read_config_file(default_config_file());
        if (!file) return hosts;
        for (const NamedHost& host : file->hosts) hosts.emplace(host.name, host.options.at("--host").value);
        return hosts;
    }

 private:
    static constexpr std::chrono::milliseconds kTimeout{300};

    Context& context_;
    bool asked_ = false;
    const GraphMirror* graph_ = nullptr;
};

}  // namespace rta::rtactl
