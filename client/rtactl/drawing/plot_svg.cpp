// SPDX-License-Identifier: MIT
#include <array>
#include <iomanip>
#include <locale>
#include <sstream>
#include <string_view>

#include "rtactl/drawing/plot.h"
#include "rtactl/drawing/plot_panels.h"
#include "text/format_number.h"

namespace rta::rtactl {

namespace {

constexpr double kWidth = 860.0;
constexpr double kLeft = 56.0;
constexpr double kRight = 20.0;
constexpr double kLineHeight = 20.0;
/// Okabe and Ito's palette, which remains distinguishable with colour blindness.
constexpr std::array kColors{"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"};
/// Of further curves.
constexpr std::array kDashes{"", "8 4", "2 3", "8 3 2 3"};

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

/// Returns the attributes of the stroke of a curve.
std::string stroke_of(std::size_t curve) {
    const std::string_view dashes = kDashes[curve / kColors.size() % kDashes.size()];
    std::string text = "stroke-width=\"2\" stroke=\"" + std::string{kColors[curve % kColors.size()]} + "\"";
    if (!dashes.empty()) text.append(" stroke-dasharray=\"").append(dashes).append("\"");
    return text;
}

/// A panel at its place in the drawing.
struct PlacedPanel {
    const Panel& panel;
    double top;
    double height;

    [[nodiscard]] double y_of(double depth) const { return top + depth * height; }
};

double x_of(double place) { return kLeft + place * (kWidth - kLeft - kRight); }

void draw_text(std::ostream& out, double x, double y, std::string_view text, std::string_view attributes = "") {
    out << "<text x=\"" << x << "\" y=\"" << y << "\"" << (attributes.empty() ? "" : " ") << attributes << ">"
        << xml_escaped(text) << "</text>\n";
}

void draw_grid(std::ostream& out, const PlacedPanel& placed, const FrequencyAxis& frequencies) {
    draw_text(out, kLeft, placed.top - 8.0, placed.panel.title);
    for (const double mark : placed.panel.axis.marks()) {
        const double y = placed.y_of(placed.panel.axis.depth_of(mark));
        out << "<line x1=\"" << kLeft << "\" y1=\"" << y << "\" x2=\"" << kWidth - kRight << "\" y2=\"" << y
            << "\"/>\n";
        draw_text(out, kLeft - 6.0, y + 4.0, format_number(static_cast<float>(mark)), "text-anchor=\"end\"");
    }
    const double bottom = placed.y_of(1.0);
    out << "<rect x=\"" << kLeft << "\" y=\"" << placed.top << "\" width=\"" << kWidth - kLeft - kRight
        << "\" height=\"" << placed.height << "\" fill=\"none\" stroke=\"#bbb\"/>\n";
    for (const double mark : frequencies.marks()) {
        const double x = x_of(frequencies.place_of(mark));
        out << "<line x1=\"" << x << "\" y1=\"" << placed.top << "\" x2=\"" << x << "\" y2=\"" << bottom << "\"/>\n";
        draw_text(out, x, bottom + 16.0, mark_text(mark), "text-anchor=\"middle\"");
    }
}

void draw_curve(std::ostream& out, const PlacedPanel& placed, std::size_t curve, const FrequencyAxis& frequencies) {
    const auto point = [&](const Stroke::Point& at) { out << x_of(at.place) << ' ' << placed.y_of(at.depth); };
    out << "<path fill=\"none\" stroke-linejoin=\"round\" " << stroke_of(curve) << " d=\"";
    for (const Stroke& stroke : placed.panel.strokes(curve, frequencies)) {
        if (!stroke.continues) {
            out << 'M';
            point(stroke.begin);
        }
        out << 'L';
        point(stroke.end);
    }
    out << "\"/>\n";
}

/// Draws a line and the name of each output. Returns the height that it takes.
double draw_legend(std::ostream& out, const v1::FrequencyResponseResult& response, double top) {
    constexpr double kSample = 28.0;
    constexpr double kCharacter = 7.0;
    constexpr double kGap = 24.0;
    double x = kLeft;
    double y = top;
    for (int i = 0; i < response.outputs_size(); ++i) {
        const std::string& name = response.outputs(i).port();
        const double width = kSample + 6.0 + kCharacter * static_cast<double>(name.size()) + kGap;
        if (x + width > kWidth && x > kLeft) {
            x = kLeft;
            y += kLineHeight;
        }
        out << "<path " << stroke_of(static_cast<std::size_t>(i)) << " d=\"M" << x << ' ' << y << 'L' << x + kSample
            << ' ' << y << "\"/>\n";
        draw_text(out, x + kSample + 6.0, y + 4.0, name);
        x += width;
    }
    return y - top + kLineHeight;
}

}  // namespace

std::string plot_svg(const v1::FrequencyResponseResult& response, std::string_view title) {
    const FrequencyAxis frequencies{response};
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out << std::fixed << std::setprecision(2);
    double top = 26.0;
    draw_text(out, kLeft, top, title, "font-size=\"16\"");
    top += kLineHeight;
    if (response.outputs_size() > 1) top += draw_legend(out, response, top);
    double height = 280.0;
    for (const Panel& panel : panels_of(response)) {
        top += kLineHeight;
        const PlacedPanel placed{panel, top, height};
        draw_grid(out, placed, frequencies);
        for (std::size_t curve = 0; curve < panel.curves.size(); ++curve) draw_curve(out, placed, curve, frequencies);
        top += height + 1.5 * kLineHeight;
        height = 180.0;
    }
    draw_text(out, kWidth - kRight, top, "frequency in Hz", "text-anchor=\"end\"");
    for (const std::string& note : response.notes()) draw_text(out, kLeft, top += kLineHeight, note);

    std::ostringstream document;
    document << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << kWidth << ' ' << top + 12.0
             << "\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#444\">\n"
             << "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<style>line{stroke:#ddd}</style>\n"
             << out.str() << "</svg>\n";
    return document.str();
}

}  // namespace rta::rtactl
