// SPDX-License-Identifier: MIT
#include "document/document_builder.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>
#include <system_error>
#include <vector>

#include "document/annotation.h"
#include "document/number_literal.h"
#include "text/format_number.h"
#include "text/quoting.h"
#include "text/suggestion.h"
#include "text/utf8.h"

namespace rta::json {

namespace {

std::string_view with_article(Kind kind) {
    switch (kind) {
        case Kind::string:
            return "a string";
        case Kind::number:
            return "a number";
        case Kind::boolean:
            return "true or false";
        case Kind::null:
            return "null";
        case Kind::object:
            return "an object";
        case Kind::array:
            return "an array";
    }
    return "";
}

struct MemberKey {
    std::string_view name;
    Kind kind;
    Place content = Place::outside;   ///< of objects and arrays
    ValueUnit unit = ValueUnit::any;  ///< of values that may also be text: a switch, or a number with a unit
    bool is_count = false;            ///< a whole number, which may also be text: the JSON form of protobuf's uint64
};

constexpr MemberKey kDocumentKeys[] = {{"title", Kind::string},
                                       {"description", Kind::string},
                                       {.name = "revision", .kind = Kind::number, .is_count = true},
                                       {"instance", Kind::string},
                                       {"nodes", Kind::array, Place::nodes},
                                       {"connections", Kind::array, Place::connections},
                                       {"latency_compensation", Kind::boolean, {}, ValueUnit::on_off}};
constexpr MemberKey kNodeKeys[] = {{"name", Kind::string},
                                   {"type", Kind::string},
                                   {"title", Kind::string},
                                   {"description", Kind::string},
                                   {"settings", Kind::object, Place::settings},
                                   {"parameters", Kind::object, Place::parameters}};
constexpr MemberKey kConnectionKeys[] = {
    {"from", Kind::string}, {"to", Kind::string}, {"gain_db", Kind::number, {}, ValueUnit::decibel}};

/// Returns the keys of an object; nothing for settings and parameters, whose names depend on the node type.
std::span<const MemberKey> keys_of(Place place) {
    switch (place) {
        case Place::document:
            return kDocumentKeys;
        case Place::node:
            return kNodeKeys;
        case Place::connection:
            return kConnectionKeys;
        case Place::outside:
        case Place::nodes:
        case Place::settings:
        case Place::parameters:
        case Place::connections:
            break;
    }
    return {};
}

const MemberKey* find_key(Place place, std::string_view name) {
    const std::span<const MemberKey> keys = keys_of(place);
    const auto found = std::ranges::find(keys, name, &MemberKey::name);
    return found == keys.end() ? nullptr : &*found;
}

/// Describes the values of a key.
std::string_view accepted(const MemberKey& key) {
    if (key.unit == ValueUnit::on_off) return "true, false, \"on\" or \"off\"";
    if (key.unit == ValueUnit::decibel) return "a number, or text such as \"-6 dB\"";
    if (key.is_count) return "a whole number, 0 or more";
    return with_article(key.kind);
}

Place parent_of(Place place) {
    switch (place) {
        case Place::outside:
        case Place::document:
            return Place::outside;
        case Place::nodes:
        case Place::connections:
            return Place::document;
        case Place::node:
            return Place::nodes;
        case Place::settings:
        case Place::parameters:
            return Place::node;
        case Place::connection:
            return Place::connections;
    }
    return Place::outside;
}

}  // namespace

bool DocumentBuilder::refuse(std::size_t offset, std::string sentence) {
    fault_ = Fault{offset, std::move(sentence)};
    return false;
}

/// Names the current node or connection.
std::string DocumentBuilder::item() const {
    if (place_ == Place::connection) {
        if (!connection_.from.empty()) return "the connection from " + quoted(connection_.from);
        return connection_.to.empty() ? "a connection" : "the connection to " + quoted(connection_.to);
    }
    return node_.name.empty() ? "a node" : "node " + quoted(node_.name);
}

std::string DocumentBuilder::subject() const {
    switch (place_) {
        case Place::outside:
            return "the document";
        case Place::document:
            return quoted(key_);
        case Place::nodes:
            return "each of \"nodes\"";
        case Place::connections:
            return "each of \"connections\"";
        case Place::settings:
            return "setting " + quoted(key_) + " of " + item();
        case Place::parameters:
            return "parameter " + quoted(key_) + " of " + item();
        case Place::node:
        case Place::connection:
            break;
    }
    return quoted(key_) + " of " + item();
}

/// Names what is expected at the current place.
std::string DocumentBuilder::wanted() const {
    if (place_ == Place::settings) return "true, false, a number or a string";
    if (place_ == Place::parameters) return "a number, true, false or text";
    const MemberKey* const key = find_key(place_, key_);
    return key == nullptr ? "an object" : std::string{accepted(*key)};
}

bool DocumentBuilder::allowed(Kind found) const {
    switch (place_) {
        case Place::outside:
        case Place::nodes:
        case Place::connections:
            return found == Kind::object;
        case Place::settings:
        case Place::parameters:
            return found == Kind::boolean || found == Kind::number || found == Kind::string;
        case Place::document:
        case Place::node:
        case Place::connection:
            break;
    }
    // In the JSON form of protobuf a null field is an absent field.
    if (found == Kind::null) return true;
    const MemberKey* const key = find_key(place_, key_);
    if (key == nullptr) return false;
    const bool may_be_text = key->unit != ValueUnit::any || key->is_count;
    return key->kind == found || (may_be_text && found == Kind::string);
}

bool DocumentBuilder::expect(Kind found, std::size_t offset) {
    if (allowed(found)) return true;
    std::string name{with_article(found)};
    if (found == Kind::boolean) name = text_[offset] == 't' ? "true" : "false";
    return refuse(offset, subject() + " must be " + wanted() + ", not " + name);
}

Place DocumentBuilder::place_inside() const {
    switch (place_) {
        case Place::outside:
            return Place::document;
        case Place::nodes:
            return Place::node;
        case Place::connections:
            return Place::connection;
        case Place::document:
        case Place::node:
        case Place::settings:
        case Place::parameters:
        case Place::connection:
            break;
    }
    const MemberKey* const key = find_key(place_, key_);
    return key == nullptr ? Place::outside : key->content;
}

bool DocumentBuilder::enter(Kind found) {
    const std::size_t begin = stream_.Tell() - 1;
    if (!expect(found, begin)) return false;
    place_ = place_inside();
    if (place_ == Place::node || place_ == Place::connection) {
        item_begin_ = begin;
        item_keys_seen_ = 0;
        const DocumentPosition position = lines_.at(begin);
        node_ = {};
        node_.position = position;
        connection_ = {.from = {}, .to = {}, .gain_db = {}, .position = position};
    }
    return true;
}

bool DocumentBuilder::start_object() { return enter(Kind::object); }
bool DocumentBuilder::start_array() { return enter(Kind::array); }

bool DocumentBuilder::end_object() {
    if (place_ == Place::node && !finish_node()) return false;
    if (place_ == Place::connection && !finish_connection()) return false;
    place_ = parent_of(place_);
    return true;
}

bool DocumentBuilder::end_array() {
    place_ = parent_of(place_);
    return true;
}

// In the JSON form of protobuf an empty string is an absent string.
bool DocumentBuilder::finish_node() {
    if (node_.name.empty()) return refuse(item_begin_, "a node has no \"name\"");
    if (node_.type.empty()) return refuse(item_begin_, item() + " has no \"type\"");
    document_.nodes.push_back(std::move(node_));
    return true;
}

bool DocumentBuilder::finish_connection() {
    if (connection_.from.empty()) return refuse(item_begin_, item() + " has no \"from\"");
    if (connection_.to.empty()) return refuse(item_begin_, item() + " has no \"to\"");
    document_.connections.push_back(std::move(connection_));
    return true;
}

/// An escape can specify half of a UTF-16 surrogate pair, which has no UTF-8 encoding.
bool DocumentBuilder::text_is_sound(std::string_view text, std::size_t offset) {
    if (first_invalid_utf8(text) == text.size()) return true;
    return refuse(offset, "a string contains half of a surrogate pair: \\ud800 to \\udfff must come in pairs");
}

bool DocumentBuilder::key() {
    const std::size_t offset = stream_.string_begin();
    key_ = stream_.decoded();
    if (!text_is_sound(key_, offset)) return false;
    if (place_ == Place::settings) return free_key("setting", node_.settings.contains(key_), offset);
    if (place_ == Place::parameters) {
        const bool duplicate = node_.parameters.contains(key_) || node_.written_parameters.contains(key_);
        return free_key("parameter", duplicate, offset);
    }
    return fixed_key(offset);
}

bool DocumentBuilder::free_key(std::string_view kind, bool duplicate, std::size_t offset) {
    if (!duplicate) return true;
    return refuse(offset, std::string{kind} + " " + quoted(key_) + " of " + item() + " is given twice");
}

bool DocumentBuilder::fixed_key(std::size_t offset) {
    const std::span<const MemberKey> keys = keys_of(place_);
    const auto where = [this] { return place_ == Place::document ? std::string{"the document"} : item(); };
    const auto found = std::ranges::find(keys, key_, &MemberKey::name);
    if (found == keys.end()) {
        std::vector<std::string_view> names;
        for (const MemberKey& key : keys) names.push_back(key.name);
        return refuse(offset, where() + ": " + unknown_name("key", key_, names));
    }
    const std::uint32_t bit = 1U << static_cast<std::uint32_t>(found - keys.begin());
    std::uint32_t& seen = place_ == Place::document ? document_keys_seen_ : item_keys_seen_;
    if ((seen & bit) != 0) return refuse(offset, where() + ": key " + quoted(key_) + " is given twice");
    seen |= bit;
    return true;
}

bool DocumentBuilder::null() { return expect(Kind::null, stream_.Tell() - 4); }

bool DocumentBuilder::boolean(bool value) {
    const std::size_t offset = stream_.Tell() - (value ? 4 : 5);
    if (!expect(Kind::boolean, offset)) return false;
    if (place_ == Place::settings) {
        node_.settings.emplace(key_, value);
    } else if (place_ == Place::parameters) {
        node_.written_parameters.emplace(key_, WrittenValue{value, lines_.at(offset)});
    } else {
        document_.latency_compensation = value;
    }
    return true;
}

bool DocumentBuilder::string() {
    const std::size_t offset = stream_.string_begin();
    if (!expect(Kind::string, offset)) return false;
    std::string value{stream_.decoded()};
    if (!text_is_sound(value, offset)) return false;
    if (place_ == Place::settings) {
        node_.settings.emplace(key_, std::move(value));
        node_.text_settings.emplace(key_, lines_.at(offset));
        return true;
    }
    if (place_ == Place::parameters) {
        node_.written_parameters.emplace(key_, WrittenValue{std::move(value), lines_.at(offset)});
        return true;
    }
    if (const ValueUnit unit = find_key(place_, key_)->unit; unit != ValueUnit::any)
        return store_quantity(value, unit, offset);
    if (find_key(place_, key_)->is_count) return store_revision(value, offset);
    if (place_ == Place::document && key_ == "instance") return store_instance(std::move(value), offset);
    if (std::string* const text = annotation_member()) {
        if (const std::string fault = annotation_fault(key_, value); !fault.empty()) {
            return refuse(offset, (place_ == Place::document ? "the document" : item()) + ": " + fault);
        }
        *text = std::move(value);
    } else if (place_ == Place::node) {
        (key_ == "name" ? node_.name : node_.type) = std::move(value);
    } else {
        (key_ == "from" ? connection_.from : connection_.to) = std::move(value);
    }
    return true;
}

/// Returns the title or the description that the current key names; nullptr if it names something else.
std::string* DocumentBuilder::annotation_member() {
    if (place_ != Place::document && place_ != Place::node) return nullptr;
    Annotation& annotation = place_ == Place::document ? document_.annotation : node_.annotation;
    if (key_ == "title") return &annotation.title;
    return key_ == "description" ? &annotation.description : nullptr;
}

bool DocumentBuilder::store_quantity(std::string_view text, ValueUnit unit, std::size_t offset) {
    const auto value = parse_value(text, unit);
    if (!value) return refuse(offset, subject() + ": " + value.error());
    if (unit == ValueUnit::decibel) {
        connection_.gain_db = static_cast<float>(*value);
        return true;
    }
    document_.latency_compensation = *value == 1.0;
    if (*value == 0.0 || *value == 1.0) return true;
    return refuse(offset, subject() + ": " + quoted(text) + " is neither on nor off; write on or off");
}

bool DocumentBuilder::store_revision(std::string_view digits, std::size_t offset) {
    std::uint64_t revision = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), revision);
    if (error != std::errc{} || end != digits.data() + digits.size()) {
        return refuse(offset, subject() + " = " + quoted(digits.substr(0, 40)) + " is invalid: expected " + wanted() +
                                  ", up to 18446744073709551615");
    }
    document_.origin.revision = revision;
    return true;
}

bool DocumentBuilder::store_instance(std::string instance, std::size_t offset) {
    constexpr std::size_t kLongest = 64;
    if (instance.size() > kLongest) {
        return refuse(offset, subject() + " has " + std::to_string(instance.size()) + " bytes: expected at most " +
                                  std::to_string(kLongest));
    }
    document_.origin.instance = std::move(instance);
    return true;
}

template <class Number>
bool DocumentBuilder::store_number(std::string_view literal, std::size_t offset, auto store) {
    const std::optional<Number> value = parse_number<Number>(literal);
    if (!value) {
        return refuse(offset, subject() + " = " + std::string{literal.substr(0, 40)} +
                                  " is out of range: the greatest " + std::to_string(sizeof(Number) * 8) +
                                  "-bit float is " + format_number(std::numeric_limits<Number>::max()));
    }
    store(*value);
    return true;
}

bool DocumentBuilder::number() {
    // Read from the text by from_chars(): correctly rounded and independent of the locale.
    std::size_t begin = stream_.Tell();
    while (begin > 0 && is_number_character(text_[begin - 1])) --begin;
    if (!expect(Kind::number, begin)) return false;
    const std::string_view literal = text_.substr(begin, stream_.Tell() - begin);
    if (place_ == Place::settings) {
        return store_number<double>(literal, begin, [this](double value) { node_.settings.emplace(key_, value); });
    }
    if (place_ == Place::parameters) {
        return store_number<float>(literal, begin, [this](float value) { node_.parameters.emplace(key_, value); });
    }
    if (place_ == Place::document) return store_revision(literal, begin);
    return store_number<float>(literal, begin, [this](float value) { connection_.gain_db = value; });
}

}  // namespace rta::json
