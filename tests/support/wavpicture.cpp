// SPDX-License-Identifier: MIT
// rta_wavpicture IN.wav OUT.png: draws the waveform of a WAV file and its spectrogram below it. Exit status: 0 success,
// 1 error, 2 usage error.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>

#include "support/analysis.h"
#include "support/process.h"
#include "support/spectrogram.h"
#include "support/temporary.h"
#include "support/wav.h"

namespace {

using namespace rta::test;

constexpr std::size_t kColumns = 1'200;  // about one per pixel
constexpr Spectrogram::Shape kShape{
    .columns = 900, .rows = 320, .lowest_hz = 50.0, .highest_hz = 20'000.0, .length = 4'096};  // 85 ms at 48 kHz
constexpr double kFloorDb = -100.0;

/// Writes the lowest and the highest sample of each column of the picture, so that a click of a single frame is
/// visible.
void write_waveform(const std::filesystem::path& file, std::span<const float> samples, double sample_rate_hz) {
    std::ofstream stream{file};
    const std::size_t columns = std::min(kColumns, samples.size());
    for (std::size_t column = 0; column < columns; ++column) {
        const std::size_t begin = column * samples.size() / columns;
        const std::size_t end = (column + 1) * samples.size() / columns;
        const auto [low, high] = std::minmax_element(samples.begin() + static_cast<std::ptrdiff_t>(begin),
                                                     samples.begin() + static_cast<std::ptrdiff_t>(end));
        stream << static_cast<double>(begin) / sample_rate_hz << ' ' << *low << ' ' << *high << '\n';
    }
    if (!stream) throw std::runtime_error("cannot write " + file.string());
}

/// Writes the levels of the spectrogram as 32-bit floats.
void write_spectrogram(const std::filesystem::path& file, const Spectrogram& spectrogram) {
    std::ofstream stream{file, std::ios::binary};
    const std::span<const std::byte> bytes = std::as_bytes(std::span{spectrogram.levels_db});
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!stream) throw std::runtime_error("cannot write " + file.string());
}

/// Quotes a text for gnuplot: in single quotes, only the quote is special.
std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? std::string{"''"} : std::string{c};
    return result + "'";
}

struct Picture {
    std::string title;
    std::filesystem::path output;
    std::filesystem::path waveform;  ///< data for gnuplot: time, lowest, highest
    std::filesystem::path levels;    ///< data for gnuplot: the levels of the spectrogram
    Spectrogram::Shape shape;
    double seconds;
    double largest;  ///< amplitude at the top of the waveform
};

std::string range(double low, double high) { return "[" + std::to_string(low) + ":" + std::to_string(high) + "]"; }

/// Returns the commands for an image of the levels. Its vertical axis is the number of the row, because gnuplot draws
/// images on linear axes only.
std::string spectrogram_script(const Picture& picture) {
    const Spectrogram::Shape& shape = picture.shape;
    const auto row_of = [&](double hz) {
        return std::log(hz / shape.lowest_hz) / std::log(shape.highest_hz / shape.lowest_hz) *
               static_cast<double>(shape.rows - 1);
    };
    std::string marks;
    for (const double hz : {50.0, 100.0, 200.0, 500.0, 1e3, 2e3, 5e3, 1e4, 2e4}) {
        if (hz > shape.highest_hz) break;
        const std::string label =
            hz < 1e3 ? std::to_string(std::lround(hz)) : std::to_string(std::lround(hz / 1e3)) + "k";
        marks += (marks.empty() ? "" : ", ") + quoted(label) + " " + std::to_string(row_of(hz));
    }
    const double column_s = picture.seconds / static_cast<double>(shape.columns);
    std::string text = "set ylabel 'frequency (Hz)'\nset cblabel 'level of a sine (dB of full scale)'\n";
    text += "set yrange " + range(0.0, static_cast<double>(shape.rows - 1)) + "\nset ytics (" + marks + ")\n";
    text += "set cbrange " + range(kFloorDb, 0.0) + "\nset grid front lc rgb '#60ffffff'\n";
    text +=
        "set palette defined (0 '#000004', 1 '#2c105c', 2 '#711f81', 3 '#b63679', 4 '#ee605e', 5 '#fdae78', "
        "6 '#fcfdbf')\n";
    text += "plot " + quoted(picture.levels.string()) + " binary array=(" + std::to_string(shape.columns) + "," +
            std::to_string(shape.rows) + ") format='%float' dx=" + std::to_string(column_s) + " dy=1 origin=(" +
            std::to_string(column_s / 2.0) + ",0) with image\n";
    return text;
}

std::string script(const Picture& picture) {
    const std::string blue = " lc rgb '#1f5fa8'";
    std::string text;
    text += "set terminal pngcairo size 1280,900 noenhanced font 'sans,11'\n";
    text += "set output " + quoted(picture.output.string()) + "\n";
    text += "set multiplot layout 2,1 title " + quoted(picture.title) + "\n";
    // The same margins, so that both plots have the same time axis.
    text += "set lmargin at screen 0.07\nset rmargin at screen 0.87\n";
    text += "set grid\nunset key\n";
    text += "set xlabel 'time (s)'\nset ylabel 'amplitude (full scale = 1)'\n";
    text +=
        "set xrange " + range(0.0, picture.seconds) + "\nset yrange " + range(-picture.largest, picture.largest) + "\n";
    text += "plot " + quoted(picture.waveform.string()) + " using 1:2:3 with filledcurves" + blue +
            ", '' using 1:2 with lines" + blue + ", '' using 1:3 with lines" + blue + "\n";
    return text + spectrogram_script(picture) + "unset multiplot\n";
}

void draw(const std::filesystem::path& input, const std::filesystem::path& output) {
    const Wav wav = read_wav(input);
    if (wav.frames() == 0) throw std::runtime_error(input.string() + " holds no samples");
    const std::vector<float>& samples = wav.channels.front();
    const double rate = wav.sample_rate_hz;
    const double seconds = static_cast<double>(wav.frames()) / rate;
    // A picture of silence needs an axis, too.
    const double loudest = std::max(peak(samples), 1e-6);
    std::array<char, 128> facts{};
    std::snprintf(facts.data(), facts.size(), ": channel 1 of %zu, %.0f Hz, %.2f s, peak %.2f dB", wav.channels.size(),
                  rate, seconds, db_from_gain(loudest));

    Spectrogram::Shape shape = kShape;
    shape.highest_hz = std::min(shape.highest_hz, rate / 2.0);
    const TemporaryDirectory directory;
    const Picture picture{.title = input.filename().string() + facts.data(),
                          .output = std::filesystem::absolute(output),
                          .waveform = directory / "waveform",
                          .levels = directory / "levels",
                          .shape = shape,
                          .seconds = seconds,
                          .largest = 1.1 * loudest};
    write_waveform(picture.waveform, samples, rate);
    write_spectrogram(picture.levels, spectrogram(samples, rate, shape));
    const RunResult result = run({"gnuplot"}, script(picture));
    if (result.status != ExitStatus{0, 0} || !std::filesystem::exists(output)) {
        throw std::runtime_error("gnuplot could not draw " + output.string() + " (" + describe(result.status) +
                                 "): " + result.error);
    }
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::fputs("usage: rta_wavpicture IN.wav OUT.png\n", stderr);
        return 2;
    }
    try {
        draw(arguments[1], arguments[2]);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "rta_wavpicture: %s\n", error.what());
        return 1;
    }
}
