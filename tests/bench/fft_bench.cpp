// SPDX-License-Identifier: MIT
// Measures the real FFT: forward and inverse in its own order, on each SIMD target, next to FFTW (patiently measured
// plans, one thread, out of place) and KissFFT. Results are verified before they are timed.
//
//     chrt -f 50 taskset -c 1 build/release/bin/fft_bench [--quick] [--large]
//
// --large continues from 16,384 to 262,144 points.
#include <fftw3.h>
#include <kissfft/kiss_fftr.h>

#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "bench.h"
#include "bench_main.h"
#include "dsp/audio_buffer.h"
#include "dsp/real_fft.h"

namespace rta::bench {
namespace {

constexpr std::size_t kSmallest = 64;
constexpr std::size_t kLargest = 16'384;

/// Points that are transformed in one run of a row.
constexpr std::size_t kPointsPerRun = 65'536;

std::vector<float> noise(std::size_t count) {
    std::vector<float> samples(count);
    std::uint32_t state = 1;
    for (float& sample : samples) {
        state = state * 1'664'525U + 1'013'904'223U;
        sample = static_cast<float>(static_cast<std::int32_t>(state)) * 0x1p-31F;
    }
    return samples;
}

/// A transform with its buffers.
class Transform {
 public:
    Transform() = default;
    Transform(const Transform&) = delete;
    Transform& operator=(const Transform&) = delete;
    virtual ~Transform() = default;

    virtual void round_trip() = 0;
    /// Returns bins 1 to size / 2 - 1, after a forward transform.
    [[nodiscard]] virtual std::vector<std::complex<float>> bins() = 0;
    /// Returns the result of a round trip, and its scale.
    [[nodiscard]] virtual std::span<const float> result() const = 0;
    [[nodiscard]] virtual double scale() const = 0;
};

class Ours final : public Transform {
 public:
    explicit Ours(std::size_t size)
        : fft_{size},
          in_{1, static_cast<std::uint32_t>(size)},
          spectrum_{1, static_cast<std::uint32_t>(size)},
          out_{1, static_cast<std::uint32_t>(size)} {
        std::ranges::copy(noise(size), in_.write().channel(0).begin());
    }

    void round_trip() override {
        fft_.forward(in_.read().channel(0), own());
        fft_.inverse(own(), out_.write().channel(0));
    }
    std::vector<std::complex<float>> bins() override {
        fft_.forward(in_.read().channel(0), own());
        std::vector<float> re(fft_.bins());
        std::vector<float> im(fft_.bins());
        dsp::NaturalOrder{fft_}.to_natural(own(), {re, im});
        std::vector<std::complex<float>> bins;
        for (std::size_t k = 1; k < re.size(); ++k) bins.emplace_back(re[k], im[k]);
        return bins;
    }
    [[nodiscard]] std::span<const float> result() const override { return out_.read().channel(0); }
    [[nodiscard]] double scale() const override { return static_cast<double>(fft_.bins()); }

 private:
    dsp::SplitSpectrum own() {
        const std::span<float> memory = spectrum_.write().channel(0);
        return {memory.first(fft_.bins()), memory.last(fft_.bins())};
    }

    dsp::RealFft fft_;
    AudioBuffer in_;
    AudioBuffer spectrum_;
    AudioBuffer out_;
};

/// Buffers of a transform with interleaved spectra.
template <class Bin>
class Interleaved : public Transform {
 public:
    explicit Interleaved(std::size_t size)
        : size_{size},
          in_{1, static_cast<std::uint32_t>(size)},
          spectrum_{1, static_cast<std::uint32_t>(size + 2)},
          out_{1, static_cast<std::uint32_t>(size)} {}

    void round_trip() final {
        forward();
        inverse();
    }
    std::vector<std::complex<float>> bins() final {
        forward();
        const std::span<const float> spectrum = spectrum_.read().channel(0);
        std::vector<std::complex<float>> bins;
        for (std::size_t k = 1; k < size_ / 2; ++k) bins.emplace_back(spectrum[2 * k], spectrum[2 * k + 1]);
        return bins;
    }
    [[nodiscard]] std::span<const float> result() const final { return out_.read().channel(0); }
    [[nodiscard]] double scale() const final { return static_cast<double>(size_); }

 protected:
    virtual void forward() = 0;
    virtual void inverse() = 0;

    /// Planning overwrites the buffers.
    void fill() { std::ranges::copy(noise(size_), in()); }
    [[nodiscard]] int size() const { return static_cast<int>(size_); }
    float* in() { return in_.write().channel(0).data(); }
    Bin* spectrum() { return reinterpret_cast<Bin*>(spectrum_.write().channel(0).data()); }
    float* out() { return out_.write().channel(0).data(); }

 private:
    std::size_t size_;
    AudioBuffer in_;
    AudioBuffer spectrum_;
    AudioBuffer out_;
};

class Fftw final : public Interleaved<fftwf_complex> {
 public:
    Fftw(std::size_t size, unsigned effort)
        : Interleaved{size},
          forward_{fftwf_plan_dft_r2c_1d(Interleaved::size(), in(), spectrum(), effort), fftwf_destroy_plan},
          inverse_{fftwf_plan_dft_c2r_1d(Interleaved::size(), spectrum(), out(), effort), fftwf_destroy_plan} {
        fill();
    }

 private:
    using Plan = std::unique_ptr<fftwf_plan_s, decltype(&fftwf_destroy_plan)>;

    void forward() override { fftwf_execute(forward_.get()); }
    void inverse() override { fftwf_execute(inverse_.get()); }

    Plan forward_;
    Plan inverse_;
};

class Kiss final : public Interleaved<kiss_fft_cpx> {
 public:
    explicit Kiss(std::size_t size)
        : Interleaved{size},
          forward_{kiss_fftr_alloc(Interleaved::size(), 0, nullptr, nullptr), kiss_fft_free},
          inverse_{kiss_fftr_alloc(Interleaved::size(), 1, nullptr, nullptr), kiss_fft_free} {
        fill();
    }

 private:
    using Plan = std::unique_ptr<kiss_fftr_state, decltype(&kiss_fft_free)>;

    void forward() override { kiss_fftr(forward_.get(), in(), spectrum()); }
    void inverse() override { kiss_fftri(inverse_.get(), spectrum(), out()); }

    Plan forward_;
    Plan inverse_;
};

/// Throws unless both transforms have the same spectrum, and `transform` returns its input after a round trip.
void verify(Transform& transform, Transform& reference, std::size_t size) {
    const std::vector<std::complex<float>> ours = transform.bins();
    const std::vector<std::complex<float>> theirs = reference.bins();
    double difference = 0.0;
    for (std::size_t k = 0; k < ours.size(); ++k) {
        difference = std::max(difference, static_cast<double>(std::abs(ours[k] - theirs[k])));
    }
    check("a bin", difference, 1e-5 * std::sqrt(static_cast<double>(size)));
    transform.round_trip();
    const std::vector<float> in = noise(size);
    difference = 0.0;
    for (std::size_t n = 0; n < size; ++n) {
        const double sample = static_cast<double>(transform.result()[n]) / transform.scale();
        difference = std::max(difference, std::fabs(sample - static_cast<double>(in[n])));
    }
    check("a sample", difference, 1e-5);
}

void add_row(std::vector<Row>& rows, const std::string& what, std::string_view target, std::size_t size,
             std::shared_ptr<Transform> transform, std::optional<std::size_t> compared) {
    const std::size_t runs = std::max<std::size_t>(1, kPointsPerRun / size);
    rows.push_back({std::to_string(size) + " points, " + what,
                    std::string{target},
                    static_cast<double>(runs),
                    "ns",
                    [transform = std::move(transform), runs] {
                        for (std::size_t i = 0; i < runs; ++i) transform->round_trip();
                    },
                    {},
                    compared});
}

/// Adds the rows of one size: FFTW, ours on each target, KissFFT.
void add_rows(std::vector<Row>& rows, std::size_t size, unsigned effort) {
    const std::string_view best = dsp::simd_targets().front();
    const auto fftw = std::make_shared<Fftw>(size, effort);
    const std::size_t compared = rows.size();
    add_row(rows, "FFTW", best, size, fftw, {});
    for (const std::string_view target : dsp::simd_targets()) {
        use(target);
        const auto ours = std::make_shared<Ours>(size);
        verify(*ours, *fftw, size);
        add_row(rows, "RealFft", target, size, ours, compared);
    }
    const auto kiss = std::make_shared<Kiss>(size);
    verify(*kiss, *fftw, size);
    add_row(rows, "KissFFT", best, size, kiss, compared);
}

/// Prints the geometric mean and the largest of the ratios to FFTW, for each target.
void print_summary(const std::vector<Row>& rows) {
    for (const std::string_view target : dsp::simd_targets()) {
        double logarithms = 0.0;
        double worst = 0.0;
        int count = 0;
        for (const Row& row : rows) {
            if (!row.compared.has_value() || row.target != target || !row.what.ends_with("RealFft")) continue;
            const double ratio = row.median() / rows[*row.compared].median();
            logarithms += std::log(ratio);
            worst = std::max(worst, ratio);
            ++count;
        }
        std::printf("RealFft, %s: geometric mean %.2f, largest %.2f times FFTW (medians)\n",
                    std::string{target}.c_str(), std::exp(logarithms / count), worst);
    }
}

}  // namespace
}  // namespace rta::bench

void rta::bench::run(std::span<const std::string_view> arguments) {
    const auto given = [&](std::string_view option) { return std::ranges::count(arguments, option) != 0; };
    const bool quick = given("--quick");
    std::vector<Row> rows;
    const std::size_t last = given("--large") ? dsp::RealFft::kLargest : kLargest;
    for (std::size_t size = given("--large") ? kLargest : kSmallest; size <= last; size *= 2) {
        add_rows(rows, size, quick ? FFTW_MEASURE : FFTW_PATIENT);
    }
    measure(rows, quick ? 20 : 300);
    print(rows);
    print_summary(rows);
}
