// SPDX-License-Identifier: MIT
#include "document/document.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "document/document_builder.h"
#include "document/document_size.h"
#include "document/json_parser.h"
#include "document/number_literal.h"
#include "document/text_stream.h"
#include "text/format_number.h"
#include "text/quoting.h"
#include "text/utf8.h"

namespace rta {

namespace {

using json::DocumentBuilder;
using json::Fault;
using json::LineCounter;
using json::TextStream;

std::string found_at(std::string_view text, std::size_t offset) {
    if (offset >= text.size()) return "the end of the document";
    return quoted(text.substr(offset, first_character(text.substr(offset)).bytes));
}

/// Explains what is valid in formats related to JSON, but not in JSON.
std::string_view hint_at(std::string_view text, std::size_t offset) {
    const std::string_view rest = text.substr(std::min(offset, text.size()));
    if (rest.starts_with("/") || rest.starts_with("#")) return " (comments start with //)";
    if (rest.starts_with("'")) return " (strings are written in double quotes)";
    if (rest.starts_with("NaN") || rest.starts_with("Inf")) return " (numbers must be finite)";
    const std::size_t before = text.substr(0, offset).find_last_not_of(" \t\r\n");
    const bool closes = rest.starts_with("}") || rest.starts_with("]");
    if (closes && before != std::string_view::npos && text[before] == ',')
        return " (no comma is allowed after the last item)";
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
            return "expected four hexadecimal digits after \\u";
        case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
            return "a string contains half of a surrogate pair: \\ud800 to \\udfff must come in pairs";
        case rapidjson::kParseErrorStringEscapeInvalid:
            if (offset < text.size() && text[offset] == '\\') {
                return "unknown escape: expected \\\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u with four hexadecimal "
                       "digits";
            }
            return "a control character in a string must be written as an escape, such as \\n or \\u001f";
        case rapidjson::kParseErrorStringMissQuotationMark:
            return "the last string has no closing quote";
        case rapidjson::kParseErrorNumberTooBig:
            return builder.subject() + " = " + std::string{json::number_at(text, offset).substr(0, 40)} +
                   " is out of range: the greatest 64-bit float is " +
                   format_number(std::numeric_limits<double>::max());
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

/// Checks what does not need the text to be parsed.
std::optional<Fault> check_text(std::string_view text) {
    if (text.size() > kLongestDocument) {
        return Fault{kLongestDocument, "the document has " + std::to_string(text.size()) + " bytes: expected at most " +
                                           std::to_string(kLongestDocument)};
    }
    if (text.starts_with("\xEF\xBB\xBF"))
        return Fault{0, "the document begins with a byte order mark: expected UTF-8 without one"};
    const std::size_t invalid = first_invalid_utf8(text);
    // RapidJSON treats a zero byte as the end of the text.
    const std::size_t zero = text.find('\0');
    if (zero < invalid) return Fault{zero, "invalid character: a zero byte"};
    if (invalid < text.size()) return Fault{invalid, "not UTF-8: byte " + quoted(text.substr(invalid, 1))};
    return std::nullopt;
}

/// Returns the offset behind the string that starts at `begin`.
std::size_t string_end(std::string_view text, std::size_t begin) {
    std::size_t end = begin + 1;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2U : 1U;
    return std::min(end + 1, text.size());
}

/// The comments of a document. RapidJSON skips them without a report.
struct Comments {
    std::uint32_t count = 0;
    std::size_t first = 0;             ///< offset
    std::optional<std::size_t> block;  ///< offset of the first /* comment, at which the search ends
};

Comments find_comments(std::string_view text) {
    Comments comments;
    std::size_t offset = text.find('/') == std::string_view::npos ? text.size() : 0;
    while ((offset = text.find_first_of("\"/", offset)) < text.size()) {
        if (text[offset] == '"') {
            offset = string_end(text, offset);
            continue;
        }
        const std::string_view rest = text.substr(offset);
        if (rest.starts_with("/*")) {
            comments.block = offset;
            break;
        }
        if (!rest.starts_with("//")) {
            ++offset;
            continue;
        }
        if (comments.count++ == 0) comments.first = offset;
        offset = std::min(text.find('\n', offset), text.size());
    }
    return comments;
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

std::string comment_warning(const GraphDocument& document) {
    if (document.comment_count == 0) return {};
    const bool one = document.comment_count == 1;
    return document.first_comment.prefix() + "the document has " +
           (one ? "a comment" : std::to_string(document.comment_count) + " comments") +
           ": a saved graph contains no comments; \"description\" is saved";
}

Expected<GraphDocument> read_document(std::string_view text) {
    if (const auto fault = check_text(text)) return fail_at(text, *fault);

    TextStream stream{text};
    DocumentBuilder builder{text, stream};
    const rapidjson::ParseResult result = json::parse(stream, builder);
    std::optional<Fault> fault = builder.fault();
    if (!fault && result.IsError()) {
        std::size_t offset = result.Offset();
        // The only error of this code: a / that does not start a comment. RapidJSON reports the character behind it.
        if (result.Code() == rapidjson::kParseErrorUnspecificSyntaxError) --offset;
        fault = Fault{offset, syntax_sentence(result.Code(), text, offset, builder)};
    }
    const Comments comments = find_comments(text);
    // RapidJSON would skip it.
    if (comments.block && (!fault || *comments.block <= fault->offset))
        fault = Fault{*comments.block, "a /* comment: expected comments that start with //, up to the end of the line"};
    if (fault) return fail_at(text, *fault);
    GraphDocument document = builder.take();
    document.comment_count = comments.count;
    if (comments.count != 0) document.first_comment = LineCounter{text}.at(comments.first);
    return document;
}

}  // namespace rta
