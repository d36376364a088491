// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <string>

#include "support/process.h"
#include "support/temporary.h"
#include "support/wav.h"

namespace rta::test {
namespace {

Wav one_second() {
    Wav wav;
    wav.channels.assign(1, std::vector<float>(48'000));
    for (std::size_t n = 0; n < wav.frames(); ++n) {
        wav.channels[0][n] =
            static_cast<float>(0.5 * std::sin(2.0 * std::numbers::pi * 440.0 / 48'000.0 * static_cast<double>(n)));
    }
    return wav;
}

RunResult wavpicture(std::vector<std::string> arguments, std::map<std::string, std::string> environment = {}) {
    return run({RTA_TEST_WAVPICTURE, std::move(arguments), std::move(environment)});
}

TEST(WavPicture, DrawsAPng) {
    const TemporaryDirectory directory;
    const auto picture = directory / "it's a picture.png";
    write_wav(directory / "tone.wav", one_second());
    const RunResult result = wavpicture({(directory / "tone.wav").string(), picture.string()});
    EXPECT_EQ(result.status, (ExitStatus{0, 0})) << result.error;
    EXPECT_EQ(result.error, "");
    const std::string png = read_text(picture);
    EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
    EXPECT_GT(png.size(), 10'000U);
}

TEST(WavPicture, SaysWhatItCannotDo) {
    const TemporaryDirectory directory;
    EXPECT_EQ(wavpicture({}).status.code, 2);
    const RunResult missing = wavpicture({(directory / "missing.wav").string(), (directory / "a.png").string()});
    EXPECT_EQ(missing.status.code, 1);
    EXPECT_NE(missing.error.find("missing.wav"), std::string::npos) << missing.error;

    write_wav(directory / "tone.wav", one_second());
    const RunResult no_gnuplot =
        wavpicture({(directory / "tone.wav").string(), (directory / "a.png").string()}, {{"PATH", "/nowhere"}});
    EXPECT_EQ(no_gnuplot.status.code, 1);
    EXPECT_NE(no_gnuplot.error.find("gnuplot"), std::string::npos) << no_gnuplot.error;
    EXPECT_FALSE(std::filesystem::exists(directory / "a.png"));
}

}  // namespace
}  // namespace rta::test
