// SPDX-License-Identifier: MIT
#include "edit_storm.h"

#include <cstddef>
#include <exception>
#include <numbers>
#include <random>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace rta::test {
namespace {

constexpr std::size_t kLongestSection = 3;
constexpr std::size_t kMostBranches = 4;

std::string joint(std::uint32_t index) { return "joint_" + std::to_string(index); }

/// A client with its section of the path and with its branches next to the path.
class StormClient {
 public:
    StormClient(const Daemon& daemon, const StormPlan& plan, std::uint32_t index)
        : plan_{plan},
          client_{index % 2 == 0 ? daemon.tcp_client("storm-" + std::to_string(index))
                                 : daemon.client("storm-" + std::to_string(index))},
          prefix_{"c" + std::to_string(index) + "_"},
          before_{joint(index)},
          after_{joint(index + 1)},
          random_{plan.seed * 1'000 + index} {}

    void run(std::size_t edits) {
        for (std::size_t edit = 0; edit < edits; ++edit) {
            one_edit();
            plan_.between_edits();
        }
        if (broken_) mend();
    }

    [[nodiscard]] const StormReport& report() const { return report_; }

 private:
    struct Inserted {
        std::string name;
        bool turns;  ///< inverts the polarity
    };

    [[nodiscard]] std::size_t below(std::size_t end) {
        return std::uniform_int_distribution<std::size_t>{0, end - 1}(random_);
    }
    [[nodiscard]] float between(float low, float high) {
        return std::uniform_real_distribution<float>{low, high}(random_);
    }
    [[nodiscard]] std::string fresh_name() { return prefix_ + std::to_string(next_name_++); }
    /// Returns the joint before the section for 0, the joint after it for section_.size() + 1, otherwise the node in
    /// between.
    [[nodiscard]] const std::string& node(std::size_t index) const {
        if (index == 0) return before_;
        return index <= section_.size() ? section_[index - 1].name : after_;
    }
    [[nodiscard]] auto position(std::size_t index) { return section_.begin() + static_cast<std::ptrdiff_t>(index); }

    void one_edit() {
        if (broken_) return mend();
        const std::size_t dice = below(100);
        if (dice < 25) return insert();
        if (dice < 45) return remove();
        if (dice < 53) return swap();
        if (dice < 57) return disconnect_path();
        if (dice < 72) return retune();
        beside_the_path();
    }

    void insert() {
        if (section_.size() == kLongestSection) return remove();
        const std::size_t at = below(section_.size() + 1);
        const Inserted gain{fresh_name(), below(4) != 0};
        commit({disconnect(node(at), node(at + 1)),
                add_node("gain", gain.name, {{"gain_db", between(-1.5F, 0.0F)}, {"invert", gain.turns ? 1.0F : 0.0F}}),
                connect(node(at), gain.name), connect(gain.name, node(at + 1))});
        section_.insert(position(at), gain);
        count_in_path(gain.turns);
    }

    void remove() {
        if (section_.empty()) return insert();
        const std::size_t at = below(section_.size());
        const Inserted gain = section_[at];
        commit({remove_node(gain.name), connect(node(at), node(at + 2))});
        section_.erase(position(at));
        count_in_path(gain.turns);
    }

    /// Swaps two neighbours: the old and the new order together would form a cycle.
    void swap() {
        if (section_.size() < 2) return insert();
        const std::size_t at = below(section_.size() - 1);
        const std::string& before = node(at);
        const std::string& first = node(at + 1);
        const std::string& second = node(at + 2);
        const std::string& after = node(at + 3);
        commit({disconnect(before, first), disconnect(first, second), disconnect(second, after),
                connect(before, second), connect(second, first), connect(first, after)});
        std::swap(section_[at], section_[at + 1]);
        count_in_path(false);
    }

    /// Silences the path until this client's next edit.
    void disconnect_path() {
        commit({disconnect(node(0), node(1))});
        broken_ = true;
        count_in_path(true);
    }

    void mend() {
        commit({connect(node(0), node(1))});
        broken_ = false;
        count_in_path(true);
    }

    void retune() {
        if (plan_.retune_source && below(2) == 0) {
            set("source", "frequency_hz", between(kLowestStormHz, kHighestStormHz));
            return count_in_path(false);
        }
        if (section_.empty()) return insert();
        Inserted& gain = section_[below(section_.size())];
        const bool turn = below(2) == 0;
        if (turn) {
            gain.turns = !gain.turns;
            set(gain.name, "invert", gain.turns ? 1.0F : 0.0F);
        } else {
            set(gain.name, "gain_db", between(-1.5F, 0.0F));
        }
        count_in_path(turn);
    }

    /// Sets a parameter, half of the times in a transaction.
    void set(const std::string& name, const std::string& parameter, float value) {
        if (below(2) == 0) return commit({set_parameter(name, parameter, value)});
        v1::Request request;
        *request.mutable_set_parameters()->add_changes() = set_parameter(name, parameter, value).set_parameter();
        call(std::move(request));
    }

    /// Adds or removes a sine with its own output on the second channel.
    void beside_the_path() {
        ++report_.edits;
        const bool goes = branches_.size() == kMostBranches || (!branches_.empty() && below(2) == 0);
        if (goes) {
            const auto branch = branches_.begin() + static_cast<std::ptrdiff_t>(below(branches_.size()));
            commit({remove_node(*branch + "_sine"), remove_node(*branch + "_gain"), remove_node(*branch + "_out")});
            branches_.erase(branch);
            return;
        }
        const std::string branch = fresh_name();
        commit({add_node("sine", branch + "_sine", {{"frequency_hz", between(200.0F, 2'000.0F)}}),
                add_node("gain", branch + "_gain", {{"gain_db", -20.0F}}),
                add_node("output", branch + "_out", {}, {{"first_channel", 2}}),
                connect(branch + "_sine", branch + "_gain"), connect(branch + "_gain", branch + "_out")});
        branches_.push_back(branch);
    }

    void count_in_path(bool jump) { report_.add({.edits = 1, .in_path = 1, .jumps = jump ? 1U : 0U}); }

    void commit(std::vector<v1::Edit> edits) { call(apply_request(transaction(std::move(edits)))); }

    void call(v1::Request request) {
        request.set_timeout_ms(60'000);
        const v1::Response response = client_.call(std::move(request));
        // DEADLINE_EXCEEDED: the machine stalled for half a second, but the change is applied.
        const bool made = response.status().code() == v1::OK || response.status().code() == v1::DEADLINE_EXCEEDED;
        if (!made) throw std::runtime_error("an edit of " + prefix_ + " was refused: " + response.status().message());
    }

    const StormPlan& plan_;
    ProtocolClient client_;
    std::string prefix_;
    std::string before_;
    std::string after_;
    std::mt19937 random_;
    std::vector<Inserted> section_;  ///< between the joints, in their order
    std::vector<std::string> branches_;
    bool broken_ = false;  ///< the first connection of the section is missing
    std::size_t next_name_ = 0;
    StormReport report_;
};

v1::Edit source_node(const StormPlan& plan) {
    if (plan.source_type == "sine") {
        return add_node("sine", "source", {{"frequency_hz", 100.0F}, {"gain_db", -6.0F}});
    }
    return add_node(plan.source_type, "source");
}

}  // namespace

void StormReport::add(const StormReport& other) {
    edits += other.edits;
    in_path += other.in_path;
    jumps += other.jumps;
}

double second_difference_bound(double amplitude, double frequency_hz, double slope) {
    const double omega = 2.0 * std::numbers::pi * frequency_hz / 48'000.0;
    return amplitude * (omega * omega + 2.0 * omega * slope + slope * slope + slope);
}

void build_storm_path(const Daemon& daemon, const StormPlan& plan) {
    std::vector<v1::Edit> edits{source_node(plan), add_node("output", "out")};
    std::string previous = "source";
    for (std::uint32_t index = 0; index <= kStormSections; ++index) {
        edits.push_back(add_node("gain", joint(index)));
        edits.push_back(connect(previous, joint(index)));
        previous = joint(index);
    }
    edits.push_back(connect(previous, "out"));
    daemon.client().apply(transaction(std::move(edits)));
}

StormReport run_storm(const Daemon& daemon, const StormPlan& plan) {
    std::vector<StormClient> clients;
    for (std::uint32_t index = 0; index < plan.clients; ++index) clients.emplace_back(daemon, plan, index);
    std::vector<std::exception_ptr> failures(clients.size());
    std::vector<std::thread> threads;
    for (std::size_t index = 0; index < clients.size(); ++index) {
        threads.emplace_back([&, index] {
            try {
                clients[index].run(plan.edits / clients.size());
            } catch (...) {
                failures[index] = std::current_exception();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    StormReport total;
    for (std::size_t index = 0; index < clients.size(); ++index) {
        if (failures[index]) std::rethrow_exception(failures[index]);
        total.add(clients[index].report());
    }
    return total;
}

void clear_storm_path(const Daemon& daemon, const StormPlan& plan, float frequency_hz) {
    ProtocolClient client = daemon.client();
    std::vector<v1::Edit> edits;
    const v1::GraphResult graph = client.graph();
    for (const v1::Node& node : graph.graph().nodes()) {
        const bool stays = node.name() == "source" || node.name() == "out" || node.name().starts_with("joint_");
        if (!stays) edits.push_back(remove_node(node.name()));
    }
    for (std::uint32_t index = 0; index < kStormSections; ++index)
        edits.push_back(connect(joint(index), joint(index + 1)));
    if (plan.retune_source) edits.push_back(set_parameter("source", "frequency_hz", frequency_hz));
    client.apply(transaction(std::move(edits)));
}

}  // namespace rta::test
