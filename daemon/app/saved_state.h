// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "api/confirmation/confirmation.h"
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
    /// Keeps the references. `post` runs a function later on the control thread.
    SavedState(const DaemonOptions& options, Engine& engine, api::History& history, api::Confirmation& confirmation,
               const store::GraphStore::Post& post);

    /// Restores the saved state. If there is no graph, or it is damaged, loads the graph of --graph. Returns the exit
    /// status; errors have been logged.
    [[nodiscard]] int restore();
    /// Confirms that the restored graph plays, or that it is not the reason for a failed start.
    void confirm_restore();

    // Schedule a save.
    void graph_changed();
    void output_changed();

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
    [[nodiscard]] bool restore_confirmation(store::GraphStore::RestoredGraph graph);
    [[nodiscard]] Expected<void> load_confirmation(const std::string& text, bool damaged);
    [[nodiscard]] Expected<void> finish_confirmation(bool saved) const;

    [[nodiscard]] store::GraphStore::State state() const override;
    void store_warning(const std::string& sentence) override;
    void store_recovered(const std::string& sentence) override;

    const DaemonOptions& options_;
    Engine& engine_;
    api::History& history_;
    api::Confirmation& confirmation_;
    std::string device_;
    const store::ConfirmationFile file_;      ///< of the confirmation
    std::optional<store::GraphStore> store_;  ///< empty without --state-dir
};

}  // namespace rta::app
