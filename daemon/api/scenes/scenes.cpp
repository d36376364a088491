// SPDX-License-Identifier: MIT
#include "api/scenes/scenes.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "api/exception_barrier.h"
#include "api/scenes/scene_files.h"
#include "graph/edit_checks.h"

namespace rta::api {
namespace {

/// The graph may change often: scenes are prepared again no sooner than this after the last time.
constexpr std::chrono::milliseconds kPreparationInterval{250};

std::string kibibytes(std::size_t bytes) { return std::to_string((bytes + 1023) >> 10U) + " KiB"; }

Expected<void> check_room(std::size_t bytes, std::size_t others, std::size_t limit) {
    if (others + bytes <= limit) return {};
    return fail(ErrorCode::resource_exhausted, "the scene takes " + kibibytes(bytes) + ", and the other scenes " +
                                                   kibibytes(others) + ": the limit of all scenes is " +
                                                   kibibytes(limit) + " (--max-scene-memory); remove one first");
}

}  // namespace

Scenes::Scenes(Engine& engine, DaemonAccess& daemon, EventHub& hub, Workers& workers, std::function<TimePoint()> clock,
               const SceneLimits& limits, std::function<void()> wake)
    : engine_{engine},
      daemon_{daemon},
      hub_{hub},
      workers_{workers},
      clock_{std::move(clock)},
      limits_{limits},
      wake_{std::move(wake)} {}

// ---------------------------------------------------------------------------------------------------------------------
// Queries

std::unexpected<Error> Scenes::not_found(std::string_view name) const {
    std::vector<std::string_view> names;
    names.reserve(scenes_.size());
    for (const auto& [known, scene] : scenes_) names.push_back(known);
    return std::unexpected(unknown_scene(name, names));
}

Expected<Scenes::Table::iterator> Scenes::require(std::string_view name) {
    const auto found = scenes_.find(name);
    if (found == scenes_.end()) return not_found(name);
    return found;
}

v1::SceneInfo Scenes::info_of(const Scene& scene) const {
    v1::SceneInfo info = scene.info;
    if (!is_current() || !scene.prepared) return info;
    info.set_prepared(true);
    info.set_prepared_bytes(scene.prepared_bytes);
    return info;
}

std::vector<v1::SceneInfo> Scenes::list() const {
    std::vector<v1::SceneInfo> infos;
    infos.reserve(scenes_.size());
    for (const auto& [name, scene] : scenes_) infos.push_back(info_of(scene));
    return infos;
}

Expected<Scenes::Found> Scenes::find(std::string_view name) const {
    const auto found = scenes_.find(name);
    if (found == scenes_.end()) return not_found(name);
    const Scene& scene = found->second;
    return Found{.info = info_of(scene), .text = scene.text, .content = scene.content, .version = scene.version};
}

std::optional<std::uint64_t> Scenes::version(std::string_view name) const {
    const auto found = scenes_.find(name);
    return found == scenes_.end() ? std::nullopt : std::optional{found->second.version};
}

// ---------------------------------------------------------------------------------------------------------------------
// Changes

/// Returns the memory that the other scenes take.
Expected<std::size_t> Scenes::bytes_of_others(const std::string& name) const {
    const auto old = scenes_.find(name);
    if (old != scenes_.end()) return bytes_ - old->second.text->size();
    if (scenes_.size() < limits_.scenes) return bytes_;
    return fail(ErrorCode::resource_exhausted,
                "there are " + std::to_string(scenes_.size()) + " scenes already (--max-scenes); remove one first");
}

v1::SceneInfo Scenes::put(const std::string& name, const SceneHeader& header, std::string text) {
    Scene& scene = scenes_[name];
    if (scene.text != nullptr) bytes_ -= scene.text->size();
    bytes_ += text.size();
    scene.info.set_name(name);
    scene.info.set_node_count(header.nodes);
    scene.info.set_partial(header.partial);
    scene.info.set_author(header.author);
    scene.info.set_utc_us(header.utc_us);
    scene.text = std::make_shared<const std::string>(std::move(text));
    scene.content = nullptr;
    scene.prepared = false;
    scene.version = ++versions_;
    scene.used = ++uses_;
    changed_ = true;
    return info_of(scene);
}

Expected<void> Scenes::restore(const std::string& name, std::string text) {
    if (auto good = check_scene_name(name); !good) return good;
    const auto document = read_document(text);
    if (!document) return std::unexpected(document.error());
    SceneHeader header = read_scene_header(text);
    header.nodes = static_cast<std::uint32_t>(document->nodes.size());
    static_cast<void>(put(name, header, std::move(text)));
    return {};
}

void Scenes::save(const std::string& name, std::vector<std::string> nodes, const Who& who, Done done) {
    struct Job {
        std::string name;
        std::vector<std::string> nodes;
        SharedGraphSnapshot snapshot;
        std::size_t others = 0;  ///< bytes of the other scenes
        SceneHeader header{};
        std::string text{};
    };
    const auto job =
        std::make_shared<Job>(Job{.name = name, .nodes = std::move(nodes), .snapshot = engine_.snapshot()});
    job->header = {.partial = !job->nodes.empty(), .author = who.author, .utc_us = daemon_.utc_us()};
    add({.check = [this, job]() -> Expected<void> {
             if (auto good = check_scene_name(job->name); !good) return good;
             const auto others = bytes_of_others(job->name);
             if (!others) return std::unexpected(others.error());
             job->others = *others;
             return {};
         },
         .work = [job, files = daemon_.scene_files(), limit = limits_.bytes]() -> Expected<void> {
             auto document = scene_document(job->snapshot->graph, job->nodes);
             if (!document) return std::unexpected(std::move(document.error()));
             job->header.nodes = static_cast<std::uint32_t>(document->nodes.size());
             job->text = write_scene(job->header, *document);
             if (auto room = check_room(job->text.size(), job->others, limit); !room) return room;
             return files == nullptr ? Expected<void>{} : files->write(job->name, job->text);
         },
         .apply = [this, job, who]() -> Expected<v1::SceneInfo> {
             v1::SceneInfo info = put(job->name, job->header, std::move(job->text));
             publish(v1::SceneChanged::SAVED, info, who);
             return info;
         },
         .done =
             [job, done = std::move(done)](const Expected<v1::SceneInfo>& outcome) {
                 job->snapshot.reset();  // on this thread
                 done(outcome);
             }});
}

void Scenes::rename(const std::string& name, const std::string& new_name, const Who& who, Done done) {
    add({.check = [this, name, new_name]() -> Expected<void> {
             if (auto known = require(name); !known) return std::unexpected(std::move(known.error()));
             if (auto good = check_scene_name(new_name); !good) return good;
             if (!scenes_.contains(new_name)) return {};
             return std::unexpected(scene_exists(new_name));
         },
         .work = [name, new_name, files = daemon_.scene_files()]() -> Expected<void> {
             return files == nullptr ? Expected<void>{} : files->rename(name, new_name);
         },
         .apply = [this, name, new_name, who]() -> Expected<v1::SceneInfo> {
             auto renamed = scenes_.extract(name);
             renamed.key() = new_name;
             renamed.mapped().info.set_name(new_name);
             const Scene& scene = scenes_.insert(std::move(renamed)).position->second;
             publish(v1::SceneChanged::RENAMED, info_of(scene), who, name);
             return info_of(scene);
         },
         .done = std::move(done)});
}

void Scenes::remove(const std::string& name, const Who& who, Done done) {
    add({.check = [this, name]() -> Expected<void> {
             if (auto known = require(name); !known) return std::unexpected(std::move(known.error()));
             return {};
         },
         .work = [name, files = daemon_.scene_files()]() -> Expected<void> {
             return files == nullptr ? Expected<void>{} : files->remove(name);
         },
         .apply = [this, name, who]() -> Expected<v1::SceneInfo> {
             auto removed = scenes_.extract(name);
             bytes_ -= removed.mapped().text->size();
             changed_ = true;
             publish(v1::SceneChanged::REMOVED, removed.mapped().info, who);
             return removed.mapped().info;
         },
         .done = std::move(done)});
}

void Scenes::add(Change change) {
    changes_.push_back(std::move(change));
    start_next();
}

void Scenes::start_next() {
    while (!busy_ && !changes_.empty()) {
        busy_ = true;
        if (auto allowed = changes_.front().check(); !allowed) {
            finish(allowed);
            continue;
        }
        const auto outcome = std::make_shared<Expected<void>>();
        const auto started = guarded("changing the scenes", [&] {
            workers_.run(
                "changing the scenes", [outcome, work = changes_.front().work] { *outcome = work(); },
                [this, outcome, alive = alive_](const Expected<void>& ran) {
                    if (!*alive) return;
                    finish(ran ? *outcome : std::unexpected(unchanged(ran.error())));
                    start_next();
                });
        });
        if (!started) finish(started);
    }
}

/// Applies the first change if it has succeeded. What `done` adds waits for its turn.
void Scenes::finish(const Expected<void>& outcome) {
    const Change change = std::move(changes_.front());
    changes_.pop_front();
    Expected<v1::SceneInfo> result = std::unexpected(outcome ? Error{ErrorCode::internal, {}, {}} : outcome.error());
    if (outcome) {
        const auto applied = guarded("changing the scenes", [&] { result = change.apply(); });
        if (!applied) result = std::unexpected(applied.error());
    }
    static_cast<void>(guarded("reporting a change of the scenes", [&] { change.done(result); }));
    busy_ = false;
    wake_();
}

void Scenes::publish(v1::SceneChanged::What what, const v1::SceneInfo& scene, const Who& who, std::string_view old_name,
                     std::uint64_t revision) {
    const auto fill = [&](v1::Event& event) {
        v1::SceneChanged& changed = *event.mutable_scene_changed();
        changed.set_what(what);
        *changed.mutable_scene() = scene;
        changed.set_old_name(std::string{old_name});
        changed.set_revision(revision);
        changed.set_client_name(who.client_name);
        changed.set_author(who.author);
    };
    hub_.publish(std::cref(fill));  // does not allocate, as in publish_edits()
}

// ---------------------------------------------------------------------------------------------------------------------
// Recalls

const std::shared_ptr<ProcessorPool>& Scenes::take_spares() {
    changed_ = true;
    return spares_;
}

void Scenes::recalled(const std::string& name, std::uint64_t revision, const Who& who) {
    changed_ = true;
    v1::SceneInfo info;
    info.set_name(name);
    // It may have been removed in the meantime.
    if (const auto found = scenes_.find(name); found != scenes_.end()) {
        found->second.used = ++uses_;
        info = info_of(found->second);
    }
    publish(v1::SceneChanged::RECALLED, info, who, {}, revision);
    wake_();
}

void Scenes::poll(TimePoint now) {
    if (preparing_ || is_unused() || is_current() || now < next_preparation_) return;
    prepare(now);
}

std::optional<std::chrono::microseconds> Scenes::interval(TimePoint now) const {
    if (preparing_ || is_unused() || is_current()) return std::nullopt;
    return std::max(std::chrono::ceil<std::chrono::microseconds>(next_preparation_ - now),
                    std::chrono::microseconds{1'000});
}

void Scenes::prepare(TimePoint now) {
    next_preparation_ = now + kPreparationInterval;
    const auto job = std::make_shared<ScenePreparation>();
    job->scenes.reserve(scenes_.size());
    std::vector<const Table::value_type*> order;
    for (const auto& entry : scenes_) order.push_back(&entry);
    std::ranges::sort(order, std::ranges::greater{}, [](const auto* entry) { return entry->second.used; });
    for (const auto* const entry : order) {
        job->scenes.push_back({.name = entry->first, .text = entry->second.text, .content = entry->second.content});
    }
    job->snapshot = engine_.snapshot();
    job->spares = spares_;
    job->most_bytes = limits_.prepared_bytes;
    preparing_ = true;
    changed_ = false;
    const auto started = guarded("preparing scenes", [&] {
        workers_.run(
            "preparing scenes", [job, &engine = std::as_const(engine_)] { job->run(engine); },
            [this, job, alive = alive_](const Expected<void>& ran) {
                const std::uint64_t revision = job->snapshot->revision;
                job->snapshot.reset();  // on this thread
                if (!*alive) return;
                preparing_ = false;
                if (ran) prepared(*job, revision);
                // Without memory, the attempt is repeated at the next change.
                if (!ran) prepared_revision_ = revision;
            },
            Workers::Lane::background);
    });
    if (!started) preparing_ = false;
}

void Scenes::prepared(ScenePreparation& result, std::uint64_t revision) {
    for (auto& [name, scene] : scenes_) scene.prepared = false;
    for (ScenePreparation::Scene& done : result.scenes) {
        const auto found = scenes_.find(done.name);
        if (found == scenes_.end() || found->second.text != done.text) continue;
        found->second.content = std::move(done.content);
        found->second.prepared = done.prepared;
        found->second.prepared_bytes = done.bytes;
    }
    if (result.complete) {
        prepared_revision_ = revision;
    } else {
        prepared_revision_.reset();
        next_preparation_ = {};
    }
    wake_();
}

}  // namespace rta::api
