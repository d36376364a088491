// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rta::rtactl {

/// A QR code: a square of dark and light modules.
class QrCode {
 public:
    /// Returns the smallest code for a text; nullopt if it is too long.
    [[nodiscard]] static std::optional<QrCode> of(const std::string& text);

    /// Returns the number of modules of a side, without the quiet zone.
    [[nodiscard]] std::size_t width() const { return width_; }
    /// Modules outside of the square are light.
    [[nodiscard]] bool is_dark(std::ptrdiff_t column, std::ptrdiff_t row) const;

 private:
    QrCode(std::size_t width, std::vector<bool> dark) : width_{width}, dark_{std::move(dark)} {}

    std::size_t width_;
    std::vector<bool> dark_;  ///< row by row
};

/// Light modules on each side, without which a camera does not find the code.
inline constexpr std::ptrdiff_t kQuietZone = 4;

/// Returns the columns that qr_lines() takes on a terminal.
[[nodiscard]] std::size_t qr_columns(const QrCode& code);
/// Draws a code with its quiet zone, two rows of modules in a line, each as one half of a character. Its colours are black on
/// white, also on a dark terminal, by escape sequences; each line ends with the colours of the terminal.
[[nodiscard]] std::vector<std::string> qr_lines(const QrCode& code);

}  // namespace rta::rtactl
