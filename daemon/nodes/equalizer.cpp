// SPDX-License-Identifier: MIT
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

namespace rta::nodes::equalizer {

namespace {

constexpr std::array<std::string_view, 3> kFirstKinds{"peaking", "low_shelf", "highpass"};
constexpr std::array<std::string_view, 3> kLastKinds{"peaking", "high_shelf", "lowpass"};

constexpr std::array kSettings{
    SettingSpec{.name = "bands",
                .kind = SettingSpec::Kind::integer,
                .minimum = 1,
                .maximum = 16,
                .default_number = 4,
                .help = "Number of bands in series. All bands except the first and the last are peaking."},
    SettingSpec{.name = "first_band",
                .kind = SettingSpec::Kind::choice,
                .default_text = "peaking",
                .choices = kFirstKinds,
                .help = "Kind of band 1; see the setting kind of biquad_filter."},
    SettingSpec{.name = "last_band",
                .kind = SettingSpec::Kind::choice,
                .default_text = "peaking",
                .choices = kLastKinds,
                .help = "Kind of the last band; ignored if there is only one band."},
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
        {"q_#", Unit::ratio, dsp::kLeastQ, 40.0F, 0.707107F,
         "Selectivity of band #: 1.41 is one octave wide, 0.7071 two. Shelves and cuts have no overshoot at 0.7071.",
         RampLaw::logarithmic},
        "bands"),
    repeated({"gain_#_db", Unit::decibel, -24.0F, 24.0F, 0.0F, "Gain of band #; ignored by highpass and lowpass."},
             "bands"),
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

dsp::FilterKind kind_named(std::string_view name) {
    if (name == "low_shelf") return dsp::FilterKind::low_shelf;
    if (name == "high_shelf") return dsp::FilterKind::high_shelf;
    if (name == "highpass") return dsp::FilterKind::highpass;
    if (name == "lowpass") return dsp::FilterKind::lowpass;
    return dsp::FilterKind::peaking;
}

std::vector<dsp::FilterShape> shapes_of(const ResolvedSettings& settings) {
    std::vector<dsp::FilterShape> shapes(settings.integer("bands"), {.kind = dsp::FilterKind::peaking});
    shapes.back().kind = kind_named(settings.text("last_band"));
    shapes.front().kind = kind_named(settings.text("first_band"));
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
    .help = "Parametric equalizer: peaking bands, with an optional shelf or cut as the first and the last band.",
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
