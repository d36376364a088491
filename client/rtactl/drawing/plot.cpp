// SPDX-License-Identifier: MIT
#include "rtactl/drawing/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <sstream>

#include "text/format_number.h"

namespace rta::rtactl {

namespace {

constexpr Axis kPhaseAxis{.lowest = -180.0, .highest = 180.0, .step = 90.0};
constexpr std::array kFrequencyMarks{20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4};

using Values = google::protobuf::RepeatedField<float>;

std::string mark_text(double frequency_hz) {
    return frequency_hz < 1e3 ? format_number(frequency_hz) : format_number(frequency_hz / 1e3) + "k";
}

/// Logarithmic frequency axis: maps the lowest frequency to 0 and the highest to 1.
class FrequencyAxis {
 public:
    explicit FrequencyAxis(const Values& frequencies_hz)
        : lowest_{static_cast<double>(*frequencies_hz.begin())},
          octaves_{std::log2(static_cast<double>(*(frequencies_hz.end() - 1)) / lowest_)} {}

    [[nodiscard]] double place_of(double frequency_hz) const {
        return octaves_ > 0.0 ? std::log2(frequency_hz / lowest_) / octaves_ : 0.0;
    }
    /// Returns the marks within the range of the axis.
    [[nodiscard]] std::vector<double> marks() const {
        std::vector<double> marks;
        for (const double mark : kFrequencyMarks) {
            const double place = place_of(mark);
            if (place > -1e-6 && place < 1.0 + 1e-6) marks.push_back(mark);
        }
        return marks;
    }

 private:
    double lowest_;
    double octaves_;
};

/// Returns 0 at the top of the axis and 1 at the bottom.
double depth_of(const Axis& axis, double value) {
    return (axis.highest - std::clamp(value, axis.lowest, axis.highest)) / (axis.highest - axis.lowest);
}

// ---------------------------------------------------------------------------------------------------------------------
// Text

/// Grid of dots, two to a character, one above the other.
class Canvas {
 public:
    Canvas(std::size_t columns, std::size_t rows) : columns_{columns}, dots_(columns * rows * 2, false) {}

    /// Draws a vertical line between two rows.
    void stroke(std::size_t column, std::size_t top, std::size_t bottom) {
        for (std::size_t row = top; row <= bottom; ++row) dots_[row * columns_ + column] = true;
    }
    [[nodiscard]] std::size_t dot_rows() const { return dots_.size() / columns_; }

    /// Returns a row of text: the dots over `background`.
    [[nodiscard]] std::string line(std::size_t row, std::string background) const {
        for (std::size_t column = 0; column < columns_; ++column) {
            const bool upper = dots_[2 * row * columns_ + column];
            const bool lower = dots_[(2 * row + 1) * columns_ + column];
            if (upper || lower) background[column] = upper && lower ? ':' : upper ? '\'' : '.';
        }
        return background;
    }

 private:
    std::size_t columns_;
    std::vector<bool> dots_;
};

struct Frame {
    std::size_t label_width;
    std::size_t columns;
    std::size_t rows;
};

std::size_t nearest(double place, std::size_t count) {
    return static_cast<std::size_t>(std::lround(std::clamp(place, 0.0, 1.0) * static_cast<double>(count - 1)));
}

/// Draws, in each column, a vertical line over the range of the curve. Does not connect points that differ by `jump` or
/// more: a phase that wraps around.
void draw_curve(Canvas& canvas, const Frame& frame, const FrequencyAxis& frequencies, const Axis& axis,
                const Values& frequencies_hz, const Values& values, double jump) {
    std::size_t column_before = 0;
    std::size_t dot_before = 0;
    for (int i = 0; i < values.size(); ++i) {
        const auto value = static_cast<double>(values[i]);
        const std::size_t column = nearest(frequencies.place_of(static_cast<double>(frequencies_hz[i])), frame.columns);
        const std::size_t dot = nearest(depth_of(axis, value), canvas.dot_rows());
        const bool continues = i > 0 && std::abs(value - static_cast<double>(values[i - 1])) < jump;
        canvas.stroke(column, dot, dot);
        if (continues && column == column_before) {
            canvas.stroke(column, std::min(dot, dot_before), std::max(dot, dot_before));
        } else if (continues) {
            // Half of the step in each of the two columns.
            const std::size_t middle = (dot + dot_before) / 2;
            canvas.stroke(column_before, std::min(middle, dot_before), std::max(middle, dot_before));
            canvas.stroke(column, std::min(middle, dot), std::max(middle, dot));
        }
        column_before = column;
        dot_before = dot;
    }
}

std::string right_aligned(const std::string& text, std::size_t width) {
    return std::string(width - std::min(width, text.size()), ' ') + text;
}

void add_frequency_marks(std::vector<std::string>& lines, const Frame& frame, const FrequencyAxis& frequencies) {
    std::string line(frame.label_width + 1 + frame.columns, ' ');
    std::size_t free_from = 0;
    for (const double mark : frequencies.marks()) {
        const std::string text = mark_text(mark);
        const std::size_t at = frame.label_width + 1 + nearest(frequencies.place_of(mark), frame.columns);
        const std::size_t begin = std::min(at - std::min(at, text.size() / 2), line.size() - text.size());
        if (begin < free_from) continue;
        line.replace(begin, text.size(), text);
        free_from = begin + text.size() + 1;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(line + " Hz");
}

void add_plot(std::vector<std::string>& lines, const Frame& frame, const Axis& axis, const Canvas& canvas,
              const FrequencyAxis& frequencies, std::string_view unit) {
    std::string empty_row(frame.columns, ' ');
    for (const double mark : frequencies.marks()) empty_row[nearest(frequencies.place_of(mark), frame.columns)] = '|';
    double next_mark = axis.highest;
    for (std::size_t row = 0; row < frame.rows; ++row) {
        std::string label;
        std::string background = empty_row;
        if (next_mark >= axis.lowest && nearest(depth_of(axis, next_mark), canvas.dot_rows()) / 2 == row) {
            label = format_number(next_mark) + (row == 0 ? " " + std::string{unit} : "");
            std::ranges::replace(background, ' ', '-');
            std::ranges::replace(background, '|', '+');
            next_mark -= axis.step;
        }
        lines.push_back(right_aligned(label, frame.label_width) + " " + canvas.line(row, std::move(background)));
    }
    add_frequency_marks(lines, frame, frequencies);
}

}  // namespace

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

std::vector<std::string> plot_text(const v1::FrequencyResponseResult& response, std::size_t columns) {
    constexpr std::size_t kLabelWidth = 8;
    constexpr std::size_t kLeastColumns = 20;
    constexpr std::size_t kMostColumns = 120;
    const Frame frame{.label_width = kLabelWidth,
                      .columns = std::clamp(columns - std::min(columns, kLabelWidth + 4), kLeastColumns, kMostColumns),
                      .rows = 13};
    const FrequencyAxis frequencies{response.frequencies_hz()};
    const Axis axis = magnitude_axis(response);
    std::vector<std::string> lines;
    Canvas magnitudes{frame.columns, frame.rows};
    for (const v1::PortResponse& output : response.outputs()) {
        draw_curve(magnitudes, frame, frequencies, axis, response.frequencies_hz(), output.magnitude_db(), 1e9);
    }
    add_plot(lines, frame, axis, magnitudes, frequencies, "dB");
    if (response.outputs_size() != 1) return lines;

    const Frame low{.label_width = frame.label_width, .columns = frame.columns, .rows = 9};
    Canvas phases{low.columns, low.rows};
    draw_curve(phases, low, frequencies, kPhaseAxis, response.frequencies_hz(), response.outputs(0).phase_deg(), 180.0);
    add_plot(lines, low, kPhaseAxis, phases, frequencies, "deg");
    return lines;
}

// ---------------------------------------------------------------------------------------------------------------------
// SVG

namespace {

constexpr double kWidth = 860.0;
constexpr double kLeft = 64.0;
constexpr double kRight = 20.0;
/// Okabe and Ito's palette, which remains distinguishable with colour blindness.
constexpr std::array kColors{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"};

struct Panel {
    double top;
    double height;
    Axis axis;
    std::string_view unit;
};

std::string xml_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&') {
            out += "&amp;";
        } else if (c == '<') {
            out += "&lt;";
        } else {
            out += c;
        }
    }
    return out;
}

double x_of(const FrequencyAxis& frequencies, double frequency_hz) {
    return kLeft + frequencies.place_of(frequency_hz) * (kWidth - kLeft - kRight);
}

double y_of(const Panel& panel, double value) { return panel.top + depth_of(panel.axis, value) * panel.height; }

void draw_grid(std::ostream& out, const Panel& panel, const FrequencyAxis& frequencies) {
    const auto steps = std::lround((panel.axis.highest - panel.axis.lowest) / panel.axis.step);
    for (long i = 0; i <= steps; ++i) {
        const double mark = panel.axis.highest - panel.axis.step * static_cast<double>(i);
        const double y = y_of(panel, mark);
        out << "<line x1=\"" << kLeft << "\" y1=\"" << y << "\" x2=\"" << kWidth - kRight << "\" y2=\"" << y << "\"/>"
            << "<text x=\"" << kLeft - 6 << "\" y=\"" << y + 4 << "\" text-anchor=\"end\">" << format_number(mark)
            << "</text>\n";
    }
    for (const double mark : frequencies.marks()) {
        const double x = x_of(frequencies, mark);
        out << "<line x1=\"" << x << "\" y1=\"" << panel.top << "\" x2=\"" << x << "\" y2=\""
            << panel.top + panel.height << "\"/><text x=\"" << x << "\" y=\"" << panel.top + panel.height + 16
            << "\" text-anchor=\"middle\">" << mark_text(mark) << "</text>\n";
    }
    out << "<text x=\"14\" y=\"" << panel.top + panel.height / 2 << "\">" << panel.unit << "</text>\n";
}

void draw_curve(std::ostream& out, const Panel& panel, const FrequencyAxis& frequencies, const Values& frequencies_hz,
                const Values& values, const char* color, double jump) {
    out << "<path fill=\"none\" stroke-width=\"2\" stroke=\"" << color << "\" d=\"";
    for (int i = 0; i < values.size(); ++i) {
        const bool continues = i > 0 && std::abs(values[i] - values[i - 1]) < static_cast<float>(jump);
        out << (continues ? 'L' : 'M') << x_of(frequencies, static_cast<double>(frequencies_hz[i])) << ' '
            << y_of(panel, static_cast<double>(values[i]));
    }
    out << "\"/>\n";
}

}  // namespace

std::string plot_svg(const v1::FrequencyResponseResult& response, std::string_view title) {
    const FrequencyAxis frequencies{response.frequencies_hz()};
    const Panel magnitude{.top = 44.0, .height = 280.0, .axis = magnitude_axis(response), .unit = "dB"};
    const Panel phase{.top = 364.0, .height = 180.0, .axis = kPhaseAxis, .unit = "deg"};
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out << std::fixed << std::setprecision(2);
    out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << kWidth << " 580\" font-family=\"sans-serif\" "
        << "font-size=\"12\" fill=\"#444\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        << "<text x=\"" << kLeft << "\" y=\"26\" font-size=\"16\">" << xml_escaped(title) << "</text>\n"
        << "<style>line{stroke:#ddd}</style>\n";
    draw_grid(out, magnitude, frequencies);
    draw_grid(out, phase, frequencies);
    for (int i = 0; i < response.outputs_size(); ++i) {
        const v1::PortResponse& output = response.outputs(i);
        const char* const color = kColors[static_cast<std::size_t>(i) % kColors.size()];
        draw_curve(out, magnitude, frequencies, response.frequencies_hz(), output.magnitude_db(), color, 1e9);
        draw_curve(out, phase, frequencies, response.frequencies_hz(), output.phase_deg(), color, 180.0);
        if (response.outputs_size() == 1) continue;
        out << "<text x=\"" << kWidth - kRight - 64 * (response.outputs_size() - i) << "\" y=\"26\" fill=\"" << color
            << "\">" << xml_escaped(output.port()) << "</text>\n";
    }
    out << "<text x=\"" << kWidth - kRight << "\" y=\"572\" text-anchor=\"end\">Hz</text>\n</svg>\n";
    return out.str();
}

}  // namespace rta::rtactl
