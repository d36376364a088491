// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "wasm/device.h"
#include "wasm/json_value.h"
#include "wasm/json_writer.h"
#include "wasm/step_history.h"
#include "wasm/telemetry.h"

namespace rta::wasm {

/// Author of all changes.
inline constexpr std::string_view kAuthor = "page";

/// An engine that a host commands with JSON: the content of requests of the protocol, one command at a time. What changes is
/// reported by events in the form of the protocol, which have the numbers of changes. The host calls all functions on one
/// thread.
class PageEngine final : public Engine::Observer {
 public:
    PageEngine(const EngineConfig& config, std::uint32_t channels_in, std::uint32_t channels_out);

    [[nodiscard]] Engine& engine() { return engine_; }
    [[nodiscard]] Device& device() { return device_; }

    /// Executes a command, and returns its reply. docs/decisions/0028-page-engine.md describes both.
    [[nodiscard]] std::string execute(std::string_view text);
    /// Returns the next event; empty if there is none now. Call it after each block until then.
    [[nodiscard]] std::string next_event();
    /// Frees what rendering has returned. Part of next_event().
    void poll();
    /// For hosts that read no events.
    void discard_events();
    /// Returns a message about all nodes that have faulted since the last call; empty if none.
    [[nodiscard]] std::string take_faults() { return std::exchange(faults_, {}); }

 private:
    /// What a reply has besides its result.
    struct Reply {
        std::optional<std::uint64_t> serial{};  ///< of the command of the engine; see the event `applied`
        bool retry = false;                     ///< the error may not occur later
        bool conflict = false;                  ///< a guard does not hold
    };
    struct Command {
        Fields& fields;
        JsonWriter& result;
        Reply& reply;
    };
    using Handler = Expected<void> (PageEngine::*)(Command&);
    struct Named {
        std::string_view name;
        Handler handler;
    };
    struct Content {
        Transaction transaction{};
        bool whole_graph = false;
        std::vector<std::string> warnings{};
    };
    struct Committed {
        Ticket ticket;
        PreparedTransaction prepared;
        std::vector<Edit> edits;  ///< as they were applied
        AudioGraph before;
    };

    static std::span<const Named> commands();
    void run(const JsonValue& command, std::string& reply);

    Expected<void> list_node_types(Command& command);
    Expected<void> get_graph(Command& command);
    Expected<void> get_state(Command& command);
    Expected<void> apply_transaction(Command& command);
    Expected<void> check_graph(Command& command);
    Expected<void> set_parameters(Command& command);
    Expected<void> undo(Command& command);
    Expected<void> redo(Command& command);
    Expected<void> get_history(Command& command);
    Expected<void> check_scene(Command& command);
    Expected<void> scene_document(Command& command);
    Expected<void> read_scene(Command& command);
    Expected<void> recall_scene(Command& command);
    Expected<void> mute_output(Command& command);
    Expected<void> set_volume(Command& command);
    Expected<void> panic(Command& command);
    Expected<void> reset_meters(Command& command);
    Expected<void> get_frequency_response(Command& command);
    Expected<void> watch(Command& command);
    Expected<void> publish(Command& command);

    [[nodiscard]] Expected<void> check_guard(Command& command);
    [[nodiscard]] Expected<Content> take_content(Fields& fields) const;
    [[nodiscard]] Expected<Committed> commit(Command& command, Content content);
    [[nodiscard]] Expected<std::vector<Edit>> recall_plan(Fields& fields);
    void report(const Committed& committed);
    Expected<void> undo_or_redo(Command& command, bool redo);
    void write_step(JsonWriter& out, const StepHistory::Step& step, bool with_edits) const;
    [[nodiscard]] Expected<void> mute(bool muted, Command& command);

    void add_event(std::string event);
    [[nodiscard]] std::string take_event();
    /// Adds the event of a change, which gets the next number; `fill` writes the change.
    void announce(auto fill) {
        std::string event;
        JsonWriter out{event};
        out.object([&] {
            out.member("number", ++change_number_);
            fill(out);
        });
        add_event(std::move(event));
    }
    /// The same for a change of the graph or of parameters.
    void announce_edit(auto fill) {
        announce(fill);
        latest_edit_ = change_number_;
        latest_client_ = origin_.client_name;
    }
    void write_origin(JsonWriter& out, std::string_view client_name) const;
    void advance_panic();

    // Engine::Observer
    void applied(std::uint64_t serial, std::uint64_t frame) override;
    void node_faulted(const std::string& node, std::uint64_t frame) override;
    void transaction_heard(std::uint64_t revision, std::uint64_t frame) override;
    void device_faded(std::uint64_t /*frame*/) override {}

    Engine engine_;
    Device device_;
    StepHistory history_;
    Telemetry telemetry_{engine_};
    std::deque<std::string> events_;
    std::size_t events_bytes_ = 0;
    StepHistory::Origin origin_;  ///< of the current command
    std::string instance_;        ///< of the current command
    bool must_repeat_ = false;    ///< a refused command is sent again: pipelined ones must not overtake it

    std::uint64_t change_number_ = 0;
    std::uint64_t latest_edit_ = 0;  ///< number of the latest change of the graph or of parameters
    std::string latest_client_;      ///< that made it
    std::uint64_t heard_revision_ = 0;
    std::vector<std::uint64_t> heard_;  ///< later ones

    struct Panic {
        EngineReset reset;
        std::string client_name;
        std::optional<std::uint64_t> serial{};  ///< once the new processors were sent
    };
    std::optional<Panic> panic_;
    std::string faults_;
};

}  // namespace rta::wasm
