// SPDX-License-Identifier: MIT
#include "app/saved_state.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "api/confirmation/saved_confirmation.h"
#include "api/replay.h"
#include "app/graph_file.h"
#include "app/logging.h"
#include "document/document.h"
#include "engine/graph_replay.h"
#include "graph/document_values.h"
#include "graph/edit.h"
#include "io/device_kind.h"
#include "text/format_number.h"

namespace rta::app {

SavedState::SavedState(const DaemonOptions& options, Engine& engine, api::History& history,
                       api::Confirmation& confirmation, const store::GraphStore::Post& post,
                       std::function<void()> room_changed)
    : options_{options},
      engine_{engine},
      history_{history},
      confirmation_{confirmation},
      room_changed_{std::move(room_changed)},
      file_{options.state_directory} {
    if (options.state_directory.empty()) return;
    store_.emplace(options.state_directory, post, static_cast<store::GraphStore::Owner&>(*this),
                   store::GraphStore::Settings{.durability = options.durability});
}

int SavedState::restore() {
    if (!store_) return load_graph();
    bool history_known = false;
    const auto restored = store_->restore(
        [this](const std::string& text) {
            return logged(
                load_graph_text(engine_, text, store_->status().directory + "/graph.json", LimitsOf::operator_graph));
        },
        [&](const std::string& history) {
            auto taken = history_.restore(history);
            history_known = taken.has_value();
            return taken;
        },
        [this](const auto& graph, const auto& history, auto entries) { return replay(graph, history, entries); });
    if (!restored) {
        log(net::LogLevel::error, restored.error().sentence);
        return restored.error().code == ErrorCode::already_exists ? kExitUsage : kExitFailure;
    }
    const bool loaded = restored->graph == store::GraphStore::RestoredGraph::loaded;
    if (loaded) {
        log(net::LogLevel::info, "restored the graph of " + options_.state_directory);
        if (!options_.graph.empty()) {
            log(net::LogLevel::info,
                "--graph " + options_.graph + " is not loaded: the state directory contains a saved graph");
        }
    }
    if (const int status = restore_output(restored->output); status != kExitClean) return status;
    const auto reverted = restore_confirmation(*restored, history_known);
    if (!reverted) {
        log(net::LogLevel::error, reverted.error().sentence);
        return kExitFailure;
    }
    return *reverted || loaded ? kExitClean : load_graph();
}

/// Continues to wait for the confirmation of an edit, or reverts it. Returns whether the engine has the graph before the
/// edit because the saved one is damaged. UNAVAILABLE: the file cannot be read now. It is not touched, as the graph: the edit
/// would stay for good.
Expected<bool> SavedState::restore_confirmation(const store::GraphStore::Restored& restored, bool history_known) {
    using store::GraphStore;
    const auto text = file_.read();
    if (!text && text.error().code == ErrorCode::unavailable) {
        // Without a graph, no edit waits: the directory may be missing, which is reported.
        if (restored.graph == GraphStore::RestoredGraph::none) return false;
        return std::unexpected(text.error());
    }
    if (text && !*text) return false;
    if (text && restored.graph == GraphStore::RestoredGraph::none) {
        confirmation_.restored_reverted(0);  // of a graph that an administrator has removed
        return false;
    }
    const auto loaded = text ? load_confirmation(**text, restored, history_known) : std::unexpected(text.error());
    if (loaded) return restored.graph == GraphStore::RestoredGraph::damaged;
    const auto renamed = file_.rename();
    log(net::LogLevel::error, "an edit that waits for its confirmation stays: " + loaded.error().sentence + "; " +
                                  (renamed ? "renamed to " + *renamed : renamed.error().sentence));
    return false;
}

/// If the history is not known, the graphs are compared instead: the edit is not in the saved one if they are the same.
Expected<void> SavedState::load_confirmation(const std::string& text, const store::GraphStore::Restored& restored,
                                             bool history_known) {
    const auto saved = api::SavedConfirmation::read(text);
    if (!saved) return std::unexpected(saved.error());
    const std::string edit = "the edit of " + saved->author + " (" + saved->summary + ") ";
    const auto nothing_waits = [&](net::LogLevel level, const std::string& why) -> Expected<void> {
        log(level, edit + why);
        confirmation_.restored_reverted(0);
        return {};
    };
    if (restored.edited_by_hand) {
        return nothing_waits(net::LogLevel::warning,
                             "does not wait for its confirmation any more: " + store_->status().directory +
                                 "/graph.json was changed while rtad was not running, and counts");
    }
    const auto not_there = [&] {
        return nothing_waits(net::LogLevel::info, "is not in the saved graph: nothing waits for its confirmation");
    };
    if (history_known && history_.open_edit() != saved->key) return not_there();
    const bool damaged = restored.graph == store::GraphStore::RestoredGraph::damaged;
    const auto target = read_target(*saved, history_known);
    if (!target) return std::unexpected(target.error());
    const bool same = write_document(engine_.graph().document()) == write_document(target->document());
    if (!damaged && !history_known && same) return not_there();
    // The time of day may have been set back.
    const auto within = std::chrono::microseconds{std::chrono::seconds{saved->within_s}};
    const auto left = std::min(std::chrono::microseconds{saved->until_utc_us - api::History::utc_now()}, within);
    if (damaged || left <= std::chrono::microseconds{0}) {
        if (auto loaded = load_target(*saved, history_known); !loaded) return loaded;
        graph_changed();
        log(net::LogLevel::warning, edit + "was not confirmed in time and is reverted");
        static_cast<void>(history_.revert(saved->mark, saved->author));
        history_.set_open_edit(0);
        confirmation_.restored_reverted(engine_.revision());
        return {};
    }
    confirmation_.restore(*saved, *target, left);
    log(net::LogLevel::warning, edit + "waits for its confirmation; it is reverted in " +
                                    format_number(std::ceil(std::chrono::duration<double>(left).count())) + " s");
    return {};
}

/// Loads the graph before the edit. Its nodes get the identities that they had, if the steps of the history name these.
Expected<void> SavedState::load_target(const api::SavedConfirmation& saved, bool history_known) {
    const auto loaded = load_graph_text(engine_, saved.document, file_.path(), LimitsOf::operator_graph);
    if (!loaded) return std::unexpected(loaded.error());
    if (history_known) engine_.restore_identities(saved.identities, engine_.next_identity());
    return {};
}

/// Returns the graph before the edit, which does not play. Its nodes have the identities that they had; if the history does
/// not name these, those of the nodes of the same name and type.
Expected<AudioGraph> SavedState::read_target(const api::SavedConfirmation& saved, bool history_known) {
    auto document = load_document(saved.document, engine_.registry(), engine_.config().sample_rate_hz);
    if (!document) {
        return fail(document.error().code, file_.path() + ": " + document.error().sentence);
    }
    GraphReplay replay{engine_.registry(), engine_.config()};
    if (auto applied = replay.apply(ReplaceGraph{std::move(document->document)}); !applied)
        return std::unexpected(std::move(applied.error()));
    AudioGraph target = replay.graph();
    const AudioGraph& present = engine_.graph();
    std::uint64_t next = engine_.next_identity();
    for (const auto& [name, identity] : saved.identities) next = std::max(next, std::to_underlying(identity) + 1);
    for (const NodeId id : std::vector<NodeId>{target.node_ids().begin(), target.node_ids().end()}) {
        const GraphNode& node = *target.find(id);
        const auto known = saved.identities.find(node.name());
        const GraphNode* const same = present.find(node.name());
        const bool is_same = same != nullptr && same->description->type == node.description->type;
        NodeIdentity identity{next};
        if (history_known && known != saved.identities.end()) {
            identity = known->second;
        } else if (!history_known && is_same) {
            identity = same->identity;
        } else {
            ++next;
        }
        target.set_identity(id, identity);
    }
    std::map<std::string, NodeIdentity> identities;
    for (const auto& node : present.nodes()) identities.emplace(node->name(), node->identity);
    engine_.restore_identities(identities, next);
    return target;
}

void SavedState::save_confirmation(std::function<std::string()> writer, api::Workers& workers,
                                   std::function<void(const Expected<void>&)> done) const {
    if (!store_) return done({});
    struct Job {
        std::function<std::string()> writer;
        Expected<void> outcome{};
    };
    const auto job = std::make_shared<Job>(std::move(writer));
    workers.run(
        "saving a confirmation",
        [job, file = file_] { job->outcome = job->writer ? file.write(job->writer()) : file.remove(); },
        [job, done = std::move(done)](const Expected<void>& ran) {
            job->writer = nullptr;  // on this thread
            done(ran ? job->outcome : ran);
        });
}

/// `saved`: the graph is on the disk.
Expected<void> SavedState::finish_confirmation(bool saved) const {
    if (const auto writer = confirmation_.writer()) return file_.write(writer());
    return saved && confirmation_.is_unsaved() ? file_.remove() : Expected<void>{};
}

Expected<store::GraphStore::Replayed> SavedState::replay(const std::optional<std::string>& graph,
                                                         const std::optional<std::string>& history,
                                                         std::span<const store::JournalEntry> entries) const {
    std::vector<api::RecordedChange> changes;
    changes.reserve(entries.size());
    for (const store::JournalEntry& entry : entries) changes.push_back({entry.content, entry.history});
    auto replayed = api::replay(engine_.registry(), engine_.config(), graph, history, changes);
    if (!replayed) return std::unexpected(std::move(replayed.error()));
    log(net::LogLevel::info, "made " + std::to_string(replayed->count) + " changes again that are in the journal of " +
                                 options_.state_directory);
    return store::GraphStore::Replayed{std::move(replayed->graph), std::move(replayed->history), replayed->count,
                                       std::move(replayed->why)};
}

int SavedState::restore_output(const store::OutputState& output) {
    if (const float volume_db = output.volume_db; volume_db != 0.0F) {
        if (const auto set = engine_.set_output_volume(volume_db); !set) {
            log(net::LogLevel::error, "cannot set the volume of the output: " + set.error().sentence);
            return kExitFailure;
        }
        log(net::LogLevel::info, "the volume of the output is " + format_number(volume_db) + " dB");
    }
    if (output.muted) {
        if (const auto muted = engine_.mute_output(true); !muted) {
            log(net::LogLevel::error, "cannot mute the output: " + muted.error().sentence);
            return kExitFailure;
        }
        log(net::LogLevel::info, "the output is muted; \"rtactl unmute\" unmutes it");
    }
    if (output.configured_device == configured_device()) {
        device_ = output.device;
    } else if (!output.device.empty()) {
        output_changed();  // the configuration counts from now on
    }
    return kExitClean;
}

int SavedState::load_graph() {
    if (options_.graph.empty()) return kExitClean;
    if (const auto loaded = logged(load_graph_file(engine_, options_.graph, LimitsOf::operator_graph)); !loaded) {
        log(net::LogLevel::error, loaded.error().sentence);
        return loaded.error().code == ErrorCode::resource_exhausted ? kExitFailure : kExitUsage;
    }
    graph_changed();
    return kExitClean;
}

void SavedState::confirm_restore() {
    if (store_) store_->confirm_restore();
}

void SavedState::start() {
    if (store_) store_->start_journal();
}

Expected<bool> SavedState::reserve_record(std::size_t bytes) { return store_ ? store_->reserve(bytes) : true; }

void SavedState::record(api::DaemonAccess::Record record) {
    if (!store_) return;
    store_->record({record.revision, std::move(record.content), std::move(record.history), std::move(record.done)});
}

void SavedState::record_lost() {
    if (store_) store_->record_lost();
}

void SavedState::graph_changed() {
    if (store_) store_->graph_changed();
}

void SavedState::output_changed() {
    if (store_) store_->output_changed();
}

std::string SavedState::configured_device() const { return io::device_text(options_.device.device); }

void SavedState::set_device(const io::DeviceRequest& request) {
    device_ = request.device == options_.device.device ? "" : io::device_text(request.device);
    output_changed();
}

Expected<void> SavedState::finish() {
    if (!store_) return {};
    auto saved = store_->finish();
    if (auto confirmation = finish_confirmation(saved.has_value()); saved && !confirmation) return confirmation;
    return saved;
}

store::GraphStore::State SavedState::state() const {
    return {engine_.graph(),
            engine_.revision(),
            {.muted = engine_.output_muted(),
             .volume_db = engine_.output_volume_db(),
             .device = device_,
             .configured_device = device_.empty() ? "" : configured_device()},
            history_.writer()};
}

void SavedState::store_warning(const std::string& sentence) { log(net::LogLevel::warning, sentence); }
void SavedState::store_recovered(const std::string& sentence) { log(net::LogLevel::info, sentence); }

}  // namespace rta::app
