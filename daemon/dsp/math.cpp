// SPDX-License-Identifier: MIT
#include "dsp/math.h"

namespace rta::dsp {

double log2(double x) RTA_NONBLOCKING {
    // x = mantissa * 2^exponent with the mantissa between sqrt(1/2) and sqrt(2), where the series below converges
    // fastest.
    const auto bits = std::bit_cast<std::uint64_t>(x);
    constexpr auto kSqrtHalf = std::bit_cast<std::uint64_t>(0.707'106'781'186'547'524);
    constexpr std::uint64_t kExponentField = 0xFFF0'0000'0000'0000;
    const std::uint64_t exponent_bits = (bits - kSqrtHalf) & kExponentField;
    const double mantissa = std::bit_cast<double>(bits - exponent_bits);
    const double exponent = static_cast<double>(std::bit_cast<std::int64_t>(exponent_bits) >> 52U);
    // ln(mantissa) = 2 artanh(s), and |s| < 0.172: the first missing term is below 3e-11.
    const double s = (mantissa - 1.0) / (mantissa + 1.0);
    const double q = s * s;
    const double artanh = s * (1.0 + q * (1.0 / 3 + q * (1.0 / 5 + q * (1.0 / 7 + q * (1.0 / 9 + q * (1.0 / 11))))));
    constexpr double kTwoOverLn2 = 2.885'390'081'777'926'81;
    return exponent + kTwoOverLn2 * artanh;
}

double sine_of_quarters(double x) RTA_NONBLOCKING {
    // Taylor series, each term computed from the previous one; the first missing term is below 2e-18.
    const double t = x * (kPi / 2);
    const double square = t * t;
    double sum = 1.0;
    for (int n = 20; n >= 2; n -= 2) sum = 1.0 - square / (n * (n + 1)) * sum;
    return t * sum;
}

float exp2(float x) RTA_NONBLOCKING {
    constexpr float kLimit = 126.0F;
    return static_cast<float>(exp2(static_cast<double>(x < -kLimit ? -kLimit : (x > kLimit ? kLimit : x))));
}

float log2(float x) RTA_NONBLOCKING { return static_cast<float>(log2(static_cast<double>(x))); }

float gain_from_db(float gain_db) RTA_NONBLOCKING {
    if (gain_db <= kSilenceDb) return 0.0F;
    constexpr double kOctavesPerDb = 0.166'096'404'744'368'117;  // log2(10) / 20
    return static_cast<float>(exp2(static_cast<double>(gain_db) * kOctavesPerDb));
}

}  // namespace rta::dsp
