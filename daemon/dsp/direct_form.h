// SPDX-License-Identifier: MIT
#pragma once

#include "dsp/section_design.h"
#include "rt/annotations.h"

/// Second-order sections given by the coefficients of their transfer function.
namespace rta::dsp {

/// (b0 + b1 z^-1 + b2 z^-2) / (1 + a1 z^-1 + a2 z^-2)
struct DirectForm {
    double b0 = 1.0;
    double b1 = 0.0;
    double b2 = 0.0;
    double a1 = 0.0;
    double a2 = 0.0;

    [[nodiscard]] bool operator==(const DirectForm&) const = default;
};

/// Returns true if both poles are inside the unit circle: |a2| < 1 and |a1| < 1 + a2. These points are a triangle, so
/// every point between two of them is stable, too. [any]
[[nodiscard]] constexpr bool is_stable(const DirectForm& form) RTA_NONBLOCKING {
    const auto size = [](double x) { return x < 0.0 ? -x : x; };
    return size(form.a2) < 1.0 && size(form.a1) < 1.0 + form.a2;
}

/// Returns the point `part` (0 to 1) of the way from one form to another. [any]
[[nodiscard]] constexpr DirectForm between(const DirectForm& from, const DirectForm& to, double part) RTA_NONBLOCKING {
    const auto mixed = [part](double a, double b) { return a + part * (b - a); };
    return {mixed(from.b0, to.b0), mixed(from.b1, to.b1), mixed(from.b2, to.b2), mixed(from.a1, to.a1),
            mixed(from.a2, to.a2)};
}

/// Returns the section of a stable form. Every stable form has one: the triangle corresponds to g > 0 and k > 0, so its
/// integrators add no energy while it moves. [any]
[[nodiscard]] SectionDesign section_of(const DirectForm& form) RTA_NONBLOCKING;

}  // namespace rta::dsp
