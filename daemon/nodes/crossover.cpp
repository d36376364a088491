// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "dsp/biquad.h"
#include "graph/node_type.h"

/// Linkwitz-Riley crossovers. Each band is two identical Butterworth filters in series, so that adjacent bands are both
/// at -6 dB and in phase at the crossover frequency (Siegfried Linkwitz, "Active crossover networks for noncoincident
/// drivers", JAES 24, 1976). Low and high sum to an all-pass of half the order. A band that a higher crossover
/// does not split passes through that crossover's all-pass, so that all bands have the same phase and sum flat.
namespace rta::nodes::crossover {

namespace {

constexpr std::array<std::string_view, 3> kOrders{"2", "4", "8"};

constexpr std::array kSettings{
    SettingSpec{.name = "ways",
                .kind = SettingSpec::Kind::integer,
                .minimum = 2,
                .maximum = 4,
                .default_number = 2,
                .help = "Number of outputs, from the lowest frequency band to the highest."},
    SettingSpec{.name = "order",
                .kind = SettingSpec::Kind::integer,
                .minimum = 2,
                .maximum = 8,
                .default_number = 4,
                .choices = kOrders,
                .help = "Order of the Linkwitz-Riley filters: 2, 4 and 8 are 12, 24 and 48 dB per octave."},
    channels_setting(),
};

constexpr std::array kParameters{[] {
    ParameterSpec spec =
        repeated(corner_hz("frequency_#_hz", 20.0F, 400.0F,
                           "Crossover frequency between output # and the next. If the frequencies are not in "
                           "ascending order, the outputs still sum flat; those between carry only what both pass."),
                 "ways", 1);
    spec.default_factor = 5.0F;
    return spec;
}()};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{.name = "out_#", .repeat = {"ways"}}};

/// One second-order section of a crossover. All sections have the crossover's frequency.
struct Section {
    dsp::FilterKind kind;
    float q;
};
using Sections = std::vector<Section>;

struct Crossing {
    Sections low;
    Sections high;
    Sections all;  ///< all-pass equal to the sum of low and high
};

/// Returns the sections for an order in kOrders. A Butterworth filter of order 2 has Q = sqrt(1/2). One of order 4 has
/// sections with Q = 1 / (2 cos(pi / 8)) and 1 / (2 cos(3 pi / 8)). Two filters of order 1 are one section with
/// Q = 1/2.
Crossing crossing_of(std::uint32_t order) {
    using Kind = dsp::FilterKind;
    // At order 2, low and high have opposite phase at the crossover frequency, so high is inverted.
    if (order == 2) {
        return {{{Kind::lowpass, 0.5F}}, {{Kind::inverted_highpass, 0.5F}}, {{Kind::lowpass_less_highpass, 0.5F}}};
    }
    const std::vector<float> qs =
        order == 4 ? std::vector{0.707'106'781F} : std::vector{0.541'196'100F, 1.306'562'965F};
    Crossing crossing;
    for (const float q : qs) {
        crossing.low.insert(crossing.low.end(), 2, {Kind::lowpass, q});
        crossing.high.insert(crossing.high.end(), 2, {Kind::highpass, q});
        crossing.all.push_back({Kind::allpass, q});
    }
    return crossing;
}

/// Sections in series with a common frequency.
class Branch {
 public:
    Branch(const Sections& sections, const BuildContext& context)
        : motions_{motions_of(sections)},
          cascade_{shapes_of(sections), context.settings.integer("channels"), context.sample_rate_hz,
                   context.block_size} {}

    void process(const ParameterView& frequency_hz, const AudioReadView& in,
                 const AudioWriteView& out) RTA_NONBLOCKING {
        for (dsp::FilterMotion& motion : motions_) motion.frequency_hz = {frequency_hz.value, frequency_hz.ramp};
        cascade_.process(motions_, in, out);
    }

 private:
    static std::vector<dsp::FilterMotion> motions_of(const Sections& sections) {
        std::vector<dsp::FilterMotion> motions;
        for (const Section& section : sections)
            motions.push_back({.frequency_hz = {}, .width = {section.q}, .gain_db = {}});
        return motions;
    }
    static std::vector<dsp::FilterShape> shapes_of(const Sections& sections) {
        std::vector<dsp::FilterShape> shapes;
        for (const Section& section : sections) shapes.push_back({.kind = section.kind});
        return shapes;
    }

    std::vector<dsp::FilterMotion> motions_;
    dsp::BiquadCascade cascade_;
};

class Crossover final : public Processor {
 public:
    explicit Crossover(const BuildContext& context) {
        const Crossing crossing = crossing_of(context.settings.integer("order"));
        for (std::uint32_t i = 0; i + 1 < context.settings.integer("ways"); ++i) {
            low_.emplace_back(crossing.low, context);
            high_.emplace_back(crossing.high, context);
            below_.emplace_back();
            for (std::uint32_t way = 0; way < i; ++way) below_.back().emplace_back(crossing.all, context);
        }
    }

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        // The highest output holds the signal above the crossovers processed so far.
        const AudioWriteView& above = context.outputs.back();
        AudioReadView rest = context.inputs[0];
        for (std::size_t i = 0; i < low_.size(); ++i) {
            const ParameterView& frequency_hz = context.parameters[i];
            low_[i].process(frequency_hz, rest, context.outputs[i]);
            high_[i].process(frequency_hz, rest, above);
            rest = above.read();
            for (std::size_t way = 0; way < i; ++way) {
                below_[i][way].process(frequency_hz, context.outputs[way].read(), context.outputs[way]);
            }
        }
    }

 private:
    // One for each crossover frequency.
    std::vector<Branch> low_;
    std::vector<Branch> high_;
    std::vector<std::vector<Branch>> below_;  ///< the all-passes of the lower bands
};

}  // namespace

extern constinit const NodeType kType{
    .name = "crossover",
    .help = "Splits a signal into frequency bands that sum flat (Linkwitz-Riley).",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<Crossover>(context);
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> responses) {
            const Crossing crossing = crossing_of(query.settings.integer("order"));
            std::vector<dsp::BiquadCoefficients> designed;
            for (std::uint32_t i = 0; i < query.parameters.size(); ++i) {
                const Sections& sections = query.output > i    ? crossing.high
                                           : query.output == i ? crossing.low
                                                               : crossing.all;
                for (const Section& section : sections) {
                    designed.push_back(dsp::biquad_coefficients(
                        {.kind = section.kind}, {query.parameters[i], section.q, 0.0F}, query.sample_rate_hz));
                }
            }
            dsp::cascade_response(designed, query.sample_rate_hz, query.frequencies_hz, responses);
        },
};

}  // namespace rta::nodes::crossover
