// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/history/history.h"
#include "api/history/undo_plan.h"
#include "document/document.h"
#include "graph/edit_summary.h"
#include "script.h"
#include "support/offline_engine.h"

namespace rta::api::test {

[[nodiscard]] inline std::string text(const AudioGraph& graph) { return write_document(graph.document()); }

/// An engine and its history, edited by several authors.
class Studio {
 public:
    /// Returns false if the edits are refused.
    bool edit(const std::string& author, std::vector<Edit> edits) {
        AudioGraph before;
        const auto revision = commit(std::move(edits), before);
        if (!revision) return false;
        auto content = history.compare(before).recorded;
        history.record({author, "test"}, *revision, std::move(before), std::move(content));
        return true;
    }
    void set(const std::string& author, const std::string& node, const std::string& parameter, float value) {
        const SetParameter change{node, parameter, value, {}};
        float before = 0.0F;
        float after = 0.0F;
        while (true) {
            const auto ticket = offline.engine.set_parameters({&change, 1}, {&after, 1}, {&before, 1});
            if (ticket) break;
            ASSERT_EQ(ticket.error().code, ErrorCode::resource_exhausted) << ticket.error().sentence;
            offline.render_block();
        }
        history.record({author, "test"}, offline.engine.revision(), now, {&change, 1}, {&before, 1}, {&after, 1});
    }
    Expected<UndoPlan> undo(const std::string& author, std::size_t steps = 1, UndoWish wish = {}) {
        wish.author = author;
        wish.steps = steps;
        const AudioGraph graph = offline.engine.graph();
        auto plan = plan_undo(history.steps(), wish, graph, builtin_nodes());
        if (!plan) return plan;
        AudioGraph before;
        if (const auto revision = commit(plan->edits, before); !revision) {
            ADD_FAILURE() << revision.error().sentence << "\nin " << text(graph);
            return std::unexpected(revision.error());
        }
        history.carried_out(*plan, author);
        return plan;
    }
    Expected<UndoPlan> redo(const std::string& author, std::size_t steps = 1, UndoWish wish = {}) {
        wish.redo = true;
        return undo(author, steps, std::move(wish));
    }
    [[nodiscard]] std::string document() const { return text(offline.engine.graph()); }
    [[nodiscard]] float value(std::string_view node, std::string_view parameter) const {
        const auto place = offline.engine.graph().find_parameter(node, parameter);
        return place ? offline.engine.graph().find(place->node)->parameters[place->index] : -1e9F;
    }
    [[nodiscard]] std::vector<std::string> summaries() const {
        std::vector<std::string> all;
        for (const HistoryStep& step : history.steps())
            all.push_back(summary_of(step.content->edits) + (step.undone ? " (undone)" : ""));
        return all;
    }

    rta::test::OfflineEngine offline;
    FakeWorkers workers;
    TimePoint now{std::chrono::hours{1}};
    int changes = 0;
    History history{offline.engine, workers, [this] { ++changes; }, [] { return 7; }};

 private:
    Expected<std::uint64_t> commit(std::vector<Edit> edits, AudioGraph& before) {
        auto prepared = offline.engine.prepare({.edits = std::move(edits), .restores = true});
        if (!prepared) return std::unexpected(prepared.error());
        while (true) {
            const auto ticket = offline.engine.commit(*prepared, &before);
            if (ticket) return ticket->revision;
            const Error& error = ticket.error();
            if (error.code == ErrorCode::aborted) {
                if (auto built = offline.engine.build(*prepared); !built) return std::unexpected(built.error());
            } else if (error.code == ErrorCode::resource_exhausted && !error.edit_index) {
                offline.render_block();
            } else {
                return std::unexpected(error);
            }
        }
    }
};

inline std::vector<Edit> tone_edits() {
    return {AddNode{"sine", "osc", {}, {}}, AddNode{"gain", "vol", {}, {}}, AddNode{"output", "out", {}, {}},
            Connect{"osc", "vol", {}}, Connect{"vol", "out", {}}};
}

}  // namespace rta::api::test
