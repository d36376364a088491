// SPDX-License-Identifier: MIT
#include "dsp/direct_form.h"

#include "dsp/math.h"

namespace rta::dsp {

// The bilinear transform s = (1 - z^-1) / (1 + z^-1) of the denominator is (1 - a1 + a2) s^2 + 2 (1 - a2) s + (1 + a1 +
// a2), which is proportional to s^2 + k g s + g^2. The sum of its coefficients is 4.
SectionDesign section_of(const DirectForm& form) RTA_NONBLOCKING {
    const double high = 1.0 - form.a1 + form.a2;
    const double low = 1.0 + form.a1 + form.a2;
    const double middle = square_root(high * low);
    const double k = 2.0 * (1.0 - form.a2) / middle;
    const double high_gain = (form.b0 - form.b1 + form.b2) / high;
    const double low_gain = (form.b0 + form.b1 + form.b2) / low;
    const double band_gain = 2.0 * (form.b0 - form.b2) / middle;
    return {.a1 = high / 4.0,
            .a2 = middle / 4.0,
            .a3 = low / 4.0,
            .k = k,
            .m0 = high_gain,
            .m1 = band_gain - high_gain * k,
            .m2 = low_gain - high_gain};
}

}  // namespace rta::dsp
