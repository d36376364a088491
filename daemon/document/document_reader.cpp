// SPDX-License-Identifier: MIT
#include "document/document.h"

#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "text/format_number.h"
#include "text/names.h"

namespace rta {

namespace {

/// Longer than a graph of 100,000 nodes, and short enough to refuse what is no document before it fills the memory.
constexpr std::size_t kLongestDocument = 16U << 20U;  // bytes

/// Lines and columns of offsets that never fall: the text is walked once however many positions are asked for.
class LineCounter {
 public:
    explicit LineCounter(std::string_view text) : text_{text} {}

    [[nodiscard]] DocumentPosition at(std::size_t offset) {
        for (; offset_ < offset; ++offset_) {
            if (text_[offset_] != '\n') continue;
            ++line_;
            line_begin_ = offset_ + 1;
        }
        return {.line = line_, .column = static_cast<std::uint32_t>(offset - line_begin_ + 1)};
    }

 private:
    std::string_view text_;
    std::size_t offset_ = 0;
    std::size_t line_begin_ = 0;
    std::uint32_t line_ = 1;
};

// ---------------------------------------------------------------------------------------------------------------------
// Numbers

/// The power of ten of the first digit that is not 0. `literal` is a JSON number.
std::int64_t decimal_exponent(std::string_view literal) {
    if (literal.starts_with('-')) literal.remove_prefix(1);
    const std::size_t e = std::min(literal.find_first_of("eE"), literal.size());
    const std::size_t point = std::min(literal.find('.'), e);
    const std::size_t first = std::min(literal.find_first_of("123456789"), e);
    const auto digit_exponent =
        static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) - (first < point ? 1 : 0);
    if (e == literal.size()) return digit_exponent;

    const bool negative = literal[e + 1] == '-';
    const std::string_view power = literal.substr(literal.find_first_of("0123456789", e));
    std::int64_t value = 0;
    const auto read = std::from_chars(power.data(), power.data() + power.size(), value);
    constexpr std::int64_t kBeyondAnyText = std::int64_t{1} << 40U;
    if (read.ec != std::errc{} || value > kBeyondAnyText) value = kBeyondAnyText;
    return digit_exponent + (negative ? -value : value);
}

/// The nearest number of that type, 0 if the literal is smaller than the smallest; nothing if it is beyond the largest.
template <class Number>
std::optional<Number> parse_number(std::string_view literal) {
    Number value{};
    const auto read = std::from_chars(literal.data(), literal.data() + literal.size(), value);
    if (read.ec == std::errc{} && std::isfinite(value)) return value;
    // from_chars has one error for too large and too small.
    if (decimal_exponent(literal) < 0) return literal.starts_with('-') ? Number{-0.0F} : Number{0.0F};
    return std::nullopt;
}

bool is_number_character(char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

std::string_view number_at(std::string_view text, std::size_t begin) {
    std::size_t end = begin;
    while (end < text.size() && is_number_character(text[end])) ++end;
    return text.substr(begin, end - begin);
}

// ---------------------------------------------------------------------------------------------------------------------
// What a document may hold

enum class Kind : std::uint8_t { string, number, boolean, null, object, array };

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

/// Where the reader is: inside which of the objects and arrays that a document has.
enum class Place : std::uint8_t { outside, document, nodes, node, settings, parameters, connections, connection };

struct MemberKey {
    std::string_view name;
    Kind kind;
    Place content = Place::outside;  ///< of objects and arrays
};

constexpr MemberKey kDocumentKeys[] = {{"nodes", Kind::array, Place::nodes},
                                       {"connections", Kind::array, Place::connections},
                                       {"latency_compensation", Kind::boolean}};
constexpr MemberKey kNodeKeys[] = {{"name", Kind::string},
                                   {"type", Kind::string},
                                   {"settings", Kind::object, Place::settings},
                                   {"parameters", Kind::object, Place::parameters}};
constexpr MemberKey kConnectionKeys[] = {{"from", Kind::string}, {"to", Kind::string}, {"gain_db", Kind::number}};

/// The keys of the objects that have fixed ones; empty for settings and parameters, which the node types name.
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

/// The text, as RapidJSON wants to read it. RapidJSON believes that it decodes strings in place, into the memory that
/// it reads; they come into a string of their own instead. So it needs no stack, which it would handle with arithmetic
/// on a null pointer, and the text stays whole for the error sentences. RapidJSON prescribes the names.
class TextStream {
 public:
    using Ch = char;

    explicit TextStream(std::string_view text) : text_{text} {}

    // The text holds no zero byte: that is what stands for its end.
    [[nodiscard]] Ch Peek() const { return offset_ < text_.size() ? text_[offset_] : '\0'; }
    Ch Take() { return offset_ < text_.size() ? text_[offset_++] : '\0'; }
    [[nodiscard]] std::size_t Tell() const { return offset_; }

    Ch* PutBegin() {
        string_begin_ = offset_ - 1;
        decoded_.clear();
        return nullptr;  // where the string stands is asked of decoded()
    }
    void Put(Ch c) { decoded_ += c; }
    [[nodiscard]] std::size_t PutEnd(const Ch*) const { return decoded_.size(); }

    /// The string that was just read, decoded. RapidJSON has put a zero byte at its end.
    [[nodiscard]] std::string_view decoded() const { return std::string_view{decoded_}.substr(0, decoded_.size() - 1); }
    /// Where its opening quote stands.
    [[nodiscard]] std::size_t string_begin() const { return string_begin_; }

 private:
    std::string_view text_;
    std::size_t offset_ = 0;
    std::size_t string_begin_ = 0;
    std::string decoded_;
};

struct Fault {
    std::size_t offset;  ///< in the text
    std::string sentence;
};

/// Receives RapidJSON's events and builds the document. Whatever does not belong into a document is refused at its
/// first byte, so nothing nests deeper than a document does. RapidJSON prescribes the names of the public functions.
class DocumentBuilder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, DocumentBuilder> {
 public:
    DocumentBuilder(std::string_view text, const TextStream& stream) : text_{text}, stream_{stream}, lines_{text} {}

    [[nodiscard]] GraphDocument take() { return std::move(document_); }
    [[nodiscard]] std::optional<Fault>& fault() { return fault_; }
    /// What the value at hand is, for an error sentence: `parameter "gain_db" of node "vol"`.
    [[nodiscard]] std::string subject() const;

    bool Null();
    bool Bool(bool value);
    bool RawNumber(const char*, rapidjson::SizeType, bool);
    bool String(const char*, rapidjson::SizeType, bool);
    bool Key(const char*, rapidjson::SizeType, bool);
    bool StartObject();
    bool EndObject(rapidjson::SizeType member_count);
    bool StartArray();
    bool EndArray(rapidjson::SizeType element_count);

 private:
    [[nodiscard]] std::string item() const;
    [[nodiscard]] std::string wanted() const;
    [[nodiscard]] bool allowed(Kind found) const;
    [[nodiscard]] Place place_inside() const;
    bool expect(Kind found, std::size_t offset);
    bool enter(Kind found);
    bool fixed_key(std::size_t offset);
    bool free_key(std::string_view kind, bool duplicate, std::size_t offset);
    bool text_is_sound(std::string_view text, std::size_t offset);
    bool finish_node();
    bool finish_connection();
    template <class Number>
    bool store_number(std::string_view literal, std::size_t offset, auto store);
    bool refuse(std::size_t offset, std::string sentence);

    std::string_view text_;
    const TextStream& stream_;
    LineCounter lines_;
    Place place_ = Place::outside;
    std::string key_;
    std::uint32_t document_keys_seen_ = 0;  ///< bit i: kDocumentKeys[i]
    std::uint32_t item_keys_seen_ = 0;      ///< the same of the node or connection at hand
    std::size_t item_begin_ = 0;
    GraphDocument::Node node_;
    GraphDocument::Connection connection_;
    GraphDocument document_;
    std::optional<Fault> fault_;
};

bool DocumentBuilder::refuse(std::size_t offset, std::string sentence) {
    fault_ = Fault{offset, std::move(sentence)};
    return false;
}

/// The node or connection at hand.
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

/// What belongs where the reader is.
std::string DocumentBuilder::wanted() const {
    if (place_ == Place::settings) return "true, false, a number or a string";
    if (place_ == Place::parameters) return "a number";
    for (const auto& key : keys_of(place_)) {
        if (key.name == key_) return std::string{with_article(key.kind)};
    }
    return "an object";
}

bool DocumentBuilder::allowed(Kind found) const {
    switch (place_) {
        case Place::outside:
        case Place::nodes:
        case Place::connections:
            return found == Kind::object;
        case Place::settings:
            return found == Kind::boolean || found == Kind::number || found == Kind::string;
        case Place::parameters:
            return found == Kind::number;
        case Place::document:
        case Place::node:
        case Place::connection:
            break;
    }
    // In the JSON form of protobuf a field that is null is a field that was left out.
    return found == Kind::null ||
           std::ranges::any_of(keys_of(place_), [&](const auto& key) { return key.name == key_ && key.kind == found; });
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
    for (const auto& key : keys_of(place_)) {
        if (key.name == key_) return key.content;
    }
    return Place::outside;
}

bool DocumentBuilder::enter(Kind found) {
    const std::size_t begin = stream_.Tell() - 1;
    if (!expect(found, begin)) return false;
    place_ = place_inside();
    if (place_ == Place::node || place_ == Place::connection) {
        item_begin_ = begin;
        item_keys_seen_ = 0;
        const DocumentPosition position = lines_.at(begin);
        node_ = {.name = {}, .type = {}, .settings = {}, .parameters = {}, .position = position};
        connection_ = {.from = {}, .to = {}, .gain_db = {}, .position = position};
    }
    return true;
}

bool DocumentBuilder::StartObject() { return enter(Kind::object); }
bool DocumentBuilder::StartArray() { return enter(Kind::array); }

bool DocumentBuilder::EndObject(rapidjson::SizeType) {
    if (place_ == Place::node && !finish_node()) return false;
    if (place_ == Place::connection && !finish_connection()) return false;
    place_ = parent_of(place_);
    return true;
}

bool DocumentBuilder::EndArray(rapidjson::SizeType) {
    place_ = parent_of(place_);
    return true;
}

// In protobuf's JSON form an empty string is a string that was left out.
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

/// An escape can name half of a UTF-16 pair, which no UTF-8 text can hold.
bool DocumentBuilder::text_is_sound(std::string_view text, std::size_t offset) {
    if (first_invalid_utf8(text) == text.size()) return true;
    return refuse(offset, "a string holds half of a surrogate pair: \\ud800 to \\udfff come in pairs");
}

bool DocumentBuilder::Key(const char*, rapidjson::SizeType, bool) {
    const std::size_t offset = stream_.string_begin();
    key_ = stream_.decoded();
    if (!text_is_sound(key_, offset)) return false;
    if (place_ == Place::settings) return free_key("setting", node_.settings.contains(key_), offset);
    if (place_ == Place::parameters) return free_key("parameter", node_.parameters.contains(key_), offset);
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
        return refuse(offset, where() + ": " + no_such("key", key_, names));
    }
    const std::uint32_t bit = 1U << static_cast<std::uint32_t>(found - keys.begin());
    std::uint32_t& seen = place_ == Place::document ? document_keys_seen_ : item_keys_seen_;
    if ((seen & bit) != 0) return refuse(offset, where() + ": key " + quoted(key_) + " is given twice");
    seen |= bit;
    return true;
}

bool DocumentBuilder::Null() { return expect(Kind::null, stream_.Tell() - 4); }

bool DocumentBuilder::Bool(bool value) {
    if (!expect(Kind::boolean, stream_.Tell() - (value ? 4 : 5))) return false;
    if (place_ == Place::settings) {
        node_.settings.emplace(key_, value);
    } else {
        document_.latency_compensation = value;
    }
    return true;
}

bool DocumentBuilder::String(const char*, rapidjson::SizeType, bool) {
    const std::size_t offset = stream_.string_begin();
    if (!expect(Kind::string, offset)) return false;
    std::string value{stream_.decoded()};
    if (!text_is_sound(value, offset)) return false;
    if (place_ == Place::settings) {
        node_.settings.emplace(key_, std::move(value));
    } else if (place_ == Place::node) {
        (key_ == "name" ? node_.name : node_.type) = std::move(value);
    } else {
        (key_ == "from" ? connection_.from : connection_.to) = std::move(value);
    }
    return true;
}

template <class Number>
bool DocumentBuilder::store_number(std::string_view literal, std::size_t offset, auto store) {
    const std::optional<Number> value = parse_number<Number>(literal);
    if (!value) {
        return refuse(offset, subject() + " = " + std::string{literal.substr(0, 40)} + " is out of range: a " +
                                  std::to_string(sizeof(Number) * 8) + "-bit float goes to " +
                                  format_number(std::numeric_limits<Number>::max()));
    }
    store(*value);
    return true;
}

bool DocumentBuilder::RawNumber(const char*, rapidjson::SizeType, bool) {
    // The literal is taken from the text itself, and read by from_chars: correctly rounded, whatever the locale.
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
    return store_number<float>(literal, begin, [this](float value) { connection_.gain_db = value; });
}

// ---------------------------------------------------------------------------------------------------------------------
// Syntax errors

std::string found_at(std::string_view text, std::size_t offset) {
    if (offset >= text.size()) return "the end of the document";
    std::size_t length = 1;
    while (offset + length < text.size() && (static_cast<unsigned char>(text[offset + length]) & 0xC0U) == 0x80U)
        ++length;
    return quoted(text.substr(offset, length));
}

/// What people write who are used to JSON's relatives.
std::string_view hint_at(std::string_view text, std::size_t offset) {
    const std::string_view rest = text.substr(std::min(offset, text.size()));
    if (rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with("#")) return " (JSON has no comments)";
    if (rest.starts_with("'")) return " (strings stand in double quotes)";
    if (rest.starts_with("NaN") || rest.starts_with("Inf")) return " (numbers must be finite)";
    const std::size_t before = text.substr(0, offset).find_last_not_of(" \t\r\n");
    const bool closes = rest.starts_with("}") || rest.starts_with("]");
    if (closes && before != std::string_view::npos && text[before] == ',')
        return " (no comma stands after the last one)";
    return "";
}

std::string syntax_sentence(rapidjson::ParseErrorCode code, std::string_view text, std::size_t offset,
                            const DocumentBuilder& builder) {
    const auto expected = [&](std::string_view what) {
        return "expected " + std::string{what} + ", found " + found_at(text, offset) +
               std::string{hint_at(text, offset)};
    };
    switch (code) {
        case rapidjson::kParseErrorDocumentEmpty:
            return "the document is empty; an empty graph is {\"nodes\": [], \"connections\": []}";
        case rapidjson::kParseErrorDocumentRootNotSingular:
            return expected("the end of the document");
        case rapidjson::kParseErrorValueInvalid:
            return expected("a value");
        case rapidjson::kParseErrorObjectMissName:
            return expected("a key in double quotes");
        case rapidjson::kParseErrorObjectMissColon:
            return expected("\":\" after the key");
        case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
            return expected("\",\" or \"}\"");
        case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
            return expected("\",\" or \"]\"");
        case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
            return "\\u takes four hexadecimal digits";
        case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
            return "a string holds half of a surrogate pair: \\ud800 to \\udfff come in pairs";
        case rapidjson::kParseErrorStringEscapeInvalid:
            if (offset < text.size() && text[offset] == '\\') {
                return "no such escape; there are: \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four hexadecimal "
                       "digits";
            }
            return "a control character in a string must be written as an escape, such as \\n or \\u001f";
        case rapidjson::kParseErrorStringMissQuotationMark:
            return "the last string has no closing quote";
        case rapidjson::kParseErrorNumberTooBig:
            return builder.subject() + " = " + std::string{number_at(text, offset).substr(0, 40)} +
                   " is out of range: a 64-bit float goes to " + format_number(std::numeric_limits<double>::max());
        case rapidjson::kParseErrorNumberMissFraction:
            return expected("a digit after the decimal point");
        case rapidjson::kParseErrorNumberMissExponent:
            return expected("a digit of the exponent");
        case rapidjson::kParseErrorNone:
        case rapidjson::kParseErrorStringInvalidEncoding:
        case rapidjson::kParseErrorTermination:
        case rapidjson::kParseErrorUnspecificSyntaxError:
            break;
    }
    return expected("JSON");
}

/// What can be told before the text is taken apart.
std::optional<Fault> check_text(std::string_view text) {
    if (text.size() > kLongestDocument) {
        return Fault{kLongestDocument, "the document has " + std::to_string(text.size()) + " bytes; at most " +
                                           std::to_string(kLongestDocument) + " are read"};
    }
    if (text.starts_with("\xEF\xBB\xBF"))
        return Fault{0, "the document begins with a byte order mark; save it as plain UTF-8"};
    const std::size_t invalid = first_invalid_utf8(text);
    // RapidJSON takes a zero byte for the end of the text.
    const std::size_t zero = text.find('\0');
    if (zero < invalid) return Fault{zero, "a zero byte is not JSON"};
    if (invalid < text.size()) return Fault{invalid, "not UTF-8: byte " + quoted(text.substr(invalid, 1))};
    return std::nullopt;
}

std::unexpected<Error> fail_at(std::string_view text, const Fault& fault) {
    return fail(ErrorCode::invalid_argument, LineCounter{text}.at(fault.offset).prefix() + fault.sentence);
}

}  // namespace

std::string DocumentPosition::prefix() const {
    if (!*this) return {};
    return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": ";
}

Error at_position(Error error, const DocumentPosition& position) {
    error.sentence = position.prefix() + error.sentence;
    return error;
}

Expected<GraphDocument> read_document(std::string_view text) {
    if (const auto fault = check_text(text)) return fail_at(text, *fault);

    TextStream stream{text};
    DocumentBuilder builder{text, stream};
    rapidjson::Reader reader;
    constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag;
    const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, builder);
    if (builder.fault()) return fail_at(text, *builder.fault());
    if (result.IsError()) {
        return fail_at(text, {result.Offset(), syntax_sentence(result.Code(), text, result.Offset(), builder)});
    }
    return builder.take();
}

}  // namespace rta
