// SPDX-License-Identifier: MIT
#include "api/scenes/scene_preparation.h"

#include <algorithm>
#include <utility>

#include "api/scenes/recall_plan.h"

namespace rta::api {
namespace {

/// Scenes that do not fit are read for nothing: after this number of them, no more are tried.
constexpr std::size_t kMostMisses = 4;

}  // namespace

/// Returns the memory by which the processors of a scene enlarge those of others.
std::uint64_t ScenePreparation::added_bytes(const ProcessorPool::Counts& counts,
                                            const ProcessorPool::Counts& needs) const {
    std::uint64_t bytes = 0;
    for (const auto& [description, count] : counts) {
        const auto known = needs.find(description);
        const std::size_t others = known == needs.end() ? 0 : known->second;
        if (count > others) bytes += description->memory_bytes * (count - others);
    }
    return bytes;
}

/// Returns the processors of all scenes that fit into the memory. Those that do not fit lose their content.
ProcessorPool::Counts ScenePreparation::choose(const Engine& engine, std::vector<ProcessorPool::Counts>& of_scenes) {
    ProcessorPool::Counts needs;
    std::uint64_t bytes = 0;
    std::size_t misses = 0;
    for (Scene& scene : scenes) {
        ProcessorPool::Counts& counts = of_scenes.emplace_back();
        const auto given = std::exchange(scene.content, nullptr);
        if (misses == kMostMisses || scene.text->size() > most_bytes) continue;
        std::shared_ptr<const SceneContent> content = given;
        if (content == nullptr) {
            auto read = read_scene(*scene.text, engine);
            if (!read) continue;  // a recall reports the reason
            content = std::make_shared<const SceneContent>(std::move(*read));
        }
        counts = nodes_to_add(snapshot->graph, *content);
        scene.bytes = added_bytes(counts, {});
        const std::uint64_t more = content->memory_bytes() + added_bytes(counts, needs);
        if (bytes + more > most_bytes) {
            ++misses;
            continue;
        }
        bytes += more;
        scene.content = std::move(content);
        for (const auto& [description, count] : counts) {
            std::size_t& most = needs[description];
            most = std::max(most, count);
        }
    }
    return needs;
}

/// Returns whether nothing is left to do.
bool ScenePreparation::build(const Engine& engine, const ProcessorPool::Counts& needs) const {
    const auto end = std::chrono::steady_clock::now() + kLongest;
    for (const auto& [description, count] : needs) {
        for (std::size_t there = spares->count(*description); there < count; ++there) {
            if (std::chrono::steady_clock::now() >= end) return false;
            // What cannot be built now, because memory is short or a file is missing, is left to the recall.
            if (!engine.build_spare(description, *spares)) break;
        }
        static_cast<void>(spares->count(*description));  // sorts the last one
    }
    return true;
}

void ScenePreparation::run(const Engine& engine) {
    std::vector<ProcessorPool::Counts> of_scenes;
    const ProcessorPool::Counts needs = choose(engine, of_scenes);
    // Also sorts what has come back.
    spares->take_surplus(needs).clear();
    complete = build(engine, needs);
    for (std::size_t i = 0; i < scenes.size(); ++i) {
        scenes[i].prepared = scenes[i].content != nullptr && std::ranges::all_of(of_scenes[i], [&](const auto& need) {
                                 return spares->count(*need.first) >= need.second;
                             });
        if (!scenes[i].prepared) scenes[i].bytes = 0;
    }
}

}  // namespace rta::api
