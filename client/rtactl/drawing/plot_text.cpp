// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <string_view>

#include "rtactl/drawing/plot.h"
#include "rtactl/drawing/plot_panels.h"
#include "text/format_number.h"

namespace rta::rtactl {

namespace {

constexpr std::string_view kGlyphs = "123456789abcdefghijklmnopqrstuvwxyz";

struct Frame {
    std::size_t label_width;
    std::size_t columns;
    std::size_t rows;
};

std::size_t nearest(double place, std::size_t count) {
    return static_cast<std::size_t>(std::lround(std::clamp(place, 0.0, 1.0) * static_cast<double>(count - 1)));
}

/// Grid of dots, two to a character, one above the other. A dot has the glyph of its curve, or 0.
class Canvas {
 public:
    Canvas(std::size_t columns, std::size_t rows) : columns_{columns}, dots_(columns * rows * 2) {}

    /// Draws a curve: in each column, a vertical line over its range.
    void draw(const Panel& panel, std::size_t curve, const FrequencyAxis& frequencies, char glyph) {
        for (const Stroke& stroke : panel.strokes(curve, frequencies)) {
            const std::size_t from = nearest(stroke.begin.place, columns_);
            const std::size_t to = nearest(stroke.end.place, columns_);
            const std::size_t first = nearest(stroke.begin.depth, dot_rows());
            const std::size_t last = nearest(stroke.end.depth, dot_rows());
            // Half of the step in each of the two columns.
            const std::size_t middle = from == to ? last : (first + last) / 2;
            fill(from, first, middle, glyph);
            for (std::size_t column = from + 1; column < to; ++column) fill(column, middle, middle, glyph);
            fill(to, middle, last, glyph);
        }
    }

    /// Returns a row of text: the curves over `background`.
    [[nodiscard]] std::string line(std::size_t row, std::string background) const {
        for (std::size_t column = 0; column < columns_; ++column) {
            const char upper = dots_[2 * row * columns_ + column];
            const char lower = dots_[(2 * row + 1) * columns_ + column];
            if (upper == 0 && lower == 0) continue;
            const char dots = upper != 0 && lower != 0 ? ':' : upper != 0 ? '\'' : '.';
            const char glyph = upper != 0 ? upper : lower;
            background[column] = glyph == kDots ? dots : glyph;
        }
        return background;
    }
    [[nodiscard]] std::size_t dot_rows() const { return dots_.size() / columns_; }

    static constexpr char kDots = '.';  ///< glyph of an only curve, which is drawn by its dots

 private:
    /// Fills the dots of a column between two rows.
    void fill(std::size_t column, std::size_t a, std::size_t b, char glyph) {
        for (std::size_t row = std::min(a, b); row <= std::max(a, b); ++row) dots_[row * columns_ + column] = glyph;
    }

    std::size_t columns_;
    std::vector<char> dots_;
};

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

void add_panel(std::vector<std::string>& lines, const Frame& frame, const Panel& panel,
               const FrequencyAxis& frequencies) {
    Canvas canvas{frame.columns, frame.rows};
    for (std::size_t curve = 0; curve < panel.curves.size(); ++curve) {
        const char glyph = panel.curves.size() == 1 ? Canvas::kDots : kGlyphs[curve % kGlyphs.size()];
        canvas.draw(panel, curve, frequencies, glyph);
    }
    std::string empty_row(frame.columns, ' ');
    for (const double mark : frequencies.marks()) empty_row[nearest(frequencies.place_of(mark), frame.columns)] = '|';
    lines.push_back(panel.title);
    const std::vector<double> marks = panel.axis.marks();
    auto next = marks.begin();
    for (std::size_t row = 0; row < frame.rows; ++row) {
        std::string label;
        std::string background = empty_row;
        const auto row_of = [&](double mark) { return nearest(panel.axis.depth_of(mark), canvas.dot_rows()) / 2; };
        while (next != marks.end() && row_of(*next) < row) ++next;
        if (next != marks.end() && row_of(*next) == row) {
            label = format_number(static_cast<float>(*next));
            std::ranges::replace(background, ' ', '-');
            std::ranges::replace(background, '|', '+');
            ++next;
        }
        lines.push_back(right_aligned(label, frame.label_width) + " " + canvas.line(row, std::move(background)));
    }
    add_frequency_marks(lines, frame, frequencies);
}

/// Returns "1 out_1   2 out_2", in as many lines as needed.
std::vector<std::string> legend(const v1::FrequencyResponseResult& response, std::size_t columns) {
    std::vector<std::string> lines;
    for (int i = 0; i < response.outputs_size(); ++i) {
        const std::string entry =
            std::string{kGlyphs[static_cast<std::size_t>(i) % kGlyphs.size()]} + " " + response.outputs(i).port();
        const bool fits = !lines.empty() && lines.back().size() + 3 + entry.size() <= columns;
        if (fits) {
            lines.back().append("   ").append(entry);
        } else {
            lines.push_back(entry);
        }
    }
    return lines;
}

}  // namespace

std::vector<std::string> plot_text(const v1::FrequencyResponseResult& response, std::size_t columns) {
    constexpr std::size_t kLabelWidth = 7;
    constexpr std::size_t kLeastColumns = 20;
    constexpr std::size_t kMostColumns = 120;
    Frame frame{.label_width = kLabelWidth,
                .columns = std::clamp(columns - std::min(columns, kLabelWidth + 5), kLeastColumns, kMostColumns),
                .rows = 13};
    const FrequencyAxis frequencies{response};
    const bool single = response.outputs_size() == 1;
    std::vector<std::string> lines;
    if (!single) lines = legend(response, columns);
    for (const Panel& panel : panels_of(response)) {
        add_panel(lines, frame, panel, frequencies);
        if (!single) break;
        frame.rows = 9;
    }
    return lines;
}

}  // namespace rta::rtactl
