// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "dsp/butterworth.h"
#include "graph/node_type.h"

/// Linkwitz-Riley crossovers (see dsp/butterworth.h): adjacent bands are both at -6 dB and in phase at the crossover
/// frequency. Low and high sum to an all-pass of half the order. A band that a higher crossover does not split passes
/// through that crossover's all-pass, so that all bands have the same phase and sum flat.
namespace rta::nodes::crossover {

namespace {

constexpr std::array<std::string_view, 4> kOrders{"2", "4", "6", "8"};

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
                .help = "Order of the Linkwitz-Riley filters: 2, 4, 6 and 8 are 12, 24, 36 and 48 dB per octave."},
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

struct Crossing {
    dsp::FixedSections low;
    dsp::FixedSections high;
    dsp::FixedSections all;  ///< all-pass equal to the sum of low and high
};

Crossing crossing_of(std::uint32_t order) {
    Crossing crossing{dsp::linkwitz_riley_sections(dsp::Pass::low, order),
                      dsp::linkwitz_riley_sections(dsp::Pass::high, order), dsp::linkwitz_riley_sum(order)};
    // At order 2 and 6, low and high have opposite phase at the crossover frequency, so high is inverted.
    if (order / 2 % 2 == 1) crossing.high.front().kind = dsp::FilterKind::inverted_highpass;
    return crossing;
}

class Crossover final : public Processor {
 public:
    explicit Crossover(const BuildContext& context) {
        const Crossing crossing = crossing_of(context.settings.integer("order"));
        const auto filter = [&](const dsp::FixedSections& sections) {
            return dsp::CornerFilter{sections, context.settings.integer("channels"), context.sample_rate_hz,
                                     context.block_size};
        };
        for (std::uint32_t i = 0; i + 1 < context.settings.integer("ways"); ++i) {
            low_.push_back(filter(crossing.low));
            high_.push_back(filter(crossing.high));
            below_.emplace_back();
            for (std::uint32_t way = 0; way < i; ++way) below_.back().push_back(filter(crossing.all));
        }
    }

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        // The highest output holds the signal above the crossovers processed so far.
        const AudioWriteView& above = context.outputs.back();
        AudioReadView rest = context.inputs[0];
        for (std::size_t i = 0; i < low_.size(); ++i) {
            const dsp::FilterCourse frequency_hz{context.parameters[i].value, context.parameters[i].ramp};
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
    std::vector<dsp::CornerFilter> low_;
    std::vector<dsp::CornerFilter> high_;
    std::vector<std::vector<dsp::CornerFilter>> below_;  ///< the all-passes of the lower bands
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
                const dsp::FixedSections& sections = query.output > i    ? crossing.high
                                                     : query.output == i ? crossing.low
                                                                         : crossing.all;
                std::ranges::copy(dsp::coefficients_of(sections, query.parameters[i], query.sample_rate_hz),
                                  std::back_inserter(designed));
            }
            dsp::cascade_response(designed, query.sample_rate_hz, query.frequencies_hz, responses);
        },
    .memory_bytes = [](const BuildContext& context) -> std::uint64_t {
        constexpr std::uint64_t kBesideTheBlocks = std::uint64_t{16} << 10U;
        const std::uint64_t ways = context.settings.integer("ways");
        const std::uint64_t channels = context.settings.integer("channels");
        return kBesideTheBlocks + 256 * channels + context.block_size * ways * (24 * ways + 5 * channels);
    },
};

}  // namespace rta::nodes::crossover
