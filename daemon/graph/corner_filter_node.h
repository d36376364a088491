// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "dsp/butterworth.h"
#include "graph/node_type.h"

/// What node types share that are one low-pass or high-pass: the setting `kind`, the settings `order` and `channels`,
/// and the corner frequency as the only parameter.
namespace rta {

/// dsp::butterworth_sections or dsp::linkwitz_riley_sections.
using SectionsOfPass = dsp::FixedSections (*)(dsp::Pass pass, std::uint32_t order);

inline constexpr std::array<std::string_view, 2> kPassKinds{"lowpass", "highpass"};

[[nodiscard]] constexpr SettingSpec pass_kind_setting() {
    return {.name = "kind",
            .kind = SettingSpec::Kind::choice,
            .default_text = "lowpass",
            .choices = kPassKinds,
            .help = "Passes low or high frequencies."};
}

class CornerFilterNode final : public Processor {
 public:
    /// NodeType::create
    template <SectionsOfPass kSections>
    [[nodiscard]] static Expected<std::unique_ptr<Processor>> create(const BuildContext& context) {
        return std::make_unique<CornerFilterNode>(sections_of<kSections>(context.settings), context);
    }

    /// NodeType::response
    template <SectionsOfPass kSections>
    static void response(const ResponseQuery& query, std::span<std::complex<double>> responses) {
        const auto sections =
            dsp::coefficients_of(sections_of<kSections>(query.settings), query.parameters[0], query.sample_rate_hz);
        dsp::cascade_response(sections, query.sample_rate_hz, query.frequencies_hz, responses);
    }

    CornerFilterNode(std::span<const dsp::FixedSection> sections, const BuildContext& context)
        : filter_{sections, context.settings.integer("channels"), context.sample_rate_hz, context.block_size} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const ParameterView& frequency_hz = context.parameters[0];
        filter_.process({frequency_hz.value, frequency_hz.ramp}, context.inputs[0], context.outputs[0]);
    }

 private:
    template <SectionsOfPass kSections>
    [[nodiscard]] static dsp::FixedSections sections_of(const ResolvedSettings& settings) {
        const dsp::Pass pass = settings.text("kind") == "lowpass" ? dsp::Pass::low : dsp::Pass::high;
        return kSections(pass, settings.integer("order"));
    }

    dsp::CornerFilter filter_;
};

}  // namespace rta
