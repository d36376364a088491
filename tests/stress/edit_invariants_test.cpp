// SPDX-License-Identifier: MIT
// Random edits by several clients. The checks do not depend on how the engine schedules its fades:
// - a constant stays between the levels that have been committed and may still sound, and ends at the last one
// - a tone keeps its level, unless the engine reports comb filtering
// - no step is larger than the ramps of the edits allow
// - a refused transaction changes and builds nothing
// - a region that no client edits is bit-identical to the same region without edits elsewhere
// - in the end the output equals that of a new engine with the same graph, and no removed nodes remain
// - every transaction takes effect within the time promised by its ticket, and replaced processors are freed soon after
//
// RTAD_STORM_SECONDS sets the duration, RTAD_STORM_SEED the first seed. A failure prints its seed and the shortest list
// of edits that was found to fail.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <map>
#include <numbers>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "stress/invariants_edits.h"
#include "stress/invariants_model.h"
#include "stress/invariants_storm.h"
#include "support/live_processors.h"
#include "support/offline_engine.h"
#include "support/storm.h"

namespace rta::test::edit_invariants_test {
namespace {

constexpr const char* kLarge = "large";  ///< an unconnected node
constexpr std::size_t kPeriod = 256;     ///< of the tone, in frames
constexpr float kLowestTone = 0.9F * kLevel;

/// Whether the engine reports when a transaction takes effect, and promises that time.
template <class Observer>
constexpr bool reports_transactions_heard = requires { &Observer::transaction_heard; };

template <class AnyTicket>
std::optional<std::uint64_t> promised_ms(const AnyTicket& ticket) {
    if constexpr (reports_transactions_heard<Engine::Observer>) {
        return ticket.starts_within_ms;
    } else {
        return std::nullopt;
    }
}

template <class AnyEngine>
void prepare_with_snapshots(AnyEngine& offline, bool on) {
    if constexpr (requires { offline.with_snapshots; }) offline.with_snapshots = on;
}

/// Returns false if the engine does not report comb filtering.
template <class AnyTicket>
bool reports_combs(const AnyTicket& ticket) {
    if constexpr (requires { ticket.combs; }) {
        return ticket.combs;
    } else {
        return false;
    }
}

template <class AnyEngine>
std::optional<std::span<const std::pair<std::uint64_t, std::uint64_t>>> transactions_heard(const AnyEngine& offline) {
    if constexpr (reports_transactions_heard<Engine::Observer>) {
        return std::span{offline.transactions_heard};
    } else {
        return std::nullopt;
    }
}

class StormRun {
 public:
    explicit StormRun(const Storm& storm)
        : storm_{storm},
          live_before_{live_processors()},
          offline_{config_of(storm), counting_nodes(), kRegions},
          reference_{config_of(storm), builtin_nodes(), kRegions},
          editor_{storm} {
        const double frequency_hz = storm.sample_rate_hz / static_cast<double>(kPeriod);
        for (std::size_t i = 0; i < kRegions; ++i) {
            Region& region = model_.regions[i];
            region.index = i;
            model_.nodes[region.name_of("source")] =
                storm.tone ? Description{"sine",
                                         {},
                                         {{"frequency_hz", static_cast<float>(frequency_hz)}, {"gain_db", -6.0206F}}}
                           : Description{"constant", {}, {{"value", kLevel}}};
            model_.nodes[region.name_of("fader")] = {"gain", {}, {{"gain_db", 0.0F}}};
            model_.nodes[region.name_of("out")] = {"output", {{"first_channel", static_cast<double>(i + 1)}}};
            const std::string limiter = region.name_of("lim");
            model_.nodes[limiter] = {"limiter", {{"look_ahead_ms", 3.0 + static_cast<double>(i)}}};
            if (storm.one_sided) model_.nodes[limiter] = passing_compressor(50.0);
            region.stages.push_back({limiter});
            region.has_line = storm.kinds.contains(Kind::same);
            if (region.has_line) {
                model_.nodes[region.name_of("line")] = {"delay_line", {{"max_time_ms", 500.0}}, {{"time_ms", 200.0F}}};
            }
        }
        if (storm.kinds.contains(Kind::refused))
            model_.nodes[kLarge] = {"compressor", {{"channels", 64.0}, {"look_ahead_ms", 50.0}}};
        for (OfflineEngine* engine : {&offline_, &reference_}) {
            engine->edit({ReplaceGraph{model_.document()}});
            engine->render_blocks(start_blocks());
        }
        prepare_with_snapshots(offline_, storm.with_snapshots);
    }
    ~StormRun() = default;
    StormRun(const StormRun&) = delete;
    StormRun& operator=(const StormRun&) = delete;

    [[nodiscard]] std::optional<std::string> run() {
        for (const Request& request : storm_.requests) {
            if (!send(request)) return failure_;
            for (std::uint64_t end = frame() + request.wait_frames; frame() + block() <= end;) {
                if (!render()) return failure_;
            }
            offline_.poll();
        }
        if (muted_ && !unmute()) return failure_;
        for (double seconds = 0.0; offline_.engine.outstanding(); seconds += block() / storm_.sample_rate_hz) {
            if (seconds > 10.0) return fail("the engine does not settle"), failure_;
            if (!render()) return failure_;
        }
        for (std::uint32_t i = 0; i < start_blocks(); ++i) {
            if (!render()) return failure_;
        }
        check_end();
        return failure_;
    }
    /// Returns what was sent, with its frame.
    [[nodiscard]] const std::string& sent() const { return sent_; }

 private:
    static EngineConfig config_of(const Storm& storm) {
        EngineConfig config;
        config.sample_rate_hz = storm.sample_rate_hz;
        config.block_size = storm.block_size;
        config.kept_bytes = 0;  // so that all processors which are left belong to the graph
        return config;
    }
    [[nodiscard]] std::uint64_t frame() const { return offline_.frame(); }
    [[nodiscard]] std::uint32_t block() const { return storm_.block_size; }
    [[nodiscard]] std::uint64_t frames_of(double ms) const {
        return static_cast<std::uint64_t>(ms * storm_.sample_rate_hz / 1'000.0);
    }
    /// Longer than the total look-ahead of a region.
    [[nodiscard]] std::uint32_t start_blocks() const {
        return static_cast<std::uint32_t>(frames_of(storm_.latency_ms()) / block() + 2);
    }
    bool fail(const std::string& what) {
        if (!failure_) failure_ = "frame " + std::to_string(frame()) + ": " + what;
        return false;
    }

    bool render() {
        offline_.render_block();
        return check_block();
    }

    // Edits.

    bool send(const Request& request) {
        for (const Change& change : request.changes) {
            if (change.kind == Kind::mute && !(muted_ ? unmute() : mute())) return false;
            if (change.kind == Kind::panic && !panic(change)) return false;
            if (change.kind == Kind::refused && !refused(change)) return false;
        }
        Plan plan{.before = model_, .after = model_};
        for (const Change& change : request.changes) editor_.add(plan, change);
        return commit(plan, request.whole_graph, true);
    }

    bool commit(const Plan& plan, bool whole_graph, bool promises) {
        std::vector<Edit> edits = Editor::edits_of(plan);
        if (edits.empty()) return true;
        if (whole_graph) edits = {ReplaceGraph{plan.after.document()}};
        std::ostringstream text;
        text << "  frame " << frame() << ": ";
        for (const Edit& edit : edits) text << std::visit(EditText{}, edit) << (&edit == &edits.back() ? "\n" : ", ");
        sent_ += text.str();
        std::set<NodeId> leaving;
        for (const auto& node : offline_.engine.graph().nodes()) leaving.insert(node->id);
        const std::uint64_t asked = frame();
        std::optional<Ticket> ticket;
        while (!ticket) {
            auto answer = offline_.apply(edits);
            if (answer) {
                ticket = *answer;
                break;
            }
            const bool full = answer.error().code == ErrorCode::resource_exhausted && !answer.error().edit_index;
            if (!full) return fail("refused: " + answer.error().sentence);
            if (frame() > asked + frames_of(2'000.0)) return fail("an edit has been refused for 2 s");
            if (!render()) return false;
            offline_.poll();
        }
        for (const auto& node : offline_.engine.graph().nodes()) leaving.erase(node->id);

        if (reports_combs(*ticket)) combs_until_ = std::numeric_limits<std::uint64_t>::max();
        const std::optional<std::uint64_t> within_ms = promised_ms(*ticket);
        const std::uint64_t starts = frame() +
                                     frames_of(static_cast<double>(within_ms.value_or(longest_wait_ms(edits)))) +
                                     kPlansInFlight * block();
        if (within_ms && promises) promises_[ticket->revision] = starts;
        committed_.insert(ticket->revision);
        // An earlier transaction may still wait that disconnects what this one removes, or connects what this one
        // changes.
        all_end_ = std::max(all_end_, starts + frames_of(kCrossfades * 10.0) + 40U * block());
        leaving_.emplace_back(all_end_, leaving.size());
        // A whole graph sets parameters with the default ramp.
        const std::uint64_t parameters_end =
            all_end_ + frames_of(static_cast<double>(std::max(plan.parameter_ramp_ms.value_or(0.0F), 20.0F)));
        for (std::size_t i = 0; i < kRegions; ++i) {
            const Region& region = plan.after.regions[i];
            Level& level = levels_[i];
            level.connection.set(factor_of(region.level_db), all_end_);
            level.side.set(factor_of(region.side_db.value_or(kSilentDb)), all_end_);
            level.source.set(region.connected ? 1.0F : 0.0F, all_end_ + latency_frames());
            level.fader.set(factor_of(region.fader_db), parameters_end);
            for (std::size_t k = 0; k < level.taps.size(); ++k) {
                const bool exists = !region.tap.empty() && region.tap_count % level.taps.size() == k;
                level.taps.at(k).set(exists ? 1.0F : 0.0F, all_end_ + latency_frames());
            }
            // An echo ends when the delay line has played what it contains.
            level.echo.set(region.echo_line.empty() ? 0.0F : 1.0F, all_end_ + latency_frames());
            level.echo.set(0.0F, all_end_ + latency_frames());
        }
        model_ = plan.after;
        return true;
    }
    /// Returns the maximum wait in an engine that promises none. A level must not wait for look-ahead elsewhere.
    [[nodiscard]] std::uint64_t longest_wait_ms(const std::vector<Edit>& edits) const {
        const auto is_connect = [](const Edit& edit) { return std::holds_alternative<Connect>(edit); };
        return storm_.one_sided && std::ranges::all_of(edits, is_connect) ? 300 : 2'000;
    }
    /// A plan with parameters needs a separate block, and so do the plans before it.
    static constexpr std::uint64_t kPlansInFlight = 16;
    /// Returns an upper bound of the latency of a region.
    [[nodiscard]] std::uint64_t latency_frames() const { return frames_of(storm_.latency_ms()); }

    bool mute() {
        if (!offline_.engine.mute_output(true)) return fail("mute was refused");
        sent_ += "  frame " + std::to_string(frame()) + ": mute\n";
        muted_ = quiet_ = true;
        return true;
    }
    bool unmute() {
        if (!offline_.engine.mute_output(false)) return fail("unmute was refused");
        sent_ += "  frame " + std::to_string(frame()) + ": unmute\n";
        muted_ = false;
        return true;
    }
    /// Sends a transaction that must be refused. Nothing may change, and nothing may be built.
    bool refused(const Change& change) {
        const Region& region = model_.regions[change.region];
        if (region.stages.empty()) return true;
        std::vector<Edit> edits;
        for (std::uint32_t i = 0, changes = 1 + change.second % 500; i < changes; ++i)
            edits.emplace_back(ChangeSettings{kLarge, {{"look_ahead_ms", 48.0 + i % 2}}});
        edits.emplace_back(Connect{region.name_of("fader"), region.stages.front().front(), {}});
        sent_ += "  frame " + std::to_string(frame()) + ": " + std::to_string(edits.size() - 1) +
                 " changes of settings, then a cycle\n";
        const std::uint64_t revision = offline_.engine.revision();
        const std::size_t built = built_processors();
        if (offline_.apply(edits)) return fail("a cycle was accepted");
        if (offline_.engine.revision() != revision) return fail("a refused transaction has changed the graph");
        const std::size_t more = built_processors() - built;
        // A processor may be built for a transaction that is valid in an earlier snapshot, which offline_ uses.
        const std::size_t most = storm_.with_snapshots ? 1 : 0;
        return more <= most || fail("a refused transaction has built " + std::to_string(more) + " processors");
    }
    bool panic(const Change& change) {
        if (!mute()) return false;
        const std::uint64_t asked = frame();
        while (!offline_.engine.output_silent()) {
            if (frame() > asked + frames_of(500.0) + 10U * block()) return fail("the output does not become silent");
            if (!render()) return false;
        }
        sent_ += "  frame " + std::to_string(frame()) + ": reset\n";
        EngineReset reset = offline_.engine.start_reset();
        // All processors are replaced.
        leaving_.emplace_back(frame() + frames_of(100.0) + 40U * block(), 2 * offline_.engine.graph().node_count());
        Plan plan{.before = model_, .after = model_};
        if (change.second % 2 == 0) {
            editor_.add(plan, {Kind::insert, change.region, change.first, change.second});
            if (!commit(plan, false, false)) return false;
        }
        for (;;) {
            const auto outcome = reset.try_complete();
            if (outcome && !*outcome) return fail("the reset failed: " + outcome->error().sentence);
            if (outcome) break;
            if (frame() > asked + frames_of(2'000.0)) return fail("the reset does not complete");
            if (!render()) return false;
        }
        return unmute();
    }

    // Checks.

    bool check_block() {
        const std::size_t first = offline_.recorded[0].size() - block();
        const bool settled = !offline_.engine.outstanding();
        if (settled) combs_until_ = std::min(combs_until_, frame() + latency_frames() + kPeriod);
        bool all_at_level = true;
        for (std::size_t i = 0; i < kRegions; ++i) {
            const std::span heard = std::span{offline_.recorded[i]}.subspan(first - 1);
            if (!check_steps(i, heard)) return false;
            if (storm_.keeps_tone_level() && !check_tone_level(i)) return false;
            if (storm_.tone) continue;
            Level& level = levels_[i];
            const float low = quiet_ ? 0.0F : level.low();
            // A gliding delay interpolates: where a ramp starts or ends, it overshoots by at most 0.15 of the slope.
            const float ringing =
                kTolerance + 0.15F * storm_.level_ramps() * kLevel / static_cast<float>(0.010 * storm_.sample_rate_hz);
            for (const float sample : heard.subspan(1)) {
                if (sample >= low - ringing && sample <= level.high() + ringing) continue;
                std::ostringstream what;
                what << "channel " << i << " plays " << sample << ", expected " << low << " to " << level.high();
                return fail(what.str());
            }
            level.expire(frame());
            const bool at_level = std::abs(heard.back() - level.committed()) <= kTolerance;
            all_at_level = all_at_level && at_level;
        }
        if (!muted_ && settled && all_at_level) quiet_ = false;
        return check_unedited(first) && check_resources() && check_promises();
    }

    bool check_steps(std::size_t channel, std::span<const float> heard) {
        const auto ramp_frames = static_cast<float>(0.010 * storm_.sample_rate_hz);
        float bound = storm_.level_ramps() * 2.0F * kLevel / ramp_frames + kTolerance;
        if (storm_.tone) {
            // The tone on all paths, and up to seven crossfades in series between signals of opposite polarity.
            constexpr float kSteepest = kLevel * 2.0F * std::numbers::pi_v<float> / 256.0F;
            bound += storm_.tone_paths() * kSteepest + 7.0F * 2.0F * kLevel / ramp_frames;
        }
        for (std::size_t i = 1; i < heard.size(); ++i) {
            const float step = std::abs(heard[i] - heard[i - 1]);
            if (step <= bound) continue;
            std::ostringstream what;
            what << "channel " << channel << " steps by " << step << ", expected " << bound << " at most";
            return fail(what.str());
        }
        return true;
    }

    bool check_tone_level(std::size_t channel) {
        if (frame() < combs_until_) return true;
        const std::span recorded{offline_.recorded[channel]};
        float peak = 0.0F;
        for (const float sample : recorded.last(kPeriod)) peak = std::max(peak, std::abs(sample));
        if (peak >= kLowestTone) return true;
        std::ostringstream what;
        what << "channel " << channel << ": the tone has a level of " << peak << ", expected " << kLowestTone
             << " at least";
        return fail(what.str());
    }

    bool check_unedited(std::size_t first) {
        if (storm_.affects_all()) return true;
        reference_.render_block();
        const auto heard = std::span{offline_.recorded[kUnedited]}.subspan(first);
        const auto expected = std::span{reference_.recorded[kUnedited]}.subspan(first);
        return std::ranges::equal(heard, expected) || fail("the region that no client edits has changed");
    }

    bool check_resources() {
        std::erase_if(leaving_, [&](const auto& entry) { return entry.first < frame(); });
        std::size_t most = offline_.engine.graph().node_count();
        for (const auto& entry : leaving_) most += entry.second;
        const std::ptrdiff_t live = live_processors() - live_before_;
        if (live > static_cast<std::ptrdiff_t>(most))
            return fail(std::to_string(live) + " processors exist, expected " + std::to_string(most) + " at most");
        return offline_.engine.statistics().plans_alive <= 16 || fail("more than 16 plans exist");
    }

    bool check_promises() {
        const auto heard = transactions_heard(offline_);
        if (!heard) return true;
        for (; heard_count_ < heard->size(); ++heard_count_) {
            const auto [revision, at_frame] = (*heard)[heard_count_];
            if (!heard_.insert(revision).second)
                return fail("transaction " + std::to_string(revision) + " was reported as heard twice");
            const auto promise = promises_.find(revision);
            if (promise == promises_.end()) continue;
            if (at_frame > promise->second) {
                return fail("transaction " + std::to_string(revision) + " was heard " +
                            std::to_string(at_frame - promise->second) + " frames later than promised");
            }
            promises_.erase(promise);
        }
        // The report of a block arrives with the next poll.
        for (const auto& [revision, until] : promises_) {
            if (frame() > until + 4U * block())
                return fail("transaction " + std::to_string(revision) + " is not heard in the promised time");
        }
        return true;
    }

    void check_end() {
        const std::size_t nodes = offline_.engine.graph().node_count();
        const std::ptrdiff_t live = live_processors() - live_before_;
        if (live != static_cast<std::ptrdiff_t>(nodes))
            fail(std::to_string(live) + " processors are left, but the graph has " + std::to_string(nodes));
        if (offline_.engine.statistics().plans_alive != 1) fail("more than one plan is left");
        if (!offline_.faults.empty()) fail("a node produced NaN or infinity");
        if (transactions_heard(offline_)) {
            for (const std::uint64_t revision : committed_) {
                if (!heard_.contains(revision))
                    fail("transaction " + std::to_string(revision) + " was never reported as heard");
            }
        }
        OfflineEngine fresh{config_of(storm_), builtin_nodes(), kRegions};
        fresh.edit({ReplaceGraph{offline_.engine.graph().document()}});
        // A whole number of periods of the tone.
        const std::size_t frames = 2'048;
        fresh.render_blocks(start_blocks() + static_cast<std::uint32_t>(frames / block()) + 2);
        for (std::uint32_t i = 0; i < frames / block() + 1; ++i) offline_.render_block();
        for (std::size_t i = 0; i < kRegions; ++i) {
            const auto lived_end = std::span{offline_.recorded[i]}.last(frames);
            const auto fresh_end = std::span{fresh.recorded[i]}.last(frames);
            if (storm_.tone) {
                const auto level_of = [](std::span<const float> samples) {
                    double sum = 0.0;
                    for (const float sample : samples) sum += static_cast<double>(sample) * static_cast<double>(sample);
                    return std::sqrt(sum / static_cast<double>(samples.size()));
                };
                if (std::abs(level_of(lived_end) - level_of(fresh_end)) > 2e-3)
                    fail("channel " + std::to_string(i) + " ends at " + std::to_string(level_of(lived_end)) +
                         " RMS, a fresh engine plays " + std::to_string(level_of(fresh_end)));
            } else if (!std::ranges::equal(lived_end, fresh_end)) {
                std::ostringstream what;
                what.precision(9);
                what << "channel " << i << " ends at " << lived_end.back() << ", a fresh engine plays "
                     << fresh_end.back();
                fail(what.str());
            } else if (std::abs(fresh_end.back() - levels_[i].committed()) > kTolerance) {
                fail("channel " + std::to_string(i) + " ends at another level than committed");
            }
        }
    }

    const Storm& storm_;
    std::ptrdiff_t live_before_;
    OfflineEngine offline_;
    OfflineEngine reference_;
    Editor editor_;
    Model model_;
    std::array<Level, kRegions> levels_{};
    bool muted_ = false;
    bool quiet_ = false;  ///< the output may be below its level
    std::uint64_t combs_until_ = 0;
    std::vector<std::pair<std::uint64_t, std::size_t>> leaving_;  ///< processors that exist until a frame
    std::uint64_t all_end_ = 0;                        ///< frame after which no committed change fades any more
    std::map<std::uint64_t, std::uint64_t> promises_;  ///< revision, frame
    std::set<std::uint64_t> committed_;
    std::set<std::uint64_t> heard_;
    std::size_t heard_count_ = 0;
    std::string sent_;
    std::optional<std::string> failure_;
};

std::optional<std::string> outcome(const Storm& storm) { return StormRun{storm}.run(); }

/// Removes requests and changes while the storm still fails in the same way, for `seconds` at most.
void shrink(Storm& storm, const std::string& failure, double seconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>{seconds};
    const auto try_without = [&](Storm shorter) {
        if (std::chrono::steady_clock::now() > end) return false;
        const auto other = outcome(shorter);
        if (!other || without_numbers(*other) != without_numbers(failure)) return false;
        storm = std::move(shorter);
        return true;
    };
    for (std::size_t size = storm.requests.size() / 2; size > 0; size /= 2) {
        for (std::size_t i = storm.requests.size(); i >= size; --i) {
            Storm shorter = storm;
            const auto first = shorter.requests.begin() + static_cast<std::ptrdiff_t>(i - size);
            shorter.requests.erase(first, first + static_cast<std::ptrdiff_t>(size));
            if (try_without(std::move(shorter))) i = std::min(i, storm.requests.size() + 1);
        }
    }
    for (std::size_t i = storm.requests.size(); i-- > 0;) {
        for (std::size_t k = storm.requests[i].changes.size(); k-- > 0;) {
            Storm shorter = storm;
            shorter.requests[i].changes.erase(shorter.requests[i].changes.begin() + static_cast<std::ptrdiff_t>(k));
            if (!shorter.requests[i].changes.empty()) static_cast<void>(try_without(std::move(shorter)));
        }
        Storm as_edits = storm;
        as_edits.requests[i].whole_graph = false;
        if (storm.requests[i].whole_graph) static_cast<void>(try_without(std::move(as_edits)));
    }
}

/// Storms in which a fault was found. If the edits that a seed stands for change, a seed shows nothing any more.
TEST(EditInvariants, HoldForStormsThatHaveFailedBefore) {
    constexpr std::uint32_t kSilencedBeforePrepared = 9'025'867;  // a promise did not count the preparation
    constexpr std::uint32_t kBehindADeviceSink = 5'749;           // a promise did not count a round of its length
    for (const std::uint32_t seed : {kSilencedBeforePrepared, kBehindADeviceSink}) {
        const auto failure = outcome(make_storm(seed));
        EXPECT_FALSE(failure) << seed << ": " << *failure;
    }
}

TEST(EditInvariants, HoldForRandomEditsOfSeveralClients) {
    const double seconds = number_from_environment("RTAD_STORM_SECONDS", 10.0);
    auto seed = static_cast<std::uint32_t>(number_from_environment("RTAD_STORM_SEED", 1.0));
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>{seconds};
    std::size_t storms = 0;
    std::size_t requests = 0;
    do {
        Storm storm = make_storm(seed);
        requests += storm.requests.size();
        ++storms;
        const auto failure = outcome(storm);
        if (failure) {
            shrink(storm, *failure, 30.0);
            StormRun shortest{storm};
            const auto again = shortest.run();
            FAIL() << "seed " << seed << ": " << *failure << "\nshortest: " << again.value_or("passes") << '\n'
                   << text_of(storm) << "which are\n"
                   << shortest.sent();
        }
        ++seed;
    } while (std::chrono::steady_clock::now() < end);
    std::cout << storms << " storms, " << requests << " requests\n";
}

}  // namespace
}  // namespace rta::test::edit_invariants_test
