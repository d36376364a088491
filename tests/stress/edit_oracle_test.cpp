// SPDX-License-Identifier: MIT
// Random edits of several clients. SoundOracle predicts every output sample in double precision, from the contents of the
// plans and the frames at which the engine adopts them. Checked in each block:
// - every sample is as predicted
// - at each port, the sum of the gains stays between its values before and after the round, and nothing that is still
//   present leaves the plan (SoundOracle)
// - transactions are whole, and when everything has settled, the committed graph sounds (CommitChecks)
//
// Each client edits its own region of the graph; in half of the storms also those of the others. The edits are random, so
// many of the graphs are not useful, but all can be predicted.
//
// Left out: nodes that produce NaN. A storm ends early if the level of a gate comes so close to a threshold that
// rounding errors decide whether it opens.
//
// Not checked, because the plans decide it: whether a signal is filled when it starts, and whether crossfades in a row dip.
// edit_invariants_test checks that.
//
// RTAD_STORM_SECONDS sets the duration, RTAD_STORM_SEED the first seed. A failure prints its seed and the shortest list
// of edits that was found to fail.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <numbers>
#include <optional>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/commit_checks.h"
#include "support/offline_engine.h"
#include "support/random_edits.h"
#include "support/sound_oracle.h"
#include "support/storm.h"
#include "support/wav.h"

namespace rta::test::edit_oracle_test {
namespace {

constexpr std::size_t kRegions = 3;
constexpr float kLevel = 0.5F;
/// Relative to the largest sum of absolute values at any port. The engine computes gains and sums in float, so each of up
/// to 4 inputs and of up to 12 nodes in a row adds an error of up to 2^-24. 4e-7 was the largest in 12,000 storms.
constexpr double kTolerance = 1e-6;
/// The same, with nodes that remember: filters and the gains of dynamics processors multiply errors. 6e-7 was the largest.
constexpr double kTolerancePastMemory = 1e-5;

enum class Signal : std::uint8_t { constant, tone, speech, noise };
constexpr std::array kSignalNames{"constant", "tone", "speech", "noise"};

/// One request of a client: a transaction, or what its special kind says.
struct Request {
    enum class Kind : std::uint8_t {
        transaction,
        whole_graph,  ///< the transaction as the document of the resulting graph
        restore,      ///< the document of an earlier graph
        set,          ///< a parameter, outside of a transaction
        mute,         ///< or the reverse
        fade,         ///< the device, by fade_device()
        panic,        ///< with the edits while it lasts
        abandoned_panic,
    };
    static constexpr std::array kNames{"transaction", "whole graph", "restore", "set",
                                       "mute",        "fade",        "panic",   "abandoned panic"};

    Kind kind;
    std::vector<RandomEdit> edits;
    std::uint32_t random;
    std::uint32_t wait_frames;  ///< before the next request
};

struct Storm {
    EngineConfig config;
    Signal signal;
    RandomEditLimits limits;
    std::uint32_t blocks_per_poll;
    bool edits_before_first_block;  ///< until the requests have waited for a whole block
    std::vector<Request> requests;
};

/// Returns one period of the signal for each region.
std::vector<std::vector<float>> make_signals(const Storm& storm) {
    constexpr std::size_t kFrames = std::size_t{1} << 16U;
    static const std::vector<float> recording = speech();
    std::mt19937 random{1};
    std::uniform_real_distribution<float> level{-kLevel, kLevel};
    std::vector<std::vector<float>> signals(kRegions, std::vector<float>(kFrames, kLevel));
    for (std::size_t region = 0; region < kRegions; ++region) {
        for (std::size_t i = 0; i < kFrames; ++i) {
            float& sample = signals[region][i];
            const double turns = static_cast<double>(i * (region + 1)) / 256.0;
            if (storm.signal == Signal::tone)
                sample = static_cast<float>(kLevel * std::sin(2.0 * std::numbers::pi * turns));
            if (storm.signal == Signal::speech) sample = recording[(10'000 * region + i) % recording.size()];
            if (storm.signal == Signal::noise) sample = level(random);
        }
    }
    return signals;
}

class StormRun {
 public:
    explicit StormRun(const Storm& storm)
        : storm_{storm},
          signals_{make_signals(storm)},
          inputs_{kRegions, storm.config.block_size},
          offline_{storm.config, builtin_nodes(), channels(), kRegions},
          oracle_{storm.config, channels()} {
        offline_.polls = false;
        offline_.engine.watch_plans(
            [this](std::uint64_t serial, const CompileRequest& contents) {
                oracle_.send_plan(serial, contents);
                checks_.send_plan(serial, contents);
            },
            [this](std::uint64_t serial, std::span<const ParameterTarget> targets) {
                oracle_.send_parameters(serial, targets);
            });
        commit({ReplaceGraph{RandomEdits::start(kRegions, storm.limits)}});
        if (!storm.edits_before_first_block) render(block());
    }
    ~StormRun() = default;
    StormRun(const StormRun&) = delete;
    StormRun& operator=(const StormRun&) = delete;

    [[nodiscard]] std::optional<std::string> run() {
        for (const Request& request : storm_.requests) {
            send(request);
            render(request.wait_frames);
            if (stopped()) return failure_;
        }
        set_device(1.0F, false);
        const std::uint64_t end = frame() + frames_of(20'000.0);
        while (!stopped() && offline_.engine.outstanding() && frame() < end) render(block());
        if (!stopped() && offline_.engine.outstanding()) fail("the engine does not settle");
        render(frames_of(50.0));
        if (!offline_.faults.empty()) fail("a node produced NaN or infinity");
        return failure_;
    }

    /// Returns whether the storm ended early, because a gate cannot be predicted.
    [[nodiscard]] bool undecided() const { return oracle_.undecided(); }
    [[nodiscard]] std::size_t refused() const { return refused_; }
    /// Returns the largest error, relative to the tolerance.
    [[nodiscard]] double largest_error() const { return largest_error_; }

 private:
    [[nodiscard]] std::uint64_t frame() const { return offline_.frame(); }
    [[nodiscard]] std::uint32_t block() const { return storm_.config.block_size; }
    [[nodiscard]] std::uint32_t channels() const { return kRegions * storm_.limits.channels; }
    [[nodiscard]] std::uint64_t frames_of(double ms) const {
        return static_cast<std::uint64_t>(ms * storm_.config.sample_rate_hz / 1'000.0);
    }
    [[nodiscard]] bool stopped() const { return failure_ || undecided(); }
    void fail(const std::string& what) { fail_at(frame(), what); }
    void fail_at(std::uint64_t frame, const std::string& what) {
        if (!failure_) failure_ = "frame " + std::to_string(frame) + ": " + what;
    }

    // Requests.

    void send(const Request& request) {
        RandomEdits edits{offline_.engine.graph().document(), storm_.limits, next_name_};
        for (const RandomEdit& edit : request.edits) edits.add(edit);
        switch (request.kind) {
            case Request::Kind::transaction:
                // Sometimes, gains of connections ramp for longer, as in the recall of a scene with a fade.
                return commit(edits.edits(),
                              request.random % 8 == 0 ? static_cast<float>(request.random / 8 % 200) : 0.0F);
            case Request::Kind::whole_graph:
                return commit({ReplaceGraph{edits.graph()}});
            case Request::Kind::restore:
                return commit({ReplaceGraph{documents_[request.random % documents_.size()]}});
            case Request::Kind::set:
                return set_parameter(request.random);
            case Request::Kind::mute:
                return set_device(device_gain_, !muted_);
            case Request::Kind::fade:
                return set_device(request.random % 2 == 0 ? 1.0F : 0.0F, muted_);
            case Request::Kind::panic:
            case Request::Kind::abandoned_panic:
                return panic(edits.edits(), request.kind == Request::Kind::panic);
        }
    }

    /// Commits a transaction as `api` does: if the engine has no room, again after the next block. Random edits may be
    /// invalid, for example because they close a cycle.
    void commit(const std::vector<Edit>& edits, float gain_ramp_ms = 0.0F) {
        if (edits.empty()) return;
        for (const std::uint64_t end = frame() + frames_of(5'000.0); !stopped();) {
            const auto ticket = offline_.apply(edits, gain_ramp_ms);
            oracle_.start_new_nodes(offline_.engine.graph());
            if (ticket) {
                checks_.committed(ticket->revision, offline_.engine.graph());
                documents_.push_back(offline_.engine.graph().document());
                return;
            }
            const bool full = ticket.error().code == ErrorCode::resource_exhausted && !ticket.error().edit_index;
            if (!full) {
                ++refused_;
                return;
            }
            if (frame() > end) fail("refused for too long: " + ticket.error().sentence);
            render(block());
        }
    }

    void set_parameter(std::uint32_t random) {
        const GraphDocument graph = offline_.engine.graph().document();
        if (graph.nodes.empty()) return;
        const auto change = random_parameter(graph.nodes[random % graph.nodes.size()], random / 64);
        if (!change) return;
        const auto place = offline_.engine.graph().find_parameter(change->node, change->parameter);
        const auto ticket = offline_.engine.set_parameters({&*change, 1});
        if (place && ticket)
            oracle_.send_parameter(ticket->serial, *place, change->value,
                                   change->ramp_ms.value_or(kDefaultParameterRampMs));
    }

    void set_device(float gain, bool muted) {
        if (gain != device_gain_) {
            if (const auto ticket = offline_.engine.fade_device(gain, 2.0F * kDeviceFadeMs))
                oracle_.send_device_fade(ticket->serial, muted_ ? 0.0 : gain, 2.0F * kDeviceFadeMs);
            device_gain_ = gain;
        }
        if (muted != muted_) {
            if (const auto ticket = offline_.engine.mute_output(muted))
                oracle_.send_device_fade(ticket->serial, muted ? 0.0 : device_gain_, kDeviceFadeMs);
            muted_ = muted;
        }
    }

    void panic(const std::vector<Edit>& edits, bool completes) {
        set_device(device_gain_, true);
        const std::uint64_t end = frame() + frames_of(1'000.0) + std::uint64_t{40} * block();
        while (!stopped() && !offline_.engine.output_silent() && frame() < end) render(block());
        if (stopped()) return;
        if (!offline_.engine.output_silent()) return fail("the output does not become silent");
        {
            EngineReset reset = offline_.engine.start_reset();
            commit(edits);
            render(std::uint64_t{2} * block());
            while (completes && !stopped()) {
                const auto outcome = reset.try_complete();
                oracle_.start_new_nodes(offline_.engine.graph());
                if (outcome && !*outcome) fail("the reset failed: " + outcome->error().sentence);
                if (outcome) break;
                if (frame() > end) fail("the reset does not complete");
                render(block());
            }
        }
        set_device(device_gain_, false);
    }

    // Rendering.

    void fill(AudioBuffer& inputs, std::uint64_t first_frame) const {
        for (std::uint32_t region = 0; region < kRegions; ++region) {
            const std::vector<float>& signal = signals_[region];
            const std::span<float> samples = inputs.write().channel(region);
            for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = signal[(first_frame + i) % signal.size()];
        }
    }

    /// Renders whole blocks. What is left of the time is rendered with the next ones.
    void render(std::uint64_t frames) {
        for (due_frames_ += frames; due_frames_ >= block() && !stopped(); due_frames_ -= block()) {
            fill(offline_.inputs, frame());
            offline_.render_block();
            if (frame() / block() % storm_.blocks_per_poll == 0) poll();
        }
    }

    /// Lets the engine process its replies, and the oracle render the blocks to which they belong.
    void poll() {
        offline_.poll();
        oracle_.start_new_nodes(offline_.engine.graph());
        while (oracle_.frame() < frame() && !stopped()) check_block();
        if (stopped() || offline_.engine.outstanding() || offline_.engine.revision() == settled_revision_) return;
        settled_revision_ = offline_.engine.revision();
        if (const auto wrong = checks_.check_settled(offline_.engine.graph())) fail(*wrong);
    }

    void check_block() {
        const std::uint64_t first_frame = oracle_.frame();
        while (next_heard_ < offline_.transactions_heard.size() &&
               offline_.transactions_heard[next_heard_].second <= first_frame)
            checks_.heard(offline_.transactions_heard[next_heard_++].first);
        while (next_applied_ < offline_.applications.size() &&
               offline_.applications[next_applied_].second <= first_frame)
            serial_ = offline_.applications[next_applied_++].first;
        fill(inputs_, first_frame);
        oracle_.render(serial_, inputs_.read());
        if (oracle_.failure()) fail_at(first_frame, *oracle_.failure());
        if (const auto wrong = checks_.adopt(serial_)) fail_at(first_frame, *wrong);
        for (std::uint32_t channel = 0; channel < channels() && !undecided(); ++channel) compare(channel, first_frame);
    }

    void compare(std::uint32_t channel, std::uint64_t first_frame) {
        const auto heard = std::span{offline_.recorded[channel]}.subspan(first_frame, block());
        const double relative = storm_.limits.remembering ? kTolerancePastMemory : kTolerance;
        const double tolerance = relative * std::max(1.0, oracle_.peak());
        const std::span<const double> predicted = oracle_.output(channel);
        for (std::size_t i = 0; i < heard.size(); ++i) {
            const double error = std::abs(static_cast<double>(heard[i]) - predicted[i]);
            largest_error_ = std::max(largest_error_, error / tolerance);
            if (error <= tolerance) continue;
            std::ostringstream what;
            what << "channel " << channel << " plays " << heard[i] << ", expected " << predicted[i] << ", tolerance "
                 << tolerance;
            return fail_at(first_frame + i, what.str());
        }
    }

    const Storm& storm_;
    std::vector<std::vector<float>> signals_;
    AudioBuffer inputs_;  ///< of the oracle
    OfflineEngine offline_;
    SoundOracle oracle_;
    CommitChecks checks_;
    std::vector<GraphDocument> documents_{};  ///< committed so far
    std::size_t next_applied_ = 0;
    std::size_t next_heard_ = 0;
    std::uint64_t serial_ = 0;  ///< of the last command that has taken effect
    std::uint64_t due_frames_ = 0;
    std::uint64_t settled_revision_ = 0;
    std::uint32_t next_name_ = 0;
    float device_gain_ = 1.0F;
    bool muted_ = false;
    std::size_t refused_ = 0;
    double largest_error_ = 0.0;
    std::optional<std::string> failure_{};
};

// ---------------------------------------------------------------------------------------------------------------------

class StormMaker {
 public:
    explicit StormMaker(std::uint32_t seed) : random_{seed} {}

    [[nodiscard]] Storm make() {
        Storm storm{};
        storm.config.block_size = 16U << below(7);
        storm.config.sample_rate_hz =
            std::array{8'000.0, 22'050.0, 44'100.0, 48'000.0, 48'000.0, 96'000.0, 192'000.0}.at(below(7));
        storm.signal = static_cast<Signal>(below(4));
        storm.limits = {.remembering = below(3) != 0, .channels = below(4) == 0 ? 2U : 1U};
        storm.blocks_per_poll = below(3) == 0 ? 1 + below(6) : 1;
        storm.edits_before_first_block = below(4) == 0;
        const std::size_t clients = 1 + below(kRegions);
        const bool overlapping = below(2) == 0;
        const bool special = below(2) == 0;
        const std::uint32_t longest_ms = std::array{3U, 15U, 40U, 100U}.at(below(4));
        const auto longest = static_cast<std::uint32_t>(storm.config.sample_rate_hz / 1'000.0 * longest_ms);
        for (std::uint32_t i = 0, count = 5 + below(56); i < count; ++i) {
            storm.requests.push_back({.kind = make_kind(special),
                                      .edits = make_edits(below(clients), overlapping ? clients : 1),
                                      .random = below(1U << 20U),
                                      .wait_frames = below(longest + 1)});
        }
        if (storm.edits_before_first_block) {
            for (Request& request : std::span{storm.requests}.first(1 + below(5))) request.wait_frames = 0;
        }
        return storm;
    }

 private:
    std::uint32_t below(std::size_t count) {
        return std::uniform_int_distribution<std::uint32_t>{0, static_cast<std::uint32_t>(count) - 1}(random_);
    }

    Request::Kind make_kind(bool special) {
        if (below(10) == 0) return Request::Kind::set;
        if (below(20) == 0) return Request::Kind::whole_graph;
        if (below(30) == 0) return Request::Kind::restore;
        if (!special || below(10) != 0) return Request::Kind::transaction;
        return std::array{Request::Kind::mute, Request::Kind::fade, Request::Kind::panic, Request::Kind::panic,
                          Request::Kind::abandoned_panic}
            .at(below(5));
    }

    std::vector<RandomEdit> make_edits(std::size_t region, std::size_t regions) {
        std::vector<RandomEdit> edits;
        for (std::uint32_t i = 0, count = below(3) == 0 ? 1 + below(4) : 1; i < count; ++i) {
            const auto kind = static_cast<RandomEdit::Kind>(below(static_cast<std::size_t>(RandomEdit::Kind::count)));
            // New nodes are what the other edits work on.
            const std::size_t edited = regions > 1 ? below(regions) : region;
            edits.push_back({.kind = below(4) == 0 ? RandomEdit::Kind::insert : kind,
                             .region = edited,
                             .other_region = regions > 1 && below(2) == 0 ? below(regions) : edited,
                             .first = below(1U << 16U),
                             .second = below(1U << 16U)});
        }
        return edits;
    }

    std::mt19937 random_;
};

/// Half of all storms contain splits and merges.
Storm make_storm(std::uint32_t seed) {
    Storm storm = StormMaker{seed}.make();
    storm.limits.views = seed % 2 == 0;
    if (storm.limits.views) storm.limits.channels = seed % 6 == 0 ? 1 : 2;
    return storm;
}

std::string text_of(const Storm& storm) {
    std::ostringstream text;
    text << storm.config.sample_rate_hz << " Hz, blocks of " << storm.config.block_size << ", "
         << kSignalNames.at(static_cast<std::size_t>(storm.signal)) << ", " << storm.limits.channels << " channels, "
         << (storm.limits.remembering ? "all nodes" : "nodes without memory")
         << (storm.limits.views ? ", splits and merges" : "") << ", a poll every " << storm.blocks_per_poll << " blocks"
         << (storm.edits_before_first_block ? ", edits before the first block" : "") << '\n';
    for (const Request& request : storm.requests) {
        text << "  " << Request::kNames.at(static_cast<std::size_t>(request.kind)) << ' ' << request.random << ':';
        for (const RandomEdit& edit : request.edits) {
            text << " [" << RandomEdit::kNames.at(static_cast<std::size_t>(edit.kind)) << ", region " << edit.region
                 << ", from " << edit.other_region << ", " << edit.first << ", " << edit.second << ']';
        }
        text << ", then " << request.wait_frames << " frames\n";
    }
    return text.str();
}

/// Leaves out requests and edits while the storm fails in the same way, for a limited time.
void shrink_storm(Storm& storm, const std::string& failure) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    const auto fails = [&](const Storm& shorter) {
        if (std::chrono::steady_clock::now() > end) return false;
        const auto other = StormRun{shorter}.run();
        return other && without_numbers(*other) == without_numbers(failure);
    };
    shrink(storm.requests, [&](const std::vector<Request>& fewer) {
        Storm shorter = storm;
        shorter.requests = fewer;
        return fails(shorter);
    });
    for (std::size_t i = 0; i < storm.requests.size(); ++i) {
        shrink(storm.requests[i].edits, [&](const std::vector<RandomEdit>& fewer) {
            Storm shorter = storm;
            shorter.requests[i].edits = fewer;
            return fails(shorter);
        });
    }
}

/// Storms in which a fault was found. If the edits that a seed stands for change, a seed shows nothing any more.
TEST(EditOracle, PredictsStormsThatHaveFailedBefore) {
    constexpr std::uint32_t kHeldBackForEver = 740'003;        // by a panic that was abandoned
    constexpr std::uint32_t kHeldBackForOthers = 910'609;      // counted as changing, and others relied on it
    constexpr std::uint32_t kPreparedWhatIsHeard = 2'016'103;  // since another unit of the round
    for (const std::uint32_t seed : {kHeldBackForEver, kHeldBackForOthers, kPreparedWhatIsHeard}) {
        const auto failure = StormRun{StormMaker{seed}.make()}.run();
        EXPECT_FALSE(failure) << seed << ": " << *failure;
    }
}

TEST(EditOracle, PredictsEverySampleOfRandomEditsOfSeveralClients) {
    const double seconds = number_from_environment("RTAD_STORM_SECONDS", 10.0);
    auto seed = static_cast<std::uint32_t>(number_from_environment("RTAD_STORM_SEED", 1.0));
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>{seconds};
    std::size_t storms = 0;
    std::size_t requests = 0;
    std::size_t refused = 0;
    std::size_t undecided = 0;
    double largest_error = 0.0;
    do {
        Storm storm = make_storm(seed);
        StormRun run{storm};
        if (const auto failure = run.run()) {
            shrink_storm(storm, *failure);
            FAIL() << "seed " << seed << ": " << *failure << "\nshortest: " << StormRun{storm}.run().value_or("passes")
                   << '\n'
                   << text_of(storm);
        }
        requests += storm.requests.size();
        refused += run.refused();
        if (run.undecided()) ++undecided;
        largest_error = std::max(largest_error, run.largest_error());
        ++storms;
        ++seed;
    } while (std::chrono::steady_clock::now() < end);
    std::cout << storms << " storms, " << requests << " requests, of which " << refused << " are invalid; " << undecided
              << " ended early because of a gate; largest error: " << 100.0 * largest_error << " % of the tolerance\n";
}

}  // namespace
}  // namespace rta::test::edit_oracle_test
