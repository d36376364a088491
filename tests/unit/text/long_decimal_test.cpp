// SPDX-License-Identifier: MIT
// The decimals of WebAssembly against those of the C++ library.
#include "text/long_decimal.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "text/decimal.h"

namespace rta {
namespace {

template <class Number>
struct LongDecimal : testing::Test {
    using Bits = std::conditional_t<sizeof(Number) == 4, std::uint32_t, std::uint64_t>;
    using Limits = std::numeric_limits<Number>;

    static void expect_same_digits(Number value) {
        const long_decimal::Digits own = long_decimal::shortest_digits(value);
        const long_decimal::Digits library = shortest_digits(value);
        ASSERT_EQ(own.text(), library.text()) << value;
        ASSERT_EQ(own.exponent, library.exponent) << value;
    }

    static void expect_same_number(std::string_view text) {
        Number own{7};
        Number library{7};
        const auto read = long_decimal::read(text.data(), text.data() + text.size(), own);
        const auto expected = read_decimal(text.data(), text.data() + text.size(), library);
        ASSERT_EQ(read.ec, expected.ec) << text;
        ASSERT_EQ(read.ptr - text.data(), expected.ptr - text.data()) << text;
        if (expected.ec == std::errc{}) {
            ASSERT_EQ(std::bit_cast<Bits>(own), std::bit_cast<Bits>(library)) << text;
        }
    }

    /// The value and its neighbours, written and read.
    static void expect_same(Number value) {
        for (const Number number :
             {std::nextafter(value, Number{0}), value, std::nextafter(value, Limits::infinity())}) {
            if (!std::isfinite(number)) continue;
            expect_same_digits(number);
            std::array<char, 1'200> text{};
            for (const int precision : {0, 5, Limits::max_digits10 - 2, Limits::max_digits10, 40}) {
                const auto end =
                    std::to_chars(text.begin(), text.end(), number, std::chars_format::scientific, precision);
                expect_same_number({text.begin(), end.ptr});
            }
        }
    }
};

using Numbers = testing::Types<float, double>;
TYPED_TEST_SUITE(LongDecimal, Numbers);

TYPED_TEST(LongDecimal, AgreesAtThePowersOfTwoAndTen) {
    using Limits = std::numeric_limits<TypeParam>;
    this->expect_same(TypeParam{0});
    this->expect_same(Limits::denorm_min());
    this->expect_same(Limits::max());
    for (TypeParam power = Limits::denorm_min(); std::isfinite(power); power *= 2) this->expect_same(power);
    for (int exponent = -330; exponent <= 310; ++exponent) {
        for (const std::string digits :
             {"1", "5", "9", "9.999999999999999", "1.0000000000000002", "4.9406564584124654"}) {
            this->expect_same_number(digits + "e" + std::to_string(exponent));
        }
    }
}

TYPED_TEST(LongDecimal, AgreesOnRandomNumbers) {
    std::mt19937_64 random{20};  // NOLINT(cert-msc51-cpp): the same numbers each time
    std::uniform_real_distribution<double> usual{-120.0, 20'000.0};
    for (int i = 0; i < 20'000; ++i) {
        const auto any = std::bit_cast<TypeParam>(static_cast<typename TestFixture::Bits>(random()));
        if (std::isfinite(any)) this->expect_same(std::abs(any));
        this->expect_same(std::abs(static_cast<TypeParam>(usual(random))));
        this->expect_same(static_cast<TypeParam>(static_cast<double>(random() % 1'000'000) / 1'000.0));
    }
}

TYPED_TEST(LongDecimal, AgreesOnMiddlesBetweenNumbers) {
    std::mt19937_64 random{21};  // NOLINT(cert-msc51-cpp): the same numbers each time
    std::array<char, 1'200> text{};
    for (int i = 0; i < 5'000; ++i) {
        // A long double has more digits than the middle of two doubles.
        const auto low = std::abs(std::bit_cast<TypeParam>(static_cast<typename TestFixture::Bits>(random())));
        const TypeParam high = std::nextafter(low, std::numeric_limits<TypeParam>::infinity());
        if (!std::isfinite(high)) continue;
        const long double middle = (static_cast<long double>(low) + static_cast<long double>(high)) / 2;
        const auto end = std::to_chars(text.begin(), text.end(), middle, std::chars_format::scientific, 800);
        const std::string exact{text.begin(), end.ptr};
        this->expect_same_number(exact);
        const std::size_t e = exact.find('e');
        this->expect_same_number(exact.substr(0, e) + std::string(100, '0') + "1" + exact.substr(e));
        std::string less = exact;
        const std::size_t digit = less.find_last_of("123456789", e);
        --less[digit];
        this->expect_same_number(less.substr(0, e) + "999" + less.substr(e));
    }
}

TYPED_TEST(LongDecimal, AgreesOnWhatANumberIs) {
    for (const std::string_view text : {"",
                                        "-",
                                        ".",
                                        "-.",
                                        "e5",
                                        ".e5",
                                        "5",
                                        "5.",
                                        "5.e",
                                        ".5",
                                        "-.5e1",
                                        "-0",
                                        "0e99999999999999999999",
                                        "1e",
                                        "1e+",
                                        "1e-",
                                        "1e+5x",
                                        "1.2.3",
                                        "00012",
                                        "0000.0001000",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "nan",
                                        "inf",
                                        "-inf",
                                        "0x10",
                                        "1e400",
                                        "-1e400",
                                        "1e-400",
                                        "1e99999999999999999999",
                                        "1e-99999999999999999999",
                                        "2.4703282292062327e-324",
                                        "2.4703282292062328e-324",
                                        "1.7976931348623158e308",
                                        "1.7976931348623159e308",
                                        "3.4028235677973366e38",
                                        "3.4028235677973365e38"}) {
        this->expect_same_number(text);
    }
    this->expect_same_number(std::string(5'000, '0') + "1e-3");
    this->expect_same_number("0." + std::string(5'000, '0') + "1e5001");
    this->expect_same_number(std::string(5'000, '9') + "e-4990");
    this->expect_same_number(std::string(5'000, '9') + "." + std::string(5'000, '9') + "e-5000");
}

}  // namespace
}  // namespace rta
