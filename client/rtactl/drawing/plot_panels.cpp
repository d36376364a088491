// SPDX-License-Identifier: MIT
#include "rtactl/drawing/plot_panels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "rtactl/drawing/plot.h"
#include "text/format_number.h"

namespace rta::rtactl {

namespace {

constexpr std::array kFrequencyMarks{10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4};
constexpr double kNotDrawn = std::numeric_limits<double>::quiet_NaN();
constexpr double kNeverJumps = std::numeric_limits<double>::infinity();

double wrapped(double degrees) { return degrees - 360.0 * std::round(degrees / 360.0); }

std::string text_of(double value) { return format_number(static_cast<float>(value)); }

/// Returns the values of a curve where the magnitude is within its axis.
template <class ValueAt>
std::vector<double> audible(const v1::PortResponse& output, const Axis& magnitude, ValueAt value_at) {
    std::vector<double> values;
    for (int i = 0; i < output.magnitude_db_size(); ++i) {
        const bool drawn = static_cast<double>(output.magnitude_db(i)) >= magnitude.lowest;
        values.push_back(drawn ? value_at(i) : kNotDrawn);
    }
    return values;
}

std::vector<double> without_gaps(std::span<const double> values) {
    std::vector<double> finite;
    std::ranges::copy_if(values, std::back_inserter(finite), [](double value) { return std::isfinite(value); });
    return finite;
}

/// Returns the delay of an output in ms: the median group delay in the highest octave that is drawn, to which filters add
/// least. 0 if it turns the phase less than twice.
double delay_of(const v1::FrequencyResponseResult& response, const v1::PortResponse& output, const Axis& magnitude) {
    std::vector<double> delays_ms;
    double highest_hz = 0.0;
    for (int i = output.group_delay_ms_size() - 1; i >= 0; --i) {
        const auto frequency_hz = static_cast<double>(response.frequencies_hz(i));
        if (frequency_hz < highest_hz / 2.0) break;
        if (static_cast<double>(output.magnitude_db(i)) < magnitude.lowest) continue;
        highest_hz = std::max(highest_hz, frequency_hz);
        delays_ms.push_back(static_cast<double>(output.group_delay_ms(i)));
    }
    if (delays_ms.empty()) return 0.0;
    const auto middle = delays_ms.begin() + static_cast<std::ptrdiff_t>(delays_ms.size() / 2);
    std::ranges::nth_element(delays_ms, middle);
    const double turns = *middle * highest_hz / 1e3;
    return turns < 2.0 ? 0.0 : std::round(*middle * 1e3) / 1e3;
}

/// Returns the delay that all outputs have in common.
double common_delay_ms(const v1::FrequencyResponseResult& response, const Axis& magnitude) {
    double common = std::numeric_limits<double>::infinity();
    for (const v1::PortResponse& output : response.outputs())
        common = std::min(common, delay_of(response, output, magnitude));
    return std::isfinite(common) ? common : 0.0;
}

/// Returns an axis with 4 to 6 round steps that covers all but the extreme values: the group delay is very large in a
/// narrow notch.
Axis delay_axis(const std::vector<std::vector<double>>& curves) {
    std::vector<double> values;
    for (const std::vector<double>& curve : curves) {
        const std::vector<double> finite = without_gaps(curve);
        values.insert(values.end(), finite.begin(), finite.end());
    }
    if (values.empty()) return {.lowest = 0.0, .highest = 1.0, .step = 0.25};
    std::ranges::sort(values);
    const std::size_t extreme = values.size() / 50;
    double lowest = values[extreme];
    double highest = values[values.size() - 1 - extreme];
    const double range = std::max({highest - lowest, 0.2, 0.01 * std::abs(highest)});
    lowest = std::min(lowest, (lowest + highest - range) / 2.0);
    const double magnitude = std::pow(10.0, std::floor(std::log10(range / 4.0)));
    const double relative = range / 4.0 / magnitude;
    const double step = magnitude * (relative <= 1.0 ? 1.0 : relative <= 2.0 ? 2.0 : relative <= 5.0 ? 5.0 : 10.0);
    // Room for rounding, so that a constant delay at a mark is not at the edge.
    lowest = std::floor(lowest / step - 1e-3) * step;
    highest = std::max(std::ceil(highest / step + 1e-3) * step, lowest + 4.0 * step);
    return {.lowest = lowest, .highest = highest, .step = step};
}

/// Returns the range of t in [0, 1] for which a + t (b - a) is between 0 and 1; empty if `first` > `last`.
struct Part {
    double first = 0.0;
    double last = 1.0;
};
Part part_within(double a, double b) {
    Part part;
    for (const double edge : {0.0, 1.0}) {
        const double from = edge == 0.0 ? a : 1.0 - a;
        const double to = edge == 0.0 ? b : 1.0 - b;
        if (from < 0.0 && to < 0.0) return {.first = 1.0, .last = 0.0};
        if (from < 0.0) part.first = std::max(part.first, from / (from - to));
        if (to < 0.0) part.last = std::min(part.last, from / (from - to));
    }
    return part;
}

}  // namespace

std::vector<double> Axis::marks() const {
    std::vector<double> marks;
    constexpr double kRounding = 1e-6;
    const auto last = std::lround(std::ceil(lowest / step - kRounding));
    for (long i = std::lround(std::floor(highest / step + kRounding)); i >= last; --i)
        marks.push_back(step * static_cast<double>(i));
    return marks;
}

FrequencyAxis::FrequencyAxis(const v1::FrequencyResponseResult& response)
    : lowest_hz_{static_cast<double>(*response.frequencies_hz().begin())},
      octaves_{std::log2(static_cast<double>(*(response.frequencies_hz().end() - 1)) / lowest_hz_)} {
    for (const float frequency_hz : response.frequencies_hz())
        places_.push_back(place_of(static_cast<double>(frequency_hz)));
}

double FrequencyAxis::place_of(double frequency_hz) const {
    return octaves_ > 0.0 ? std::log2(frequency_hz / lowest_hz_) / octaves_ : 0.0;
}

std::vector<double> FrequencyAxis::marks() const {
    std::vector<double> marks;
    for (const double mark : kFrequencyMarks) {
        const double place = place_of(mark);
        if (place > -1e-6 && place < 1.0 + 1e-6) marks.push_back(mark);
    }
    return marks;
}

std::string mark_text(double frequency_hz) {
    return frequency_hz < 1e3 ? format_number(frequency_hz) : format_number(frequency_hz / 1e3) + "k";
}

Axis magnitude_axis(const v1::FrequencyResponseResult& response) {
    double lowest = 0.0;
    double highest = 0.0;
    for (const v1::PortResponse& output : response.outputs()) {
        for (const float magnitude_db : output.magnitude_db()) {
            lowest = std::min(lowest, static_cast<double>(magnitude_db));
            highest = std::max(highest, static_cast<double>(magnitude_db));
        }
    }
    constexpr double kLeast = 24.0;
    constexpr double kMost = 96.0;
    highest = std::ceil(highest / 6.0) * 6.0;
    lowest = std::max(std::min(std::floor(lowest / 6.0) * 6.0, highest - kLeast), highest - kMost);
    const double range = highest - lowest;
    const double step = range <= 36.0 ? 6.0 : range <= 60.0 ? 12.0 : 24.0;
    return {.lowest = highest - std::ceil(range / step) * step, .highest = highest, .step = step};
}

std::string empty_plot_note(const v1::FrequencyResponseResult& response) {
    const Axis axis = magnitude_axis(response);
    const bool empty = std::ranges::all_of(response.outputs(), [&](const v1::PortResponse& output) {
        return std::ranges::all_of(output.magnitude_db(),
                                   [&](float magnitude_db) { return static_cast<double>(magnitude_db) < axis.lowest; });
    });
    return empty ? "everything is below the plot, under " + text_of(axis.lowest) + " dB" : "";
}

std::vector<Stroke> Panel::strokes(std::size_t curve, const FrequencyAxis& frequencies) const {
    const std::vector<double>& values = curves[curve];
    const std::vector<double>& places = frequencies.places();
    std::vector<Stroke> strokes;
    bool continues = false;
    for (std::size_t i = 1; i < values.size(); ++i) {
        const bool wraps = std::abs(values[i] - values[i - 1]) >= jump;
        const bool drawn = std::isfinite(values[i - 1]) && std::isfinite(values[i]) && !wraps;
        const double from = axis.depth_of(values[i - 1]);
        const double to = axis.depth_of(values[i]);
        const Part part = drawn ? part_within(from, to) : Part{.first = 1.0, .last = 0.0};
        if (part.first > part.last) {
            continues = false;
            continue;
        }
        const auto at = [&](double t) {
            return Stroke::Point{places[i - 1] + t * (places[i] - places[i - 1]), from + t * (to - from)};
        };
        strokes.push_back({.begin = at(part.first), .end = at(part.last), .continues = continues && part.first == 0.0});
        continues = part.last == 1.0;
    }
    return strokes;
}

std::vector<Panel> panels_of(const v1::FrequencyResponseResult& response) {
    const Axis magnitude = magnitude_axis(response);
    std::vector<Panel> panels{
        {.title = "magnitude in dB", .axis = magnitude, .jump = kNeverJumps},
        {.title = "phase in degrees", .axis = {.lowest = -180.0, .highest = 180.0, .step = 90.0}, .jump = 180.0}};
    const double delay_ms = common_delay_ms(response, magnitude);
    if (delay_ms != 0.0) panels[1].title += ", without a delay of " + text_of(delay_ms) + " ms";
    for (const v1::PortResponse& output : response.outputs()) {
        panels[0].curves.emplace_back(output.magnitude_db().begin(), output.magnitude_db().end());
        panels[1].curves.push_back(audible(output, magnitude, [&](int i) {
            const double turned = 0.36 * static_cast<double>(response.frequencies_hz(i)) * delay_ms;
            return wrapped(static_cast<double>(output.phase_deg(i)) + turned);
        }));
    }
    const bool has_delays = std::ranges::any_of(
        response.outputs(), [](const v1::PortResponse& output) { return output.group_delay_ms_size() != 0; });
    if (!has_delays) return panels;
    Panel delays{.title = "group delay in ms", .axis = {}, .jump = kNeverJumps};
    for (const v1::PortResponse& output : response.outputs()) {
        delays.curves.push_back(
            audible(output, magnitude, [&](int i) { return static_cast<double>(output.group_delay_ms(i)); }));
    }
    delays.axis = delay_axis(delays.curves);
    panels.push_back(std::move(delays));
    return panels;
}

}  // namespace rta::rtactl
