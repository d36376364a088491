// SPDX-License-Identifier: MIT
#include "support/spectrogram.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>

#include "support/analysis.h"

namespace rta::test {

namespace {

/// Returns a Hann window with which a sine of amplitude 1 has a line of magnitude 1.
std::vector<double> hann_window(std::size_t length) {
    std::vector<double> window(length);
    for (std::size_t n = 0; n < length; ++n) {
        const double turns = static_cast<double>(n) / static_cast<double>(length);
        window[n] = (1.0 - std::cos(2.0 * std::numbers::pi * turns)) * 2.0 / static_cast<double>(length);
    }
    return window;
}

/// Lines of the spectrum that belong to a row.
struct Lines {
    std::size_t first;
    std::size_t last;
};

Lines lines_of(const Spectrogram::Shape& shape, std::size_t row, double sample_rate_hz) {
    const double ratio = std::pow(shape.highest_hz / shape.lowest_hz, 1.0 / static_cast<double>(shape.rows - 1));
    const double middle_hz = shape.lowest_hz * std::pow(ratio, static_cast<double>(row));
    const double lines_per_hz = static_cast<double>(shape.length) / sample_rate_hz;
    const auto nearest = [&](double hz) {
        return std::min(static_cast<std::size_t>(std::lround(hz * lines_per_hz)), shape.length / 2);
    };
    return {.first = nearest(middle_hz / std::sqrt(ratio)), .last = nearest(middle_hz * std::sqrt(ratio))};
}

}  // namespace

Spectrogram spectrogram(std::span<const float> signal, double sample_rate_hz, const Spectrogram::Shape& shape) {
    Spectrogram result{.shape = shape, .levels_db = std::vector<float>(shape.rows * shape.columns)};
    const std::vector<double> window = hann_window(shape.length);
    std::vector<Lines> rows;
    rows.reserve(shape.rows);
    for (std::size_t row = 0; row < shape.rows; ++row) rows.push_back(lines_of(shape, row, sample_rate_hz));
    std::vector<std::complex<double>> values(shape.length);
    for (std::size_t column = 0; column < shape.columns; ++column) {
        const std::size_t middle = (2 * column + 1) * signal.size() / (2 * shape.columns);
        for (std::size_t n = 0; n < shape.length; ++n) {
            const std::size_t at = middle + n;  // plus half the length
            const bool inside = at >= shape.length / 2 && at - shape.length / 2 < signal.size();
            values[n] = inside ? window[n] * static_cast<double>(signal[at - shape.length / 2]) : 0.0;
        }
        fft(values);
        for (std::size_t row = 0; row < shape.rows; ++row) {
            double loudest = 0.0;
            for (std::size_t line = rows[row].first; line <= rows[row].last; ++line)
                loudest = std::max(loudest, std::abs(values[line]));
            result.levels_db[row * shape.columns + column] = static_cast<float>(db_from_gain(std::max(loudest, 1e-10)));
        }
    }
    return result;
}

}  // namespace rta::test
