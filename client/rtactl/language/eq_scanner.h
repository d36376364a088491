// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rta::rtactl {

/// A number as written: its digits, with the marks between them. Files of different countries use different marks.
struct WrittenNumber {
    std::string text;

    /// Returns the number if `decimal` separates the fraction and the other mark groups digits.
    [[nodiscard]] std::optional<double> value(char decimal) const;
    /// Returns the decimal mark, if the number alone shows it: 1.234,5 or 12.5, but not 1.234. 0: not known, or none.
    [[nodiscard]] char shown_decimal() const;
    /// Returns the first mark; 0 if none exists.
    [[nodiscard]] char first_mark() const;
};

/// Takes one line of a filter list apart.
class EqScanner {
 public:
    explicit EqScanner(std::string_view rest) : rest_{rest} {}

    [[nodiscard]] bool at_end() { return rest().empty(); }
    /// Returns what is left, without blanks at its start.
    [[nodiscard]] std::string_view rest();
    /// Takes letters, and digits behind them; empty if the next character is not a letter.
    std::string_view word();
    /// Takes the given word, in any case.
    bool word(std::string_view expected);
    /// Takes the given letters, in any case, also directly behind a number.
    bool unit(std::string_view expected);
    [[nodiscard]] bool at_number();
    std::optional<WrittenNumber> number();

 private:
    std::string_view take(std::size_t size);
    bool take_grouping_blank();
    void take_exponent(WrittenNumber& written);

    std::string_view rest_;
};

/// Compares ASCII letters in any case.
[[nodiscard]] bool equal_in_any_case(std::string_view a, std::string_view b);

}  // namespace rta::rtactl
