// SPDX-License-Identifier: MIT
#include "rtactl/language/eq_list.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "rtactl/language/eq_scanner.h"
#include "text/format_number.h"
#include "text/quoting.h"
#include "text/utf8.h"

namespace rta::rtactl {

namespace {

using Refusal = std::unexpected<std::string>;

constexpr double kButterworthQ = std::numbers::sqrt2 / 2.0;
// The widths of filters without one, as Equalizer APO sets them to match Room EQ Wizard.
constexpr double kNotchQ = 30.0;
constexpr double kShelfSlope = 0.9;  // 1 is 12 dB per octave
constexpr double kSteepestSlopeDb = 12.0;

/// What a type of filter takes.
struct TypeInfo {
    std::string_view name;  ///< in upper case, without blanks
    std::string_view kind;
    double default_q = 0.0;  ///< 0: the width must be given
    /// LS and HS give the corner at which a shelf starts; LSC, HSC, LSQ and HSQ its centre.
    bool has_corner = false;
};
constexpr std::array kTypes{
    TypeInfo{"PK", "peaking"},
    TypeInfo{"PEQ", "peaking"},
    TypeInfo{"MODAL", "peaking"},
    TypeInfo{"LP", "lowpass", kButterworthQ},
    TypeInfo{"LPQ", "lowpass", kButterworthQ},
    TypeInfo{"LP1", "lowpass_1", kButterworthQ},
    TypeInfo{"HP", "highpass", kButterworthQ},
    TypeInfo{"HPQ", "highpass", kButterworthQ},
    TypeInfo{"HP1", "highpass_1", kButterworthQ},
    TypeInfo{"BP", "bandpass_peak", kButterworthQ},
    TypeInfo{"NO", "notch", kNotchQ},
    TypeInfo{"NOTCH", "notch", kNotchQ},
    TypeInfo{"NOTCHQ", "notch", kNotchQ},
    TypeInfo{"AP", "allpass"},
    TypeInfo{"ALLPASS", "allpass"},
    TypeInfo{.name = "LS", .kind = "low_shelf", .has_corner = true},
    TypeInfo{"LSC", "low_shelf"},
    TypeInfo{"LSQ", "low_shelf"},
    TypeInfo{.name = "HS", .kind = "high_shelf", .has_corner = true},
    TypeInfo{"HSC", "high_shelf"},
    TypeInfo{"HSQ", "high_shelf"},
};

bool is_shelf(std::string_view kind) { return kind.ends_with("_shelf"); }
bool has_gain(std::string_view kind) { return kind == "peaking" || is_shelf(kind); }

std::string_view trimmed_line(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\v\f";
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// A filter that is on, as written.
struct WrittenFilter {
    const TypeInfo* type = nullptr;
    std::optional<WrittenNumber> frequency{};
    bool kilohertz = false;
    std::optional<double> gain_db{};
    std::optional<double> q{};
    std::optional<double> octaves{};
    std::optional<double> slope_db{};  ///< of a shelf, per octave
    std::size_t line = 0;
};

/// Returns the Q of a shelf of slope S, and S of a shelf with this Q (R. Bristow-Johnson, Cookbook formulae for audio EQ
/// biquad filter coefficients: 1/Q^2 = (A + 1/A) (1/S - 1) + 2). The square of 1/Q is not positive if S is too steep.
double inverse_q_squared(double slope, double amplitude) {
    return (amplitude + 1.0 / amplitude) * (1.0 / slope - 1.0) + 2.0;
}
double slope_of(double q, double amplitude) {
    return 1.0 / ((1.0 / (q * q) - 2.0) / (amplitude + 1.0 / amplitude) + 1.0);
}

class ListParser {
 public:
    explicit ListParser(double sample_rate_hz) : sample_rate_hz_{sample_rate_hz} {}

    std::expected<EqList, std::string> parse(std::string_view text) {
        constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
        if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
        if (first_invalid_utf8(text) != text.size() || text.find('\0') != std::string_view::npos)
            return Refusal{"not a text file in UTF-8"};
        while (!text.empty()) {
            ++line_;
            const std::size_t end = std::min(text.find('\n'), text.size());
            if (auto taken = take_line(trimmed_line(text.substr(0, end))); !taken)
                return Refusal{at_line(line_) + taken.error()};
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        for (const WrittenFilter& filter : filters_) {
            if (auto finished = finish(filter); !finished) return Refusal{at_line(filter.line) + finished.error()};
        }
        if (list_.filters.empty() && !list_.preamp_db)
            return Refusal{"no filter found: expected lines such as Filter 1: ON PK Fc 105 Hz Gain -2.6 dB Q 0.70"};
        return std::move(list_);
    }

 private:
    using Done = std::expected<void, std::string>;

    static std::string at_line(std::size_t line) { return "line " + std::to_string(line) + ": "; }
    static Refusal refuse(std::string sentence) { return Refusal{std::move(sentence)}; }
    void warn(std::string_view sentence) { list_.warnings.push_back(at_line(line_) + std::string{sentence}); }

    // ---- lines -----------------------------------------------------------------------------------------------------

    Done take_line(std::string_view line) {
        line = trimmed_line(line.substr(0, line.find('#')));
        if (line.empty()) return {};
        // The header of Room EQ Wizard is free text, up to the first filter.
        if (line_ == 1 && line == "Filter Settings file") in_header_ = true;
        const std::size_t colon = line.find(':');
        const std::string_view key = trimmed_line(line.substr(0, colon));
        const std::string_view value = colon == std::string_view::npos ? "" : trimmed_line(line.substr(colon + 1));
        if (colon != std::string_view::npos && is_filter_key(key)) {
            in_header_ = false;
            return take_filter(value);
        }
        if (in_header_) return {};
        if (colon != std::string_view::npos && equal_in_any_case(key, "Preamp")) return take_preamp(value);
        return take_other(colon == std::string_view::npos ? "" : key, value, line);
    }

    static bool is_filter_key(std::string_view key) {
        constexpr std::string_view kFilter = "Filter";
        if (!equal_in_any_case(key.substr(0, kFilter.size()), kFilter)) return false;
        return trimmed_line(key.substr(kFilter.size())).find_first_not_of("0123456789") == std::string_view::npos;
    }

    Done take_preamp(std::string_view value) {
        EqScanner scanner{value};
        auto gain = plain_number(scanner, "Preamp");
        if (!gain) return Refusal{std::move(gain.error())};
        scanner.unit("dB");
        if (!scanner.at_end()) return refuse("Preamp: unexpected " + quoted(scanner.rest()));
        list_.preamp_db = list_.preamp_db.value_or(0.0) + *gain;
        return {};
    }

    /// Commands of Equalizer APO that an equalizer does not need, or cannot do.
    Done take_other(std::string_view key, std::string_view value, std::string_view line) {
        const auto is = [&](std::string_view name) { return equal_in_any_case(key, name); };
        if (is("Channel") && equal_in_any_case(value, "all")) return {};
        if (is("Device") || is("Stage")) {
            warn("skipped " + quoted(line) + ": it selects where Equalizer APO applies the filters");
            return {};
        }
        if (is("Channel"))
            return refuse(quoted(line) +
                          ": one equalizer applies the same filters to all its channels; expected Channel: all, or one "
                          "file for each channel");
        if (is("GraphicEQ"))
            return refuse("GraphicEQ is not a list of filters; export the parametric form (AutoEQ: ParametricEQ.txt)");
        return refuse("cannot import " + quoted(line) + "; expected Filter: or Preamp:, or a # before a comment");
    }

    // ---- filters ---------------------------------------------------------------------------------------------------

    Done take_filter(std::string_view value) {
        EqScanner scanner{value};
        if (scanner.word("OFF")) return {};
        if (!scanner.word("ON")) return refuse("expected ON or OFF instead of " + quoted(scanner.rest()));
        if (scanner.at_end() || scanner.word("None")) return {};
        WrittenFilter filter{.line = line_};
        if (auto taken = take_type(scanner, filter); !taken) return taken;
        while (!scanner.at_end()) {
            if (auto taken = take_field(scanner, filter); !taken) return taken;
        }
        if (!filter.frequency) return refuse("Fc is missing: expected a frequency such as Fc 105 Hz");
        filters_.push_back(std::move(filter));
        return {};
    }

    /// `PK`, `LS 6dB`, `LSC 10.8 dB`, `LP Q`, `All pass`. A Q in front of a number is a field, not a part of the type.
    Done take_type(EqScanner& scanner, WrittenFilter& filter) {
        std::string name{scanner.word()};
        const EqScanner behind = scanner;
        if (const std::string_view next = scanner.word();
            (equal_in_any_case(next, "Q") && !scanner.at_number()) || equal_in_any_case(next, "pass")) {
            name += next;
        } else {
            scanner = behind;
        }
        const auto* type =
            std::ranges::find_if(kTypes, [&](const TypeInfo& info) { return equal_in_any_case(info.name, name); });
        if (type == kTypes.end()) {
            std::string known;
            for (const TypeInfo& info : kTypes) known.append(known.empty() ? "" : ", ").append(info.name);
            return refuse("unsupported filter type " + quoted(name.empty() ? scanner.rest() : std::string_view{name}) +
                          "; expected one of: " + known);
        }
        filter.type = type;
        if (!is_shelf(type->kind) || !scanner.at_number()) return {};
        auto slope = plain_number(scanner, name);
        if (!slope) return Refusal{std::move(slope.error())};
        if (!scanner.unit("dB")) return refuse(name + ": expected dB after the slope");
        filter.slope_db = *slope;
        return {};
    }

    Done take_field(EqScanner& scanner, WrittenFilter& filter) {
        if (scanner.word("Fc")) return take_frequency(scanner, filter);
        if (scanner.word("Gain")) return take_number(scanner, "Gain", "dB", filter.gain_db);
        if (scanner.word("Q")) return take_number(scanner, "Q", "", filter.q);
        if (scanner.word("BW")) {
            scanner.word("Oct");
            return take_number(scanner, "BW", "Oct", filter.octaves);
        }
        if (scanner.word("T60")) {  // the decay that a modal filter is meant for; its response has none
            scanner.word("target");
            std::optional<double> ignored;
            return take_number(scanner, "T60 target", "ms", ignored);
        }
        return refuse("unexpected " + quoted(scanner.rest()) + "; expected Fc, Gain, Q or BW Oct");
    }

    Done take_frequency(EqScanner& scanner, WrittenFilter& filter) {
        if (filter.frequency) return refuse("Fc is given twice");
        filter.frequency = scanner.number();
        if (!filter.frequency) return refuse("Fc: expected a number instead of " + quoted(scanner.rest()));
        note_decimal(filter.frequency->shown_decimal());
        filter.kilohertz = scanner.unit("kHz");
        if (!filter.kilohertz) scanner.unit("Hz");
        return {};
    }

    Done take_number(EqScanner& scanner, std::string_view name, std::string_view unit, std::optional<double>& to) {
        if (to) return refuse(std::string{name} + " is given twice");
        auto number = plain_number(scanner, name);
        if (!number) return Refusal{std::move(number.error())};
        if (!unit.empty()) scanner.unit(unit);
        to = *number;
        return {};
    }

    /// Numbers below 1000 have no groups: any mark is a decimal one.
    std::expected<double, std::string> plain_number(EqScanner& scanner, std::string_view name) {
        const std::string_view found = scanner.rest();
        const auto written = scanner.number();
        const auto value = written ? written->value(written->first_mark()) : std::nullopt;
        if (!value) return refuse(std::string{name} + ": expected a number instead of " + quoted(found));
        note_decimal(written->first_mark());
        return *value;
    }

    // ---- meaning ---------------------------------------------------------------------------------------------------

    void note_decimal(char mark) {
        if (mark != '\0') decimals_ |= mark == '.' ? kPoint : kComma;
    }

    /// A frequency such as 2,011 or 8.000 is read as the other numbers of the file are written.
    std::expected<double, std::string> frequency_of(const WrittenFilter& filter) const {
        char decimal = filter.frequency->shown_decimal();
        if (decimal == '\0' && filter.frequency->first_mark() != '\0') {
            if (decimals_ != kPoint && decimals_ != kComma)
                return refuse("Fc " + filter.frequency->text +
                              " is ambiguous: expected a frequency without a mark between thousands");
            decimal = decimals_ == kPoint ? '.' : ',';
        }
        const auto value = filter.frequency->value(decimal);
        const double frequency_hz = value.value_or(0.0) * (filter.kilohertz ? 1000.0 : 1.0);
        if (!(frequency_hz > 0.0 && frequency_hz < sample_rate_hz_ / 2.0))
            return refuse("Fc " + filter.frequency->text + " is out of range; expected a frequency below half the " +
                          "sample rate of the daemon, " + format_number(sample_rate_hz_ / 2.0) + " Hz");
        return frequency_hz;
    }

    Done finish(const WrittenFilter& from) {
        const auto frequency_hz = frequency_of(from);
        if (!frequency_hz) return Refusal{frequency_hz.error()};
        const std::string_view kind = from.type->kind;
        EqFilter filter{.kind = kind, .frequency_hz = *frequency_hz, .line = from.line};
        if (has_gain(kind)) {
            if (!from.gain_db) return refuse("Gain is missing: expected a gain such as Gain -2.6 dB");
            filter.gain_db = *from.gain_db;
        }
        if (from.q && !(*from.q > 0.0)) return refuse("Q must be greater than 0");
        if (from.q && from.octaves) return refuse("expected Q or BW Oct, not both");
        if (auto shaped = is_shelf(kind) ? shape_shelf(from, filter) : shape(from, filter); !shaped) return shaped;
        // The centre of a shelf may be far from its corner, and extreme widths and gains overflow.
        if (!(filter.frequency_hz > 0.0 && filter.frequency_hz < sample_rate_hz_ / 2.0))
            return refuse("the centre of the shelf is out of range; expected a lower gain or a steeper slope");
        if (!(filter.q > 0.0 && std::isfinite(filter.q) && std::isfinite(filter.gain_db)))
            return refuse("the width or the gain is out of range");
        list_.filters.push_back(filter);
        return {};
    }

    Done shape(const WrittenFilter& from, EqFilter& filter) const {
        if (from.octaves) {
            if (!(*from.octaves > 0.0)) return refuse("BW must be greater than 0 octaves");
            // The cookbook's bandwidth, between the points of half gain, of the digital filter.
            const double w = 2.0 * std::numbers::pi * filter.frequency_hz / sample_rate_hz_;
            filter.q = 1.0 / (2.0 * std::sinh(std::numbers::ln2 / 2.0 * *from.octaves * w / std::sin(w)));
            return {};
        }
        filter.q = from.q.value_or(from.type->default_q);
        if (filter.q == 0.0) return refuse("the width is missing: expected Q or BW Oct");
        return {};
    }

    static Done shape_shelf(const WrittenFilter& from, EqFilter& filter) {
        if (from.octaves) return refuse("a shelf has no bandwidth: expected Q, or a slope such as LSC 6 dB");
        if (from.q && from.slope_db) return refuse("expected Q or a slope, not both");
        const double amplitude = std::pow(10.0, filter.gain_db / 40.0);
        const double slope = from.q          ? slope_of(*from.q, amplitude)
                             : from.slope_db ? *from.slope_db / kSteepestSlopeDb
                                             : kShelfSlope;
        if (from.slope_db && !(slope > 0.0)) return refuse("the slope of a shelf must be greater than 0 dB per octave");
        const double inverse = inverse_q_squared(slope, amplitude);
        if (!from.q && !(inverse > 0.0))
            return refuse("a slope of " + format_number(*from.slope_db) +
                          " dB per octave is too steep for this gain; expected at most 12");
        filter.q = from.q.value_or(1.0 / std::sqrt(inverse));
        // Without a width, Equalizer APO takes the frequency of LS and HS as the centre, too.
        if (!from.type->has_corner || (!from.q && !from.slope_db)) return {};
        // The centre is half the rise away from the corner, at 12 S dB per octave.
        const double factor = std::pow(10.0, std::abs(filter.gain_db) / 80.0 / slope);
        filter.frequency_hz *= filter.kind == "low_shelf" ? factor : 1.0 / factor;
        return {};
    }

    static constexpr unsigned kPoint = 1;
    static constexpr unsigned kComma = 2;

    double sample_rate_hz_;
    std::size_t line_ = 0;
    bool in_header_ = false;
    unsigned decimals_ = 0;  ///< the decimal marks that the numbers of the file show
    std::vector<WrittenFilter> filters_;
    EqList list_;
};

}  // namespace

std::expected<EqList, std::string> parse_eq_list(std::string_view text, double sample_rate_hz) {
    return ListParser{sample_rate_hz}.parse(text);
}

}  // namespace rta::rtactl
