// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dsp/designed_section.h"
#include "dsp/direct_form.h"
#include "graph/node_type.h"
#include "text/format_number.h"

namespace rta::nodes::biquad {

namespace {

constexpr std::array kSettings{channels_setting()};

constexpr float kLargest = 1'000.0F;
constexpr double kSmoothingS = 0.02;

constexpr ParameterSpec feed_forward(std::string_view name, float default_value, std::string_view help) {
    return {name, Unit::none, -kLargest, kLargest, default_value, help, RampLaw::own};
}

enum Parameter : std::uint8_t { kB0, kB1, kB2, kA1, kA2, kParameterCount };
constexpr std::array kParameters{
    feed_forward("b0", 1.0F,
                 "Coefficient of the input. All coefficients are divided by a0, which is 1. A change moves all of them "
                 "together to their new values in 20 ms."),
    feed_forward("b1", 0.0F, "Coefficient of the previous input."),
    feed_forward("b2", 0.0F, "Coefficient of the input before the previous one."),
    ParameterSpec{
        "a1", Unit::none, -2.0F, 2.0F, 0.0F,
        "Coefficient of the previous output, which is subtracted. The set is refused unless it is stable: |a2| "
        "< 1 and |a1| < 1 + a2. Set a1 and a2 in one request.",
        RampLaw::own},
    ParameterSpec{
        "a2", Unit::none, -1.0F, 1.0F, 0.0F,
        "Coefficient of the output before the previous one, which is subtracted. Values have the precision of "
        "32-bit floats: below about 1/500 of the sample rate, biquad_filter is more exact.",
        RampLaw::own},
};
static_assert(well_formed(kParameters));

constexpr std::array kInputs{PortSpec{"in"}};
constexpr std::array kOutputs{PortSpec{"out"}};

dsp::DirectForm form_of(std::span<const float> values) RTA_NONBLOCKING {
    const auto value = [&](Parameter parameter) { return static_cast<double>(values[parameter]); };
    return {value(kB0), value(kB1), value(kB2), value(kA1), value(kA2)};
}

dsp::StateSpace system_of(const dsp::DirectForm& form) RTA_NONBLOCKING {
    return dsp::mixed_after(dsp::section_of(form));
}

Expected<void> check(std::span<const float> values) {
    if (dsp::is_stable(form_of(values))) return {};
    return fail(ErrorCode::invalid_argument,
                "coefficients a1 = " + format_number(values[kA1]) + " and a2 = " + format_number(values[kA2]) +
                    " are unstable: expected |a2| < 1 and |a1| < 1 + a2, set together in one request");
}

/// Moves all coefficients along a straight line, on which every point is stable.
class Biquad final : public Processor {
 public:
    explicit Biquad(const BuildContext& context)
        : smoothing_frames_{static_cast<std::uint32_t>(kSmoothingS * context.sample_rate_hz)},
          section_{context.settings.integer("channels")},
          systems_(context.block_size) {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        retarget(context.parameters.first(kParameterCount));
        if (frames_left_ == 0) return section_.process(context.inputs[0], context.outputs[0]);
        for (dsp::StateSpace& system : systems_) {
            frames_left_ -= frames_left_ == 0 ? 0 : 1;
            system = system_of(present());
        }
        section_.process(systems_, context.inputs[0], context.outputs[0]);
        if (frames_left_ == 0) section_.set(system_of(target_));
    }

 private:
    /// Returns the form in the current frame.
    [[nodiscard]] dsp::DirectForm present() const RTA_NONBLOCKING {
        const double left = static_cast<double>(frames_left_) / static_cast<double>(smoothing_frames_);
        // Without corners at the ends of the way: near the edge of stability, the gain changes there within a few
        // frames.
        return dsp::between(target_, start_, left * left * (3.0 - 2.0 * left));
    }

    void retarget(std::span<const ParameterView> parameters) RTA_NONBLOCKING {
        std::array<float, kParameterCount> values{};
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = parameters[i].value;
        const dsp::DirectForm wanted = form_of(values);
        // The set is complete when it is stable: values that were set together may arrive in several blocks, if a
        // transaction waits that sets some of them.
        if ((wanted == target_ && started_) || !dsp::is_stable(wanted)) return;
        start_ = present();
        target_ = wanted;
        frames_left_ = started_ ? smoothing_frames_ : 0;
        if (!started_) section_.set(system_of(target_));
        started_ = true;
    }

    std::uint32_t smoothing_frames_;
    bool started_ = false;
    std::uint32_t frames_left_ = 0;  ///< until the form is target_
    dsp::DirectForm start_;
    dsp::DirectForm target_;
    dsp::DesignedSection section_;
    std::vector<dsp::StateSpace> systems_;  ///< one for each frame of a block with moving coefficients
};

}  // namespace

extern constinit const NodeType kType{
    .name = "biquad",
    .help = "Second-order filter with free coefficients: b0 + b1 z^-1 + b2 z^-2 over 1 + a1 z^-1 + a2 z^-2.",
    .settings = kSettings,
    .parameters = kParameters,
    .inputs = kInputs,
    .outputs = kOutputs,
    .in_place = true,
    .create = [](const BuildContext& context) -> Expected<std::unique_ptr<Processor>> {
        return std::make_unique<Biquad>(context);
    },
    .check = check,
    .response =
        [](const ResponseQuery& query, std::span<std::complex<double>> responses) {
            const std::array sections{dsp::section_coefficients(system_of(form_of(query.parameters)))};
            dsp::cascade_response(sections, query.sample_rate_hz, query.frequencies_hz, responses);
        },
};

}  // namespace rta::nodes::biquad
