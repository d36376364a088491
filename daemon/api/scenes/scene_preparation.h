// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/scenes/processor_pool.h"
#include "api/scenes/scene_content.h"
#include "engine/engine.h"

namespace rta::api {

/// One pass of work that keeps scenes prepared: builds processors that their recalls would need, and frees those that none
/// needs any more. The scenes used last come first, as far as they fit into the memory. A recall takes the processors of one
/// scene, so of each kind, only as many are kept as the scene needs that needs the most.
struct ScenePreparation {
    struct Scene {
        std::string name;
        std::shared_ptr<const std::string> text;
        std::shared_ptr<const SceneContent> content;  ///< null: not read yet; afterwards: not kept in memory
        bool prepared = false;                        ///< the result
        std::uint64_t bytes = 0;                      ///< the result: of the processors that it needs
    };

    std::vector<Scene> scenes;  ///< those used last first
    SharedGraphSnapshot snapshot;
    std::shared_ptr<ProcessorPool> spares;
    std::uint64_t most_bytes = 0;
    bool complete = false;  ///< the result: another pass is not needed until something changes

    /// Takes little more than this time, unless a single processor takes longer.
    static constexpr std::chrono::milliseconds kLongest{50};
    /// [any]
    void run(const Engine& engine);

 private:
    [[nodiscard]] std::uint64_t added_bytes(const ProcessorPool::Counts& counts,
                                            const ProcessorPool::Counts& needs) const;
    [[nodiscard]] ProcessorPool::Counts choose(const Engine& engine, std::vector<ProcessorPool::Counts>& of_scenes);
    [[nodiscard]] bool build(const Engine& engine, const ProcessorPool::Counts& needs) const;
};

}  // namespace rta::api
