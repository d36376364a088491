// SPDX-License-Identifier: MIT
#include "app/option_checks.h"

#include <utility>

#include "text/format_number.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::app {
namespace {

bool is_within(double value_s, const TimeRange& range) {
    return (value_s > range.lowest_s || (!range.above_lowest && value_s == range.lowest_s)) &&
           value_s <= range.highest_s;
}

std::string words_of(const TimeRange& range) {
    const std::string lowest = format_number(range.lowest_s);
    return (range.above_lowest ? "above " + lowest + " and at most " : "from " + lowest + " to ") +
           format_number(range.highest_s) + " s";
}

}  // namespace

std::function<std::string(const std::string&)> in_range(std::string name, std::uint32_t lowest, std::uint32_t highest) {
    return [name = std::move(name), lowest, highest](const std::string& text) {
        std::uint32_t value = 0;
        if (CLI::detail::lexical_cast(text, value) && value >= lowest && value <= highest) return std::string{};
        return "invalid " + name + " " + quoted(text) + ": expected a whole number from " + std::to_string(lowest) +
               " to " + std::to_string(highest);
    };
}

CLI::Option* add_time(CLI::App& app, const std::string& flag, std::function<void(double seconds)> set, TimeRange range,
                      const std::string& help) {
    const std::string name = flag.substr(2);
    return app
        .add_option_function<std::string>(
            flag, [set = std::move(set)](const std::string& text) { set(*parse_value(text, ValueUnit::seconds)); },
            help)
        ->type_name("TIME")
        ->check([=](const std::string& text) {
            const auto value = parse_value(text, ValueUnit::seconds);
            if (value && is_within(*value, range)) return std::string{};
            return "invalid " + name + " " + quoted(text) + ": expected seconds, or a time such as 250ms or 2min, " +
                   words_of(range);
        });
}

}  // namespace rta::app
