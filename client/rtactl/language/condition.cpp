// SPDX-License-Identifier: MIT
#include "rtactl/language/condition.h"

#include <charconv>
#include <system_error>
#include <utility>

#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

using ParsedCondition = std::expected<Condition, std::string>;
using Words = std::span<const std::string>;

std::unexpected<std::string> condition_error(std::string sentence) { return std::unexpected(std::move(sentence)); }

ParsedCondition parse_number(Condition condition, const std::string& word) {
    const char* const end = word.data() + word.size();
    const auto [last, fault] = std::from_chars(word.data(), end, condition.number);
    if (fault == std::errc::result_out_of_range && last == end)
        return condition_error("invalid revision " + quoted(word) +
                               ": too large; expected a whole number, as printed by "
                               "`rtactl status`");
    if (fault != std::errc{} || last != end)
        return condition_error("invalid revision " + quoted(word) + ": expected a whole number");
    return condition;
}

/// [NODE] LEVEL
ParsedCondition parse_level(Condition condition, Words words) {
    if (words.size() == 2) condition.node = words[0];
    const auto level = parse_value(words.back(), ValueUnit::decibel);
    if (!level) return condition_error("level: " + level.error());
    condition.level_db = static_cast<float>(*level);
    return condition;
}

ParsedCondition parse_node_value(Condition condition, const std::string& word) {
    auto parsed = parse_node_assignment(word);
    if (!parsed) return condition_error(std::move(parsed.error()));
    if (parsed->op != Operator::set)
        return condition_error("invalid condition " + quoted(word) + ": expected NODE.PARAM=VALUE");
    condition.node = std::move(parsed->node);
    condition.assignment = std::move(parsed->assignment);
    return condition;
}

struct ConditionForm {
    std::string_view name;
    Condition::Kind kind;
    std::size_t minimum;  ///< of further words
    std::size_t maximum;
    std::string_view usage;
};

constexpr ConditionForm kConditionForms[] = {
    {"running", Condition::Kind::running, 0, 0, "running"},
    {"revision", Condition::Kind::revision, 1, 1, "revision N"},
    {"heard", Condition::Kind::heard, 1, 1, "heard N"},
    {"node", Condition::Kind::node, 1, 1, "node NAME"},
    {"no-node", Condition::Kind::no_node, 1, 1, "no-node NAME"},
    {"level", Condition::Kind::level, 1, 2, "level [NODE] LEVEL"},
    {"silence", Condition::Kind::silence, 0, 1, "silence [NODE]"},
    {"pending", Condition::Kind::idle, 1, 1, "pending none"},
};

ParsedCondition parse_form(const ConditionForm& form, Words words, Condition condition) {
    condition.kind = form.kind;
    if (words.size() < form.minimum || words.size() > form.maximum)
        return condition_error("invalid condition " + quoted(condition.text) + ": expected " + std::string{form.usage});
    switch (form.kind) {
        case Condition::Kind::revision:
        case Condition::Kind::heard:
            return parse_number(std::move(condition), words[0]);
        case Condition::Kind::level:
            return parse_level(std::move(condition), words);
        case Condition::Kind::node:
        case Condition::Kind::no_node:
            condition.node = words[0];
            return condition;
        case Condition::Kind::silence:
            if (!words.empty()) condition.node = words[0];
            return condition;
        case Condition::Kind::idle:
            if (words[0] != "none")
                return condition_error("invalid condition " + quoted(condition.text) + ": expected pending none");
            return condition;
        case Condition::Kind::running:
        case Condition::Kind::value:
            break;
    }
    return condition;
}

}  // namespace

std::vector<std::string_view> condition_names() {
    std::vector<std::string_view> names;
    for (const ConditionForm& form : kConditionForms) names.push_back(form.name);
    return names;
}

ParsedCondition parse_condition(Words words) {
    Condition condition;
    for (const std::string& word : words) condition.text += (condition.text.empty() ? "" : " ") + word;
    for (const ConditionForm& form : kConditionForms) {
        if (words[0] == form.name) return parse_form(form, words.subspan(1), std::move(condition));
    }
    if (words[0].find('=') != std::string::npos && words.size() == 1) {
        condition.kind = Condition::Kind::value;
        return parse_node_value(std::move(condition), words[0]);
    }
    std::string expected;
    for (const ConditionForm& form : kConditionForms) expected.append(form.usage).append(", ");
    return condition_error("unknown condition " + quoted(condition.text) + ": expected " + expected +
                           "or NODE.PARAM=VALUE");
}

}  // namespace rta::rtactl
