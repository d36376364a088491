// SPDX-License-Identifier: MIT
#include "rtactl/drawing/qr_code.h"

#include <qrencode.h>

#include <memory>
#include <string_view>

namespace rta::rtactl {
namespace {

struct Free {
    void operator()(QRcode* code) const { QRcode_free(code); }
};

/// Black on white of the 256 colours, which the theme of a terminal does not change, unlike the first 16.
constexpr std::string_view kBlackOnWhite = "\x1b[38;5;16;48;5;231m";
constexpr std::string_view kReset = "\x1b[0m";

std::string_view half_blocks(bool upper_dark, bool lower_dark) {
    if (upper_dark) return lower_dark ? "\u2588" : "\u2580";
    return lower_dark ? "\u2584" : " ";
}

}  // namespace

std::optional<QrCode> QrCode::of(const std::string& text) {
    // 0: the smallest version. Level M corrects 15 % of the code, which reflections on a screen may hide.
    const std::unique_ptr<QRcode, Free> code{QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_M)};
    if (code == nullptr) return std::nullopt;
    const auto width = static_cast<std::size_t>(code->width);
    std::vector<bool> dark(width * width);
    for (std::size_t i = 0; i < dark.size(); ++i) dark[i] = (code->data[i] & 1U) != 0;
    return QrCode{width, std::move(dark)};
}

bool QrCode::is_dark(std::ptrdiff_t column, std::ptrdiff_t row) const {
    const auto width = static_cast<std::ptrdiff_t>(width_);
    if (column < 0 || row < 0 || column >= width || row >= width) return false;
    return dark_[static_cast<std::size_t>(row * width + column)];
}

std::size_t qr_columns(const QrCode& code) { return code.width() + 2 * static_cast<std::size_t>(kQuietZone); }

std::vector<std::string> qr_lines(const QrCode& code) {
    const std::ptrdiff_t end = static_cast<std::ptrdiff_t>(code.width()) + kQuietZone;
    std::vector<std::string> lines;
    for (std::ptrdiff_t row = -kQuietZone; row < end; row += 2) {
        std::string line{kBlackOnWhite};
        for (std::ptrdiff_t column = -kQuietZone; column < end; ++column)
            line += half_blocks(code.is_dark(column, row), code.is_dark(column, row + 1));
        lines.push_back(line.append(kReset));
    }
    return lines;
}

}  // namespace rta::rtactl
