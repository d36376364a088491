// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <utility>

#include "rtactl/context/context.h"
#include "rtactl/terminal/completion.h"

namespace rta::rtactl {

/// What the session's daemon knows, asked for at most once, and not for long: somebody is typing.
class DaemonKnowledge final : public Knowledge {
 public:
    explicit DaemonKnowledge(Session& session) : session_{session} {}

    [[nodiscard]] const v1::NodeTypesResult* types() override {
        return graph() == nullptr || !session_.knows_types() ? nullptr : &session_.types();
    }
    [[nodiscard]] const KnownGraph* graph() override {
        constexpr std::chrono::milliseconds kPatience{300};
        if (std::exchange(asked_, true)) return graph_;
        if (const auto graph = session_.learn_graph_within(kPatience)) graph_ = *graph;
        return graph_;
    }

 private:
    Session& session_;
    bool asked_ = false;
    const KnownGraph* graph_ = nullptr;
};

}  // namespace rta::rtactl
