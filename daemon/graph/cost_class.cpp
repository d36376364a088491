// SPDX-License-Identifier: MIT
#include "graph/cost_class.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <string_view>
#include <variant>

namespace rta {
namespace {

/// FNV-1a.
class Hash {
 public:
    void add(std::string_view text) {
        for (const char c : text) add_byte(static_cast<unsigned char>(c));
        add_byte(0);
    }
    void add(std::uint64_t number) {
        for (int shift = 0; shift < 64; shift += 8) add_byte(static_cast<unsigned char>(number >> shift));
    }
    [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
    void add_byte(unsigned char byte) { value_ = (value_ ^ byte) * 1'099'511'628'211ULL; }

    std::uint64_t value_ = 14'695'981'039'346'656'037ULL;
};

void add_number(double number, bool rounded, Hash& hash) {
    if (rounded && number != 0.0) number = std::ldexp(1.0, std::ilogb(number));
    hash.add(std::bit_cast<std::uint64_t>(number));
}

}  // namespace

std::uint64_t cost_class(const NodeType& type, const ResolvedSettings& settings) {
    Hash hash;
    hash.add(type.name);
    for (const auto& [name, value] : settings.values()) {
        const auto spec = std::ranges::find(type.settings, name, &SettingSpec::name);
        const bool listed = spec != type.settings.end();  // repeated settings are not: they have numbers
        if (listed && spec->drawn) continue;
        hash.add(name);
        if (const auto* const number = std::get_if<double>(&value)) {
            add_number(*number, listed && spec->kind == SettingSpec::Kind::number, hash);
        } else if (const auto* const text = std::get_if<std::string>(&value)) {
            hash.add(*text);
        } else {
            hash.add(std::uint64_t{std::get<bool>(value) ? 1U : 0U});
        }
    }
    return hash.value();
}

}  // namespace rta
