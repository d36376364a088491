// SPDX-License-Identifier: MIT
#include "rtactl/language/eq_scanner.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace rta::rtactl {

namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kMarks = ".,";
constexpr std::string_view kMinus = "\xe2\x88\x92";                                     // U+2212
constexpr std::array<std::string_view, 2> kGroupingBlanks{"\xc2\xa0", "\xe2\x80\xaf"};  // U+00A0, U+202F
constexpr std::size_t kLongestNumber = 32;

bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

bool equal_in_any_case(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, upper, upper); }

std::optional<double> WrittenNumber::value(char decimal) const {
    std::string plain;
    for (const char c : text) {
        if (!kMarks.contains(c)) plain += c;
        if (c == decimal) plain += '.';
    }
    double number = 0.0;
    const auto [end, error] = std::from_chars(plain.data(), plain.data() + plain.size(), number);
    if (error != std::errc{} || end != plain.data() + plain.size()) return std::nullopt;
    return number;
}

char WrittenNumber::shown_decimal() const {
    const std::size_t last = text.find_last_of(kMarks);
    if (last == std::string::npos) return '\0';
    const char mark = text[last];
    const char other = mark == '.' ? ',' : '.';
    if (text.find(other) != std::string::npos) return mark;
    if (text.find(mark) != last) return other;  // several of them separate groups
    const std::size_t first = text.starts_with('-') ? 1 : 0;
    const std::size_t before = last - first;
    const std::size_t behind = std::min(text.find_first_not_of(kDigits, last + 1), text.size()) - last - 1;
    const bool can_be_group = behind == 3 && before >= 1 && before <= 3 && text[first] != '0';
    return can_be_group ? '\0' : mark;
}

char WrittenNumber::first_mark() const {
    const std::size_t mark = text.find_first_of(kMarks);
    return mark == std::string::npos ? '\0' : text[mark];
}

std::string_view EqScanner::rest() {
    for (;;) {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
        const auto* grouping =
            std::ranges::find_if(kGroupingBlanks, [&](std::string_view blank) { return rest_.starts_with(blank); });
        if (grouping == kGroupingBlanks.end()) return rest_;
        rest_.remove_prefix(grouping->size());
    }
}

std::string_view EqScanner::word() {
    const std::string_view text = rest();
    std::size_t size = 0;
    while (size < text.size() && (is_letter(text[size]) || (size > 0 && is_digit(text[size])))) ++size;
    return take(size);
}

bool EqScanner::word(std::string_view expected) {
    const std::string_view before = rest_;
    if (equal_in_any_case(word(), expected)) return true;
    rest_ = before;
    return false;
}

bool EqScanner::unit(std::string_view expected) {
    const std::string_view text = rest();
    if (!equal_in_any_case(text.substr(0, expected.size()), expected)) return false;
    if (text.size() > expected.size() && is_letter(text[expected.size()])) return false;
    take(expected.size());
    return true;
}

bool EqScanner::at_number() {
    const std::string_view text = rest();
    return !text.empty() &&
           (is_digit(text.front()) || std::string_view{"+-."}.contains(text.front()) || text.starts_with(kMinus));
}

std::optional<WrittenNumber> EqScanner::number() {
    WrittenNumber written;
    if (rest().starts_with(kMinus)) {
        written.text = "-";
        take(kMinus.size());
    } else if (rest_.starts_with('-') || rest_.starts_with('+')) {
        if (take(1) == "-") written.text = "-";
    }
    while (!rest_.empty() && written.text.size() <= kLongestNumber) {
        if (is_digit(rest_.front()) || kMarks.contains(rest_.front())) {
            written.text += take(1);
        } else if (!take_grouping_blank()) {
            break;
        }
    }
    if (written.text.empty() || written.text.size() > kLongestNumber || !is_digit(written.text.back()))
        return std::nullopt;
    take_exponent(written);
    return written;
}

std::string_view EqScanner::take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
}

/// A no-break space between digits groups them.
bool EqScanner::take_grouping_blank() {
    for (const std::string_view blank : kGroupingBlanks) {
        if (!rest_.starts_with(blank) || rest_.size() == blank.size() || !is_digit(rest_[blank.size()])) continue;
        take(blank.size());
        return true;
    }
    return false;
}

void EqScanner::take_exponent(WrittenNumber& written) {
    if (rest_.size() < 2 || upper(rest_[0]) != 'E') return;
    const std::size_t sign = rest_[1] == '-' || rest_[1] == '+' ? 2 : 1;
    const std::string_view digits = rest_.substr(sign);
    const std::size_t count = std::min(digits.find_first_not_of(kDigits), digits.size());
    if (count == 0 || count > 2) return;
    written.text += 'e';
    if (rest_[1] == '-') written.text += '-';
    written.text += digits.substr(0, count);
    take(sign + count);
}

}  // namespace rta::rtactl
