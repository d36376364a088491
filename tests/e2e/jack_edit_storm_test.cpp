// SPDX-License-Identifier: MIT
// No clicks and no lost frames under any edits: an independent JACK client records a sine, and speech, through a path
// that several clients edit concurrently at random. The same measurement detects the clicks of a daemon without ramps.
#include <gtest/gtest.h>

#include "edit_storm.h"
#include "jack_rig.h"
#include "support/analysis.h"
#include "support/wav.h"

namespace rta::test {
namespace {

constexpr double kRate = 48'000.0;
constexpr std::size_t kSecond = 48'000;
/// Three minutes: the storm takes seconds, longer under a sanitizer or on a busy machine.
constexpr std::size_t kCapacity = 180 * kSecond;
constexpr double kAmplitude = 0.5011872;  // -6 dB

void expect_as_planned(const StormReport& report, const StormPlan& plan) {
    EXPECT_GE(report.edits, plan.edits);
    EXPECT_GE(report.in_path * 2, report.edits) << "at least half of the edits are in the path of the sound";
    EXPECT_GE(report.jumps * 4, report.edits) << "enough edits that would be heard as clicks";
}

/// Results of the recording of a storm.
struct Recorded {
    StormReport report;
    std::vector<float> heard;
    std::uint64_t lost_frames;
};

/// Plays a sine of -6 dB, edits, and checks that the sine is unchanged afterwards.
Recorded storm_over_a_sine(const std::filesystem::path& program, const StormPlan& plan,
                           const std::function<void(JackClient&, StormPlan&)>& prepare = {}) {
    JackRig rig{{.program = program, .capacity_frames = kCapacity}};
    JackClient& witness = rig.witness();
    build_storm_path(rig.daemon(), plan);
    witness.wait_frames(kSecond / 2);
    StormPlan prepared = plan;
    if (prepare) prepare(witness, prepared);
    Recorded recorded{run_storm(rig.daemon(), prepared), {}, 0};
    clear_storm_path(rig.daemon(), plan, 100.0F);
    witness.wait_frames(kSecond / 2);  // the last fades end
    const std::size_t calm = witness.frames();
    witness.wait_for_frame(calm + kSecond);
    EXPECT_FALSE(witness.full()) << "the storm took longer than the recording";
    const std::span<const float> all = witness.recording(0);
    recorded.heard.assign(all.begin(), all.end());
    recorded.lost_frames = witness.lost_frames();
    const SineFit after = fit_sine(all.subspan(calm, kSecond), kRate);
    EXPECT_NEAR(after.frequency_hz, 100.0, 1e-4);
    EXPECT_NEAR(after.level_db(), -6.0, 1e-4);
    EXPECT_LT(after.thd_plus_noise_db(), -120.0);
    EXPECT_EQ(rig.daemon().stop(), (ExitStatus{0, 0}));
    return recorded;
}

StormPlan sine_plan() { return {.source_type = "sine", .retune_source = true, .edits = 1'000}; }

std::string describe(const std::vector<Finding>& findings, double bound) {
    std::string text = std::to_string(findings.size()) + " above " + std::to_string(bound) + ":";
    for (std::size_t i = 0; i < std::min<std::size_t>(findings.size(), 10); ++i) {
        text += " " + std::to_string(findings[i].size) + " at frame " + std::to_string(findings[i].frame);
    }
    return text;
}

TEST(JackEditStorm, ASineHasNoClickAndLosesNoFrame) {
    const StormPlan plan = sine_plan();
    const Recorded recorded = storm_over_a_sine(rtad_program(), plan);
    expect_as_planned(recorded.report, plan);
    EXPECT_EQ(recorded.lost_frames, 0U);
    const double bound = second_difference_bound(kAmplitude, kHighestStormHz, kSlopeOfTheStorm);
    const std::vector<Finding> found = find_discontinuities(recorded.heard, bound);
    EXPECT_TRUE(found.empty()) << describe(found, bound);
    RecordProperty("edits", static_cast<int>(recorded.report.edits));
    RecordProperty("edits_in_path", static_cast<int>(recorded.report.in_path));
    RecordProperty("largest_second_difference", std::to_string(largest_second_difference(recorded.heard).size));
    RecordProperty("bound", std::to_string(bound));
}

TEST(JackEditStorm, WithoutRampsTheSineHasClicks) {
    const StormPlan plan = sine_plan();
    const Recorded recorded = storm_over_a_sine(rtad_no_ramps_program(), plan);
    expect_as_planned(recorded.report, plan);
    EXPECT_EQ(recorded.lost_frames, 0U);
    const double bound = second_difference_bound(kAmplitude, kHighestStormHz, kSlopeOfTheStorm);
    // Edits of all four clients may fall into one block. While one client has disconnected the path, the edits of the
    // others are inaudible.
    EXPECT_GE(find_discontinuities(recorded.heard, bound).size(), recorded.report.jumps / 8);
}

/// One edit at a time, with intervals longer than a fade. The bound is that of a single edit: a three hundredth of the
/// step that an inversion of the polarity causes without ramps.
StormPlan calm_plan() { return {.source_type = "sine", .retune_source = true, .edits = 60, .clients = 1, .seed = 2}; }

void pause_between_edits(JackClient& witness, StormPlan& plan) {
    // Fade out, wait for the control thread, fade in: 480 frames, a few blocks, 480 frames. A parameter takes 960
    // frames.
    plan.between_edits = [&witness] { witness.wait_frames(3'600); };
}

TEST(JackEditStorm, ASingleEditBendsTheSineNoMoreThanItsRampsDo) {
    const StormPlan plan = calm_plan();
    const Recorded recorded = storm_over_a_sine(rtad_program(), plan, pause_between_edits);
    const double bound = second_difference_bound(kAmplitude, kHighestStormHz, kSlopeOfOneEdit);
    const std::vector<Finding> found = find_discontinuities(recorded.heard, bound);
    EXPECT_TRUE(found.empty()) << describe(found, bound);
    EXPECT_EQ(recorded.lost_frames, 0U);
}

TEST(JackEditStorm, WithoutRampsASingleEditBreaksTheSine) {
    const StormPlan plan = calm_plan();
    const Recorded recorded = storm_over_a_sine(rtad_no_ramps_program(), plan, pause_between_edits);
    const double bound = second_difference_bound(kAmplitude, kHighestStormHz, kSlopeOfOneEdit);
    // Edits that take effect near a zero crossing of the sine are not detected.
    EXPECT_GE(find_discontinuities(recorded.heard, bound).size(), recorded.report.jumps / 2);
}

/// Plays speech in a loop into rtad, edits the path from input to output, and finds every place at which the gain of
/// the path changed faster than ramps can. It also detects a frame that any program on the way lost or repeated: after
/// it, the recording no longer matches the played signal with the same delay.
struct SpeechStorm {
    StormReport report;
    std::vector<Finding> steps;
    std::uint64_t lost_frames;
};

SpeechStorm storm_over_speech(const std::filesystem::path& program, const StormPlan& plan) {
    JackRig rig{{.program = program, .capacity_frames = kCapacity, .with_input = true}};
    JackClient& witness = rig.witness();
    build_storm_path(rig.daemon(), plan);
    witness.wait_frames(kSecond / 2);

    const std::vector<float> once = speech();
    std::vector<float> played;
    while (played.size() + once.size() < kCapacity - 10 * kSecond)
        played.insert(played.end(), once.begin(), once.end());
    const std::size_t start = witness.play(0, played);
    witness.wait_for_frame(start + once.size() + kSecond / 2);
    // Before the edits: the recording equals the played signal, which determines the latency of the path.
    const std::size_t delay = find_delay(once, witness.recording(0).subspan(start, once.size() + kSecond / 2));
    EXPECT_EQ(first_difference(once, witness.recording(0).subspan(start + delay, once.size())), std::nullopt);

    SpeechStorm result{run_storm(rig.daemon(), plan), {}, 0};
    clear_storm_path(rig.daemon(), plan, 0.0F);
    witness.wait_frames(kSecond / 2);  // until the last fades have ended
    const std::size_t calm = witness.frames();
    witness.wait_for_frame(calm + once.size());
    EXPECT_FALSE(witness.full()) << "the storm took longer than the recording";

    const std::size_t from = start + delay;
    const std::span<const float> heard = witness.recording(0).subspan(from, calm + once.size() - from);
    const std::span<const float> original = std::span<const float>{played}.first(heard.size());
    // Below -60 dB, speech is too quiet to measure the gain.
    result.steps = find_gain_steps(original, heard, kSlopeOfTheStorm, 1e-3);
    result.lost_frames = witness.lost_frames();
    EXPECT_EQ(first_difference(original.last(once.size()), heard.last(once.size())), std::nullopt)
        << "after the storm the path is bit for bit what it was";
    EXPECT_EQ(rig.daemon().stop(), (ExitStatus{0, 0}));
    return result;
}

StormPlan speech_plan() { return {.source_type = "input", .edits = 1'000, .seed = 3}; }

TEST(JackEditStorm, SpeechHasNoClickAndLosesNoFrame) {
    const StormPlan plan = speech_plan();
    const SpeechStorm storm = storm_over_speech(rtad_program(), plan);
    expect_as_planned(storm.report, plan);
    EXPECT_EQ(storm.lost_frames, 0U);
    EXPECT_TRUE(storm.steps.empty()) << describe(storm.steps, kSlopeOfTheStorm);
}

TEST(JackEditStorm, WithoutRampsSpeechHasClicks) {
    const StormPlan plan = speech_plan();
    const SpeechStorm storm = storm_over_speech(rtad_no_ramps_program(), plan);
    expect_as_planned(storm.report, plan);
    // As for the sine. Edits during a pause of the speech are inaudible, too.
    EXPECT_GE(storm.steps.size(), storm.report.jumps / 16);
}

}  // namespace
}  // namespace rta::test
