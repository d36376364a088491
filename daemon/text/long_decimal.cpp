// SPDX-License-Identifier: MIT
#include "text/long_decimal.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace rta::long_decimal {
namespace {

/// A natural number of up to 6,144 bits.
class Natural {
 public:
    explicit Natural(std::uint64_t value) {
        for (; value != 0; value >>= 32U) limbs_[count_++] = static_cast<std::uint32_t>(value);
    }
    Natural(const Natural& other) : count_{other.count_} {
        std::copy_n(other.limbs_.begin(), other.count_, limbs_.begin());
    }
    Natural& operator=(const Natural&) = delete;
    ~Natural() = default;

    void multiply_add(std::uint32_t factor, std::uint32_t summand) {
        std::uint64_t carry = summand;
        for (std::size_t i = 0; i < count_; ++i) {
            carry += std::uint64_t{limbs_[i]} * factor;
            limbs_[i] = static_cast<std::uint32_t>(carry);
            carry >>= 32U;
        }
        if (carry != 0) limbs_[count_++] = static_cast<std::uint32_t>(carry);
    }

    void multiply_by_power_of_ten(int exponent) {
        for (; exponent >= 9; exponent -= 9) multiply_add(1'000'000'000, 0);
        for (; exponent > 0; --exponent) multiply_add(10, 0);
    }

    void shift_left(int bits) {
        for (; bits >= 31; bits -= 31) multiply_add(1U << 31U, 0);
        multiply_add(1U << static_cast<unsigned>(bits), 0);
    }

    /// Subtracts a number that is not greater.
    void subtract(const Natural& other) {
        std::uint64_t borrow = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            const std::uint64_t difference = limbs_[i] - borrow - (i < other.count_ ? other.limbs_[i] : 0);
            limbs_[i] = static_cast<std::uint32_t>(difference);
            borrow = difference >> 63U;
        }
        while (count_ > 0 && limbs_[count_ - 1] == 0) --count_;
    }

    void add(const Natural& other) {
        std::uint64_t carry = 0;
        for (std::size_t i = 0; i < std::max(count_, other.count_) || carry != 0; ++i) {
            if (i == count_) limbs_[count_++] = 0;
            carry += std::uint64_t{limbs_[i]} + (i < other.count_ ? other.limbs_[i] : 0);
            limbs_[i] = static_cast<std::uint32_t>(carry);
            carry >>= 32U;
        }
    }

    [[nodiscard]] bool is_zero() const { return count_ == 0; }
    [[nodiscard]] int bits() const {
        return count_ == 0 ? 0 : static_cast<int>(32 * count_) - std::countl_zero(limbs_[count_ - 1]);
    }

    /// Returns less than, equal to, or greater than 0.
    friend int compare(const Natural& a, const Natural& b) {
        if (a.count_ != b.count_) return a.count_ < b.count_ ? -1 : 1;
        for (std::size_t i = a.count_; i-- > 0;) {
            if (a.limbs_[i] != b.limbs_[i]) return a.limbs_[i] < b.limbs_[i] ? -1 : 1;
        }
        return 0;
    }

 private:
    std::array<std::uint32_t, 192> limbs_;  ///< the lowest first; those from count_ on have no value
    std::size_t count_ = 0;
};

template <class Number>
struct Format {
    using Bits = std::conditional_t<sizeof(Number) == 4, std::uint32_t, std::uint64_t>;
    static constexpr int kPrecision = std::numeric_limits<Number>::digits;
    /// A number is significand * 2^exponent; this is the exponent of the smallest ones.
    static constexpr int kLeastExponent = std::numeric_limits<Number>::min_exponent - kPrecision;
    static constexpr int kMostExponent = std::numeric_limits<Number>::max_exponent - kPrecision;
};

}  // namespace

template <class Number>
Digits shortest_digits(Number value) {
    using Format = Format<Number>;
    Digits digits;
    if (value == Number{0}) {
        digits.characters[digits.count++] = '0';
        return digits;
    }
    const std::uint64_t bits = std::bit_cast<typename Format::Bits>(value);
    const std::uint64_t hidden = std::uint64_t{1} << static_cast<unsigned>(Format::kPrecision - 1);
    const int biased = static_cast<int>(bits / hidden);
    const std::uint64_t significand = biased == 0 ? bits : (bits % hidden) | hidden;
    const int exponent = Format::kLeastExponent + std::max(biased - 1, 0);
    // Below a power of two the next number is half as far away.
    const bool near_below = significand == hidden && biased > 1;

    // The value is rest / unit, and the middles to its neighbours are rest - below and rest + above.
    Natural rest{significand << (near_below ? 2U : 1U)};
    Natural unit{near_below ? 4U : 2U};
    Natural below{1};
    Natural above{near_below ? 2U : 1U};
    for (Natural* const number : {&rest, &below, &above}) number->shift_left(std::max(exponent, 0));
    unit.shift_left(std::max(-exponent, 0));

    const auto reaches_unit = [&] {
        Natural most = rest;
        most.add(above);
        const int order = compare(most, unit);
        return order > 0 || (order == 0 && significand % 2 == 0);  // reading rounds to even
    };
    // 1233 / 4096 is lg 2. The estimate is too small by 2 at most, and never too large.
    digits.exponent = ((rest.bits() - unit.bits() - 2) * 1233) >> 12;
    unit.multiply_by_power_of_ten(digits.exponent + 1);
    for (Natural* const number : {&rest, &below, &above}) number->multiply_by_power_of_ten(-digits.exponent - 1);
    for (; reaches_unit(); ++digits.exponent) unit.multiply_add(10, 0);

    for (bool last = false; !last;) {
        for (Natural* const number : {&rest, &below, &above}) number->multiply_add(10, 0);
        char digit = '0';
        for (; compare(rest, unit) >= 0; ++digit) rest.subtract(unit);
        const int lower = compare(rest, below);
        const bool low = lower < 0 || (lower == 0 && significand % 2 == 0);
        const bool high = reaches_unit();
        last = low || high;
        if (last) {
            rest.multiply_add(2, 0);
            const int half = compare(rest, unit);
            if (high && (!low || half > 0 || (half == 0 && digit % 2 != 0))) ++digit;
        }
        digits.characters[digits.count++] = digit;
    }
    return digits;
}

namespace {

/// What is written: digits * 10^exponent.
struct Literal {
    Natural digits{0};
    std::int64_t exponent = 0;
    const char* end = nullptr;  ///< null if no number is written
};

bool is_digit(const char* at, const char* last) { return at != last && *at >= '0' && *at <= '9'; }

/// Adds the exponent that may follow the digits.
void read_exponent(Literal& literal, const char* last) {
    const char* at = literal.end;
    if (at == last || (*at != 'e' && *at != 'E')) return;
    ++at;
    const bool negative = at != last && *at == '-';
    if (at != last && (*at == '-' || *at == '+')) ++at;
    if (!is_digit(at, last)) return;
    std::int64_t exponent = 0;
    for (; is_digit(at, last); ++at) exponent = std::min<std::int64_t>(10 * exponent + (*at - '0'), 1'000'000'000'000);
    literal.exponent += negative ? -exponent : exponent;
    literal.end = at;
}

Literal read_literal(const char* at, const char* last) {
    /// The middle between two doubles has at most 767 digits.
    constexpr int kMostDigits = 800;
    Literal literal;
    int count = 0;
    bool more = false;
    bool point = false;
    for (; is_digit(at, last) || (!point && at != last && *at == '.'); ++at) {
        if (*at == '.') {
            point = true;
            continue;
        }
        literal.end = at + 1;
        if (count < kMostDigits) {
            literal.digits.multiply_add(10, static_cast<std::uint32_t>(*at - '0'));
            count += literal.digits.is_zero() ? 0 : 1;
            literal.exponent -= point ? 1 : 0;
        } else {
            more = more || *at != '0';
            literal.exponent += point ? 0 : 1;
        }
    }
    if (literal.end == nullptr) return literal;
    if (point) literal.end = at;
    if (more) {
        literal.digits.multiply_add(10, 1);  // greater than the digits alone
        --literal.exponent;
    }
    read_exponent(literal, last);
    return literal;
}

/// Returns the number nearest to numerator / denominator, infinity if it is too large; a tie goes to the even one.
template <class Number>
Number nearest(Natural numerator, Natural denominator) {
    using Format = Format<Number>;
    const int exponent = std::max(numerator.bits() - denominator.bits() - Format::kPrecision, Format::kLeastExponent);
    numerator.shift_left(std::max(-exponent, 0));
    denominator.shift_left(std::max(exponent, 0) + Format::kPrecision);
    // One bit of the quotient after another, of at most kPrecision + 1.
    std::uint64_t quotient = 0;
    for (int bit = 0; bit <= Format::kPrecision; ++bit) {
        quotient *= 2;
        if (compare(numerator, denominator) >= 0) {
            numerator.subtract(denominator);
            ++quotient;
        }
        numerator.multiply_add(2, 0);
    }
    // The rest has been doubled, so that a half is one denominator.
    int half = compare(numerator, denominator);
    int scale = exponent;
    if (quotient >> static_cast<unsigned>(Format::kPrecision) != 0) {
        const bool odd = quotient % 2 != 0;
        half = !odd ? -1 : (numerator.is_zero() ? 0 : 1);
        quotient /= 2;
        ++scale;
    }
    if (half > 0 || (half == 0 && quotient % 2 != 0)) ++quotient;
    if (quotient >> static_cast<unsigned>(Format::kPrecision) != 0) {
        quotient /= 2;
        ++scale;
    }
    if (scale > Format::kMostExponent) return std::numeric_limits<Number>::infinity();
    const std::uint64_t hidden = std::uint64_t{1} << static_cast<unsigned>(Format::kPrecision - 1);
    const std::uint64_t biased =
        quotient < hidden ? 0 : static_cast<std::uint64_t>(scale - Format::kLeastExponent) * hidden;
    return std::bit_cast<Number>(static_cast<typename Format::Bits>(quotient + biased));
}

}  // namespace

template <class Number>
std::from_chars_result read(const char* first, const char* last, Number& value) {
    const bool negative = first != last && *first == '-';
    Literal literal = read_literal(negative ? first + 1 : first, last);
    if (literal.end == nullptr) return {first, std::errc::invalid_argument};
    Number magnitude{0};
    if (!literal.digits.is_zero()) {
        // From 10^-400 to 10^400 each product fits.
        const std::int64_t place = literal.exponent + ((literal.digits.bits() * 1233) >> 12);
        if (place < -400 || place > 400) return {literal.end, std::errc::result_out_of_range};
        const int exponent = static_cast<int>(literal.exponent);
        Natural denominator{1};
        literal.digits.multiply_by_power_of_ten(exponent);
        denominator.multiply_by_power_of_ten(-exponent);
        magnitude = nearest<Number>(literal.digits, denominator);
        if (magnitude == Number{0} || magnitude == std::numeric_limits<Number>::infinity()) {
            return {literal.end, std::errc::result_out_of_range};
        }
    }
    value = negative ? -magnitude : magnitude;
    return {literal.end, std::errc{}};
}

template Digits shortest_digits<float>(float value);
template Digits shortest_digits<double>(double value);
template std::from_chars_result read<float>(const char* first, const char* last, float& value);
template std::from_chars_result read<double>(const char* first, const char* last, double& value);

}  // namespace rta::long_decimal
