// SPDX-License-Identifier: MIT
#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dsp/biquad.h"
#include "dsp/filter_names.h"
#include "graph/filter_rows.h"
#include "graph/node_type.h"

namespace rta::nodes::equalizer {

namespace {

constexpr std::array kSettings{
    SettingSpec{.name = "bands",
                .kind = SettingSpec::Kind::integer,
                .minimum = 1,
                .maximum = 64,
                .default_number = 4,
                .help = "Number of bands in series."},
    repeated(SettingSpec{.name = "kind_#",
                         .kind = SettingSpec::Kind::choice,
                         .default_text = "peaking",
                         .choices = dsp::kFilterKindNames,
                         .help = "Kind of band #; see the setting kind of biquad_filter."},
             "bands"),
    channels_setting(),
};

enum Row : std::uint8_t { kFrequency, kQ, kGain };
constexpr std::array kParameters{
    [] {
        ParameterSpec spec = repeated(corner_hz("frequency_#_hz", 5.0F, 80.0F,
                                                "Centre frequency of band #, or corner frequency of a shelf or cut."),
                                      "bands");
        spec.default_factor = 5.0F;
        return spec;
    }(),
    repeated(
        q_ratio("q_#",
                "Selectivity of band #: 1.41 is one octave wide, 0.7071 two. Shelves and cuts have no overshoot at "
                "0.7071. Ignored by the kinds ending in _1."),
        "bands"),
    repeated(filter_gain_db("gain_#_db", "Gain of band #, if it is a peak or a shelf; ignored by the other kinds."),
             "bands"),
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

std::vector<dsp::FilterShape> shapes_of(const ResolvedSettings& settings) {
    std::vector<dsp::FilterShape> shapes;
    for (std::uint32_t band = 1; band <= settings.integer("bands"); ++band)
        shapes.push_back({.kind = dsp::filter_kind(settings.text(numbered("kind_#", band)))});
    return shapes;
}

class Equalizer final : public Processor {
 public:
    explicit Equalizer(const BuildContext& context)
        : motions_(context.settings.integer("bands")),
          bands_{shapes_of(context.settings), context.settings.integer("channels"), context.sample_rate_hz,
                 context.block_size} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const std::size_t bands = motions_.size();
        for (std::size_t band = 0; band < bands; ++band) {
            const auto course = [&](Row row) -> dsp::FilterCourse {
                const ParameterView& view = context.parameters[row * bands + band];
                return {view.value, view.ramp};
            };
            motions_[band] = {course(kFrequency), course(kQ), course(kGain)};
        }
        bands_.process(motions_, context.inputs[0], context.outputs[0]);
    }

 private:
    std::vector<dsp::FilterMotion> motions_;
    dsp::BiquadCascade bands_;
};

}  // namespace

extern constinit const NodeType kType{
    .name = "equalizer",
    .help = "Parametric equalizer: up to 64 bands in series, each a peak, a shelf, a cut or another filter.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<Equalizer>(context);
    },
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> responses) {
            const std::vector<dsp::FilterShape> shapes = shapes_of(query.settings);
            const std::size_t bands = shapes.size();
            std::vector<dsp::BiquadCoefficients> sections;
            for (std::size_t band = 0; band < bands; ++band) {
                const auto value = [&](Row row) { return query.parameters[row * bands + band]; };
                const dsp::FilterValues values{value(kFrequency), value(kQ), value(kGain)};
                sections.push_back(dsp::biquad_coefficients(shapes[band], values, query.sample_rate_hz));
            }
            dsp::cascade_response(sections, query.sample_rate_hz, query.frequencies_hz, responses);
        },
};

}  // namespace rta::nodes::equalizer
