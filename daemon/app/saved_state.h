// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "api/confirmation/confirmation.h"
#include "api/daemon_access.h"
#include "api/history/history.h"
#include "api/workers.h"
#include "app/options.h"
#include "engine/engine.h"
#include "status/status.h"
#include "store/confirmation_file.h"
#include "store/graph_store.h"
#include "text/error.h"

namespace rta::app {

/// What rtad keeps from one run to the next: the graph and its history, the edit that waits for its confirmation, the
/// volume and the mute of the output, and the device that a client has set. Without --state-dir, nothing is kept. [control]
class SavedState final : private store::GraphStore::Owner {
 public:
    /// Keeps the references. `post` runs a function later on the control thread. `room_changed` is called when
    /// reserve_record() may have another result.
    SavedState(const DaemonOptions& options, Engine& engine, api::History& history, api::Confirmation& confirmation,
               const store::GraphStore::Post& post, std::function<void()> room_changed);

    /// Restores the saved state. If no graph is saved, or it is damaged, loads the graph of --graph. Returns the exit
    /// status; errors have been logged.
    [[nodiscard]] int restore();
    /// Confirms that the restored graph plays, or that it is not the reason for a failed start.
    void confirm_restore();
    /// Starts to save changes. Call it when clients may make them.
    void start();

    // Schedule a save.
    void graph_changed();
    void output_changed();

    // See DaemonAccess.
    [[nodiscard]] bool records_changes() const { return store_ && store_->has_journal(); }
    [[nodiscard]] Expected<bool> reserve_record(std::size_t bytes);
    void record(api::DaemonAccess::Record record);
    void record_lost();

    /// See DaemonAccess::save_confirmation().
    void save_confirmation(std::function<std::string()> writer, api::Workers& workers,
                           std::function<void(const Expected<void>&)> done) const;

    /// The device that a client has set, instead of the configured one; empty: none.
    [[nodiscard]] const std::string& device() const { return device_; }
    [[nodiscard]] std::string configured_device() const;
    /// Saves the device that a client has set.
    void set_device(const io::DeviceRequest& request);

    /// Saves the last changes and waits for the disk. Call it after the server has stopped: the graph no longer changes.
    [[nodiscard]] Expected<void> finish();

    [[nodiscard]] bool is_kept() const { return store_.has_value(); }
    [[nodiscard]] StoreStatus status() const { return store_ ? store_->status() : StoreStatus{}; }

 private:
    [[nodiscard]] int load_graph();
    [[nodiscard]] int restore_output(const store::OutputState& output);
    [[nodiscard]] Expected<bool> restore_confirmation(const store::GraphStore::Restored& restored, bool history_known);
    [[nodiscard]] Expected<void> load_confirmation(const std::string& text, const store::GraphStore::Restored& restored,
                                                   bool history_known);
    [[nodiscard]] Expected<void> load_target(const api::SavedConfirmation& saved, bool history_known);
    [[nodiscard]] Expected<AudioGraph> read_target(const api::SavedConfirmation& saved, bool history_known);
    [[nodiscard]] Expected<void> finish_confirmation(bool saved) const;

    [[nodiscard]] store::GraphStore::State state() const override;
    void store_warning(const std::string& sentence) override;
    void store_recovered(const std::string& sentence) override;
    void room_changed() override { room_changed_(); }
    [[nodiscard]] Expected<store::GraphStore::Replayed> replay(const std::optional<std::string>& graph,
                                                               const std::optional<std::string>& history,
                                                               std::span<const store::JournalEntry> entries) const;

    const DaemonOptions& options_;
    Engine& engine_;
    api::History& history_;
    api::Confirmation& confirmation_;
    const std::function<void()> room_changed_;
    std::string device_;
    const store::ConfirmationFile file_;      ///< of the confirmation
    std::optional<store::GraphStore> store_;  ///< empty without --state-dir
};

}  // namespace rta::app
