// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "nodes/filter_reference.h"

namespace rta::test::linkwitz_transform_test {
namespace {

using namespace test;

const NodeType& type() { return *builtin_nodes().find("linkwitz_transform"); }

struct Box {
    float source_hz, source_q, target_hz, target_q;
};

NodeBench transform_of(const Box& box, double rate, const NodeBench::Signal& signal = impulse, double channels = 1.0) {
    NodeBench::Options options;
    options.sample_rate_hz = rate;
    options.signal = signal;
    options.parameters = {{"source_frequency_hz", box.source_hz},
                          {"source_q", box.source_q},
                          {"target_frequency_hz", box.target_hz},
                          {"target_q", box.target_q}};
    return NodeBench{type(), {{"channels", channels}}, options};
}

/// (s^2 + s w0 / Q0 + w0^2) / (s^2 + s wp / Qp + wp^2), each frequency warped by the bilinear transform.
Complex expected_response(const Box& box, double at_hz, double rate) {
    const auto warped = [rate](double hz) { return std::tan(std::numbers::pi * hz / rate); };
    const Complex s{0.0, warped(at_hz)};
    const auto box_at = [&](double hz, double q) {
        const double w = warped(hz);
        return s * s + s * w / q + w * w;
    };
    return box_at(box.source_hz, box.source_q) / box_at(box.target_hz, box.target_q);
}

const std::vector<Box> kBoxes{{50.0F, 0.707107F, 50.0F, 0.707107F}, {60.0F, 1.21F, 25.0F, 0.5F},
                              {120.0F, 0.9F, 20.0F, 0.707107F},     {30.0F, 0.4F, 90.0F, 1.0F},
                              {500.0F, 10.0F, 5.0F, 0.1F},          {5.0F, 0.1F, 500.0F, 10.0F},
                              {500.0F, 0.1F, 20.0F, 10.0F},         {5.0F, 10.0F, 5.0F, 0.1F}};

TEST(LinkwitzTransformNode, HasItsFormula) {
    for (const double rate : {8'000.0, 48'000.0, 192'000.0, 768'000.0}) {
        for (const Box& box : kBoxes) {
            const auto settings = ResolvedSettings::resolve(type().settings, {}, "test");
            ASSERT_TRUE(settings);
            for (const double at_hz : frequencies(1.0, 0.49 * rate, 50)) {
                const Complex told = told_response(
                    type(), *settings, {box.source_hz, box.source_q, box.target_hz, box.target_q}, at_hz, 0, rate);
                const Complex ratio = told / expected_response(box, at_hz, rate);
                ASSERT_NEAR(db(std::abs(ratio)), 0.0, 0.01) << box.source_hz << " Hz at " << at_hz << " Hz, " << rate;
                ASSERT_NEAR(degrees(std::arg(ratio)), 0.0, 0.1) << box.source_hz << " Hz at " << at_hz << " Hz";
            }
        }
    }
}

TEST(LinkwitzTransformNode, RendersItsFormula) {
    for_each_target([](std::string_view target) {
        for (const Box& box : kBoxes) {
            const auto response = transform_of(box, 48'000.0).render_channel(480'000);
            for (const double at_hz : frequencies(10.0, 23'000.0, 25)) {
                const Complex ratio = transform(response, at_hz, 48'000.0) / expected_response(box, at_hz, 48'000.0);
                ASSERT_NEAR(db(std::abs(ratio)), 0.0, 0.01)
                    << target << ", " << box.source_hz << " Hz to " << box.target_hz << " Hz at " << at_hz << " Hz";
            }
        }
    });
}

/// A driver in its box is a high-pass of second order. After the transform it is the high-pass of the target.
TEST(LinkwitzTransformNode, TurnsOneBoxIntoAnother) {
    const Box box{60.0F, 1.21F, 25.0F, 0.5F};
    NodeBench::Options driver_options;
    driver_options.parameters = {{"frequency_hz", box.source_hz}, {"q", box.source_q}};
    driver_options.signal = impulse;
    NodeBench driver{*builtin_nodes().find("biquad_filter"), {{"kind", std::string{"highpass"}}}, driver_options};
    const auto sound = driver.render_channel(96'000);
    const auto response = transform_of(box, 48'000.0, [&sound](std::uint32_t, std::uint32_t, std::uint64_t frame) {
                              return frame < sound.size() ? sound[frame] : 0.0F;
                          }).render_channel(96'000);
    for (const double at_hz : frequencies(10.0, 20'000.0, 30)) {
        const Complex expected =
            cookbook_response({"highpass", box.target_hz, alpha_of_q(box.target_hz, box.target_q)}, at_hz);
        EXPECT_NEAR(db(std::abs(transform(response, at_hz, 48'000.0) / expected)), 0.0, 0.01) << at_hz << " Hz";
    }
}

/// Gain of 40 log10(source / target) at 0 Hz, 0 dB at high frequencies.
TEST(LinkwitzTransformNode, HasTheGainThatItsHelpStates) {
    const Box box{80.0F, 1.0F, 20.0F, 0.707107F};
    const auto response = transform_of(box, 48'000.0).render_channel(240'000);
    EXPECT_NEAR(db(std::abs(transform(response, 0.0, 48'000.0))), 40.0 * std::log10(80.0 / 20.0), 0.01);
    EXPECT_NEAR(db(std::abs(transform(response, 20'000.0, 48'000.0))), 0.0, 0.001);
}

/// A slow tone through a ramp of all four values: the output has neither a step nor a level beyond both ends.
TEST(LinkwitzTransformNode, MovesWithoutAClick) {
    for (const auto& [from, to] : {std::pair{kBoxes[1], kBoxes[3]}, std::pair{kBoxes[3], kBoxes[2]}}) {
        NodeBench bench = transform_of(from, 48'000.0, sine_of(40.0), 3.0);
        bench.pass(96'000);
        bench.set("source_frequency_hz", to.source_hz);
        bench.set("source_q", to.source_q);
        bench.set("target_frequency_hz", to.target_hz);
        bench.set("target_q", to.target_q);
        const auto recording = bench.render(48'000);
        EXPECT_EQ(recording[0], recording[2]);
        const double largest = std::max(std::abs(expected_response(from, 40.0, 48'000.0)),
                                        std::abs(expected_response(to, 40.0, 48'000.0)));
        EXPECT_LT(peak_of(recording[0]), kToneLevel * 3.0 * largest);
        double step = 0.0;
        for (std::size_t n = 1; n < recording[0].size(); ++n)
            step = std::max(step, static_cast<double>(std::fabs(recording[0][n] - recording[0][n - 1])));
        // The slope of the tone, and the change of its gain spread over 960 frames of a ramp in the logarithm.
        EXPECT_LT(step, kToneLevel * largest * (3.0 * angle_of(40.0, 48'000.0) + 10.0 / 960.0));
    }
}

TEST(LinkwitzTransformNode, StaysBoundedWhateverItsParametersJumpTo) {
    for (const double rate : {8'000.0, 48'000.0, 768'000.0}) {
        Dice dice{4};
        NodeBench bench = transform_of(kBoxes[0], rate, white_noise);
        const auto specs = bench.layout().parameters;
        for (int block = 0; block < 2'000; ++block) {
            for (const ParameterSpec& spec : specs) {
                if (spec.name == "bypass") continue;
                bench.set(spec.name, dice.between(0.0, 1.0) < 0.5 ? spec.minimum : spec.maximum,
                          dice.between(0.0, 1.0) < 0.5 ? 0 : 8);
            }
            bench.render_block();
            // A gain of 80 dB, and 1,000 for the energy in a section of Q = 10.
            for (const float sample : bench.output().channel(0)) ASSERT_LT(std::fabs(sample), 1e7F) << block;
        }
    }
}

}  // namespace
}  // namespace rta::test::linkwitz_transform_test
