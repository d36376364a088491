// SPDX-License-Identifier: MIT
#include "app/saved_state.h"

#include <utility>
#include <vector>

#include "api/replay.h"
#include "app/graph_file.h"
#include "app/logging.h"
#include "io/device_kind.h"
#include "text/format_number.h"

namespace rta::app {

SavedState::SavedState(const DaemonOptions& options, Engine& engine, api::History& history,
                       const store::GraphStore::Post& post, std::function<void()> room_changed)
    : options_{options}, engine_{engine}, history_{history}, room_changed_{std::move(room_changed)} {
    if (options.state_directory.empty()) return;
    store_.emplace(options.state_directory, post, static_cast<store::GraphStore::Owner&>(*this),
                   store::GraphStore::Settings{.durability = options.durability});
}

int SavedState::restore() {
    if (!store_) return load_graph();
    const auto restored = store_->restore(
        [this](const std::string& text) {
            return logged(
                load_graph_text(engine_, text, store_->status().directory + "/graph.json", LimitsOf::operator_graph));
        },
        [this](const std::string& history) { return history_.restore(history); },
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
    return loaded ? kExitClean : load_graph();
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

Expected<void> SavedState::finish() { return store_ ? store_->finish() : Expected<void>{}; }

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
