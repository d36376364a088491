// SPDX-License-Identifier: MIT
// For all inputs: the result is either an error with a position and a printable text, or a document that can be written
// and read again without a change.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "document/document.h"
#include "text/utf8.h"

namespace {

void require(bool condition, std::string_view promise, std::string_view detail) {
    if (condition) return;
    std::fprintf(stderr, "broken: %.*s\n%.*s\n", static_cast<int>(promise.size()), promise.data(),
                 static_cast<int>(detail.size()), detail.data());
    std::abort();
}

std::size_t count_lines(std::string_view text) {
    std::size_t lines = 1;
    for (const char c : text) lines += c == '\n' ? 1 : 0;
    return lines;
}

void check_error(const rta::Error& error, std::string_view text) {
    const std::string& sentence = error.sentence;
    require(error.code == rta::ErrorCode::invalid_argument, "a bad document is an INVALID_ARGUMENT", sentence);
    require(rta::first_invalid_utf8(sentence) == sentence.size(), "a sentence is UTF-8", sentence);
    for (const char c : sentence) require(c < 0 || c >= 0x20, "a sentence has no control characters", sentence);
    require(sentence.size() < 1'000, "a sentence is short", sentence);
    unsigned line = 0;
    unsigned column = 0;
    require(std::sscanf(sentence.c_str(), "line %u, column %u: ", &line, &column) == 2, "a sentence tells where",
            sentence);
    require(line >= 1 && line <= count_lines(text), "the line is in the document", sentence);
    require(column >= 1 && column <= text.size() + 1, "the column is in the document", sentence);
}

void check_position(const rta::DocumentPosition& position, std::string_view text) {
    std::size_t begin = 0;
    for (std::uint32_t line = 1; line < position.line; ++line) begin = text.find('\n', begin) + 1;
    const std::size_t offset = begin + position.column - 1;
    require(position && offset < text.size() && text[offset] == '{', "an item's position is that of its brace", text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto document = rta::read_document(text);
    if (!document) {
        check_error(document.error(), text);
        return 0;
    }
    for (const auto& node : document->nodes) check_position(node.position, text);
    for (const auto& connection : document->connections) check_position(connection.position, text);

    const std::string written = rta::write_document(*document);
    const auto again = rta::read_document(written);
    require(again.has_value(), "what is written can be read", written);
    require(rta::write_document(*again) == written, "what is read again is the same", written);
    return 0;
}
