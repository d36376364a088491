// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "dsp/math.h"
#include "rt/annotations.h"

namespace rta::dsp {

/// High-pass that removes what is below hearing: at least 28 dB below 20 Hz, and everything at 0 Hz; -3 dB at 27 Hz,
/// -0.7 dB at 30 Hz, -0.02 dB at 40 Hz. One channel, computed in double.
///
/// The inverse Chebyshev filter of order 5 (two sections of second order with a notch each, and one of first order),
/// transformed by the bilinear transform: R. W. Daniels, "Approximation Methods for Electronic Filter Design", 1974.
class LowCut {
 public:
    explicit LowCut(double sample_rate_hz) {
        constexpr double kStopHz = 20.0;
        constexpr double kOrder = 5.0;
        // sinh and cosh of asinh(sqrt(10^(28 / 10) - 1)) / order
        constexpr double kSinh = 0.865'859'193'761'36;
        constexpr double kCosh = 1.322'766'851'497'68;
        const double turns = 0.5 * kStopHz / sample_rate_hz;
        const double scale = sine_of_turns(turns) / cosine_of_turns(turns);  // of the bilinear transform
        for (std::size_t k = 0; k < 2; ++k) {
            const double sine = sine_of_turns((2.0 * static_cast<double>(k) + 1.0) / (4.0 * kOrder));
            const double cosine = cosine_of_turns((2.0 * static_cast<double>(k) + 1.0) / (4.0 * kOrder));
            const double notch = cosine * cosine * scale * scale;
            const double width = 2.0 * kSinh * sine * scale;
            const double corner = (kSinh * kSinh * sine * sine + kCosh * kCosh * cosine * cosine) * scale * scale;
            const double norm = 1.0 / (1.0 + width + corner);
            sections_[k] = {.b0 = (1.0 + notch) * norm,
                            .b1 = 2.0 * (notch - 1.0) * norm,
                            .b2 = (1.0 + notch) * norm,
                            .a1 = 2.0 * (corner - 1.0) * norm,
                            .a2 = (1.0 - width + corner) * norm};
        }
        const double norm = 1.0 / (1.0 + kSinh * scale);
        sections_[2] = {.b0 = norm, .b1 = -norm, .a1 = (kSinh * scale - 1.0) * norm};
    }

    /// Filters `in` to `out`, which may be the same memory. [audio]
    void process(std::span<const float> in, std::span<float> out) RTA_NONBLOCKING {
        for (std::size_t n = 0; n < in.size(); ++n) {
            auto sample = static_cast<double>(in[n]);
            for (Section& section : sections_) sample = section.next(sample);
            out[n] = is_nothing(sample) ? 0.0F : static_cast<float>(sample);
        }
        for (Section& section : sections_) {
            if (is_nothing(section.state1)) section.state1 = 0.0;
            if (is_nothing(section.state2)) section.state2 = 0.0;
        }
    }

 private:
    /// Transposed direct form 2.
    struct Section {
        double b0 = 0.0;
        double b1 = 0.0;
        double b2 = 0.0;
        double a1 = 0.0;
        double a2 = 0.0;
        double state1 = 0.0;
        double state2 = 0.0;

        double next(double sample) RTA_NONBLOCKING {
            const double out = b0 * sample + state1;
            state1 = b1 * sample - a1 * out + state2;
            state2 = b2 * sample - a2 * out;
            return out;
        }
    };

    /// -300 dB. Without it, the filter would ring on in denormals, and its output would never be 0.
    static bool is_nothing(double value) RTA_NONBLOCKING { return value < 1e-15 && value > -1e-15; }

    std::array<Section, 3> sections_{};
};

}  // namespace rta::dsp
