// SPDX-License-Identifier: MIT
// rta_wavpicture IN.wav OUT.png: draws the waveform of a WAV file and its spectrum below it. Exit status: 0 success, 1
// error, 2 usage error.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>

#include "support/analysis.h"
#include "support/process.h"
#include "support/temporary.h"
#include "support/wav.h"

namespace {

using namespace rta::test;

constexpr std::size_t kColumns = 1'200;          // about one per pixel
constexpr std::size_t kSpectrumLength = 16'384;  // 2.9 Hz per line at 48 kHz
constexpr double kLowestHz = 20.0;
constexpr double kFloorDb = -180.0;

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

void write_spectrum(const std::filesystem::path& file, std::span<const float> samples, double sample_rate_hz) {
    std::ofstream stream{file};
    for (const SpectrumLine& line : spectrum(samples, sample_rate_hz, kSpectrumLength)) {
        if (line.frequency_hz >= kLowestHz)
            stream << line.frequency_hz << ' ' << std::max(line.level_db, kFloorDb) << '\n';
    }
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
    std::filesystem::path spectrum;  ///< data for gnuplot: frequency, level
    double seconds;
    double highest_hz;
    double largest;  ///< amplitude at the top of the waveform
};

std::string range(double low, double high) { return "[" + std::to_string(low) + ":" + std::to_string(high) + "]"; }

std::string script(const Picture& picture) {
    const std::string blue = " lc rgb '#1f5fa8'";
    std::string text;
    text += "set terminal pngcairo size 1280,900 noenhanced font 'sans,11'\n";
    text += "set output " + quoted(picture.output.string()) + "\n";
    text += "set multiplot layout 2,1 title " + quoted(picture.title) + "\n";
    text += "set grid\nunset key\n";
    text += "set xlabel 'time (s)'\nset ylabel 'amplitude (full scale = 1)'\n";
    text +=
        "set xrange " + range(0.0, picture.seconds) + "\nset yrange " + range(-picture.largest, picture.largest) + "\n";
    text += "plot " + quoted(picture.waveform.string()) + " using 1:2:3 with filledcurves" + blue +
            ", '' using 1:2 with lines" + blue + ", '' using 1:3 with lines" + blue + "\n";
    text += "set xlabel 'frequency (Hz)'\nset ylabel 'level of a sine (dB of full scale)'\nset logscale x\n";
    text += "set xrange " + range(kLowestHz, picture.highest_hz) + "\nset yrange " + range(kFloorDb, 5.0) + "\n";
    text += "set ytics 20\n";
    text += "set xtics (20, 50, 100, 200, 500, '1k' 1000, '2k' 2000, '5k' 5000, '10k' 10000, '20k' 20000)\n";
    text += "plot " + quoted(picture.spectrum.string()) + " using 1:2 with lines lc rgb '#a8321f'\n";
    text += "unset multiplot\n";
    return text;
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

    const TemporaryDirectory directory;
    const Picture picture{.title = input.filename().string() + facts.data(),
                          .output = std::filesystem::absolute(output),
                          .waveform = directory / "waveform",
                          .spectrum = directory / "spectrum",
                          .seconds = seconds,
                          .highest_hz = rate / 2.0,
                          .largest = 1.1 * loudest};
    write_waveform(picture.waveform, samples, rate);
    write_spectrum(picture.spectrum, samples, rate);
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
