// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::rtactl {

/// Vertical axis: its range, and the distance of its grid lines.
struct Axis {
    double lowest;
    double highest;
    double step;

    /// Returns 0 at the top of the axis and 1 at the bottom.
    [[nodiscard]] double depth_of(double value) const { return (highest - value) / (highest - lowest); }
    /// Returns the values at its grid lines, from the top: multiples of the step.
    [[nodiscard]] std::vector<double> marks() const;
};
/// Returns an axis of 24 to 96 dB that covers the magnitudes, as far as they fit.
[[nodiscard]] Axis magnitude_axis(const v1::FrequencyResponseResult& response);

/// Logarithmic frequency axis: maps the lowest frequency to 0 and the highest to 1.
class FrequencyAxis {
 public:
    explicit FrequencyAxis(const v1::FrequencyResponseResult& response);

    [[nodiscard]] double place_of(double frequency_hz) const;
    /// Returns the marks within the range of the axis.
    [[nodiscard]] std::vector<double> marks() const;
    /// Returns the places of the frequencies of the response.
    [[nodiscard]] const std::vector<double>& places() const { return places_; }

 private:
    double lowest_hz_;
    double octaves_;
    std::vector<double> places_;
};
/// "500", "2k".
[[nodiscard]] std::string mark_text(double frequency_hz);

/// The part of a curve between two frequencies that is within the axis.
struct Stroke {
    struct Point {
        double place;  ///< on the frequency axis
        double depth;  ///< on the vertical axis
    };
    Point begin;
    Point end;
    bool continues;  ///< it starts where the stroke before it ends
};

/// One quantity of a response over frequency, with one curve for each output.
struct Panel {
    std::string title;  ///< the quantity and its unit
    Axis axis;
    double jump;                                ///< a step of this size is not a curve: the phase has wrapped around
    std::vector<std::vector<double>> curves{};  ///< one value for each frequency; NaN: not drawn

    /// Returns the parts of a curve that are within the axis: a curve that leaves it ends at its edge.
    [[nodiscard]] std::vector<Stroke> strokes(std::size_t curve, const FrequencyAxis& frequencies) const;
};

/// Returns the panels of a response: magnitude, phase, and group delay if it has one. Where the magnitude is below its
/// axis, phase and group delay are not drawn. A long delay would wrap the phase around many times: the phase is then
/// drawn without a delay that its title names.
[[nodiscard]] std::vector<Panel> panels_of(const v1::FrequencyResponseResult& response);

}  // namespace rta::rtactl
