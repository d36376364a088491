// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "api/daemon_access.h"
#include "api/fairness.h"
#include "api/load/load_model.h"
#include "api/load/node_costs.h"
#include "api/workers.h"
#include "engine/engine.h"
#include "text/error.h"

namespace rta::api {

/// Predicts loads on any thread.
struct LoadQuery {
    std::shared_ptr<NodeCosts> costs;
    LoadModel model;
    double block_s;

    /// Returns the load that is expected while the graph runs, as in LoadStatus::mean; nothing if the cost of a node is not
    /// known. `unmeasured` receives what must be measured first.
    [[nodiscard]] std::optional<double> predict(const AudioGraph& graph, Unmeasured& unmeasured) const;
    [[nodiscard]] std::optional<double> predict(const GraphCost& cost) const;
};

/// Predicts the load of the audio thread for the current graph, and for graphs that may replace it. The costs of nodes
/// are measured on a worker, one at a time: soon after a node of a new class has been added, or when a client waits for
/// the prediction. docs/decisions/0025-load-prediction.md. [control]
class LoadPrediction {
 public:
    /// Predictions above this share come with a warning.
    static constexpr double kWarningLoad = 0.9;

    LoadPrediction(Engine& engine, DaemonAccess& daemon, Workers& workers, std::function<TimePoint()> clock,
                   std::function<void()> wake);
    LoadPrediction(const LoadPrediction&) = delete;
    LoadPrediction& operator=(const LoadPrediction&) = delete;
    ~LoadPrediction();
    /// Must be called if the engine is used longer than this object.
    void release_engine();

    /// Returns the load that is expected while the current graph runs; nothing if the cost of a node is not known.
    [[nodiscard]] std::optional<double> current();

    /// Refuses transactions whose graph would exceed a load.
    struct Limit {
        double maximum;
        Unmeasured unmeasured{};         ///< after a refusal: what must be measured first
        std::optional<Error> refusal{};  ///< after a refusal: why
    };
    /// Returns the check of a commit. `limit` must outlive the commit.
    [[nodiscard]] Admission admission(Limit& limit);
    /// Measures nodes on a worker, and then calls `done`.
    void measure(Unmeasured nodes, std::function<void()> done);
    /// Measures nodes on a worker soon.
    void measure_soon(const Unmeasured& nodes);

    /// Returns what predicts on other threads, with the current costs.
    [[nodiscard]] LoadQuery query();
    [[nodiscard]] NodeCosts& costs() { return *costs_; }

    /// Starts the next measurement.
    void poll(TimePoint now);
    /// Returns how long the next poll() may be delayed; nullopt: nothing must be measured.
    [[nodiscard]] std::optional<std::chrono::microseconds> interval(TimePoint now) const;

 private:
    /// The nodes of one cost class in the current graph.
    struct Class {
        std::int64_t nodes = 0;
        std::shared_ptr<const NodeDescription> sample{};
        std::optional<std::int64_t> ps{};
    };

    void replaced(const AudioGraph& before, const AudioGraph& after);
    void count(const GraphNode& node, std::int64_t sign);
    [[nodiscard]] GraphCost cost_after(const AudioGraph& before, const AudioGraph& after, Unmeasured& unmeasured) const;
    void measured(std::uint64_t cost_class);
    void learn();

    Engine& engine_;
    DaemonAccess& daemon_;
    Workers& workers_;
    std::function<TimePoint()> clock_;
    std::function<void()> wake_;
    std::shared_ptr<NodeCosts> costs_ = std::make_shared<NodeCosts>();
    double block_s_;
    LoadModel model_;
    GraphCost cost_;       ///< of the current graph
    bool counted_ = true;  ///< false: memory ran out; `cost_` is not valid
    std::unordered_map<std::uint64_t, Class> classes_;
    std::deque<std::shared_ptr<const NodeDescription>> unmeasured_;  ///< the next first
    bool measuring_ = false;
    TimePoint next_measurement_{};
    TimePoint changed_{};  ///< when the graph changed last
    TimePoint learned_{};
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< false: what workers report later is ignored
};

/// Returns a share as text: "93.2 %". [any]
[[nodiscard]] std::string percent(double share);
/// Adds the prediction, and the warning above LoadPrediction::kWarningLoad, to a TransactionResult or CheckResult. [any]
void add_prediction(std::optional<double> load, auto& result) {
    if (!load) return;
    result.set_predicted_load(static_cast<float>(*load));
    if (*load > LoadPrediction::kWarningLoad) {
        result.add_warnings("the predicted load is " + percent(*load) +
                            " of the time of a block: dropouts are likely " + "above " +
                            percent(LoadPrediction::kWarningLoad));
    }
}

}  // namespace rta::api
