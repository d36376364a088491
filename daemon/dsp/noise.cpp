// SPDX-License-Identifier: MIT
#include "dsp/noise.h"

namespace rta::dsp {

namespace {

/// SplitMix64 by G. Steele, D. Lea and C. Flood (OOPSLA 2014).
class SplitMix64 {
 public:
    explicit SplitMix64(std::uint64_t state) RTA_NONBLOCKING : state_{state} {}

    std::uint64_t next() RTA_NONBLOCKING {
        state_ += 0x9E37'79B9'7F4A'7C15;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30U)) * 0xBF58'476D'1CE4'E5B9;
        z = (z ^ (z >> 27U)) * 0x94D0'49BB'1331'11EB;
        return z ^ (z >> 31U);
    }

 private:
    std::uint64_t state_;
};

constexpr std::array kPinkPoles{0.99962308F,  0.998652222F, 0.995186686F, 0.982886895F,
                                0.940115898F, 0.801782049F, 0.453691968F, 0.0591645113F};
constexpr std::array kPinkWeights{0.00788300184F, 0.0100982962F, 0.0120689084F, 0.0376142341F,
                                  0.0389854501F,  0.136880471F,  0.0589980379F, 1.06945712F};
constexpr float kPinkDirect = -0.856302219F;

}  // namespace

void WhiteNoise::restart(std::uint64_t seed, std::uint64_t stream) RTA_NONBLOCKING {
    // Two rounds, so that consecutive seeds and streams result in unrelated states.
    SplitMix64 of_seed{seed};
    SplitMix64 words{of_seed.next() ^ SplitMix64{~stream}.next()};
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        for (std::size_t word = 0; word < 4; word += 2) {
            const std::uint64_t bits = words.next();
            state_[word][lane] = static_cast<std::uint32_t>(bits);
            state_[word + 1][lane] = static_cast<std::uint32_t>(bits >> 32U);
        }
        state_[0][lane] |= 1U;  // the all-zero state would produce only zeros
    }
}

void WhiteNoise::render(float factor, std::span<float> out) RTA_NONBLOCKING {
    assert(out.size() % kLanes == 0);
    const float scale = factor * 0x1p-31F;
    Words s0 = state_[0];
    Words s1 = state_[1];
    Words s2 = state_[2];
    Words s3 = state_[3];
    for (std::size_t first = 0; first < out.size(); first += kLanes) {
        float* const samples = out.data() + first;
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            constexpr std::uint32_t kUpperBits = 0xFFFF'FF00;
            const std::uint32_t word = (s0[lane] + s3[lane]) & kUpperBits;
            samples[lane] = static_cast<float>(static_cast<std::int32_t>(word)) * scale;
            const std::uint32_t shifted = s1[lane] << 9U;
            s2[lane] ^= s0[lane];
            s3[lane] ^= s1[lane];
            s1[lane] ^= s2[lane];
            s0[lane] ^= s3[lane];
            s2[lane] ^= shifted;
            s3[lane] = (s3[lane] << 11U) | (s3[lane] >> 21U);
        }
    }
    state_ = {s0, s1, s2, s3};
}

void PinkFilter::process(std::span<float> samples) RTA_NONBLOCKING {
    std::array<float, kPoles> state = state_;
    for (float& sample : samples) {
        for (std::size_t pole = 0; pole < kPoles; ++pole) {
            state[pole] = kPinkPoles[pole] * state[pole] + kPinkWeights[pole] * sample;
        }
        std::array<float, kPoles / 2> half;
        for (std::size_t pole = 0; pole < kPoles / 2; ++pole) half[pole] = state[pole] + state[pole + kPoles / 2];
        sample = kPinkDirect * sample + ((half[0] + half[1]) + (half[2] + half[3]));
    }
    state_ = state;
}

}  // namespace rta::dsp
