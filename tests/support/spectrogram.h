// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace rta::test {

/// Levels over time and frequency. Rows have equal frequency ratios, columns equal distances in time.
struct Spectrogram {
    struct Shape {
        std::size_t columns;
        std::size_t rows;
        double lowest_hz;    ///< of the first row
        double highest_hz;   ///< of the last row
        std::size_t length;  ///< frames of each window, a power of two
    };

    Shape shape;
    std::vector<float> levels_db;  ///< row by row: level of a sine at that frequency and time, in dB of full scale

    [[nodiscard]] float at(std::size_t row, std::size_t column) const {
        return levels_db[row * shape.columns + column];
    }
};

/// Returns the spectrogram of a signal, from Hann windows around the middle of each column. The signal is silent before
/// and after its samples. Throws std::invalid_argument if the length is not a power of two.
[[nodiscard]] Spectrogram spectrogram(std::span<const float> signal, double sample_rate_hz,
                                      const Spectrogram::Shape& shape);

}  // namespace rta::test
