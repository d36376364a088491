// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "document/document.h"

namespace rta::json {

/// Converts offsets, which must not decrease, to lines and columns in one pass over the text.
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

/// Input stream of RapidJSON's in-situ parser. Decoded strings go to a separate buffer, not into the text, which error
/// sentences still quote. The in-situ parser needs no stack, whose code does arithmetic on a null pointer. RapidJSON
/// prescribes the names of the functions.
class TextStream {
 public:
    using Ch = char;

    explicit TextStream(std::string_view text) : text_{text} {}

    // RapidJSON reads a zero byte as the end; the text contains none.
    [[nodiscard]] Ch Peek() const { return offset_ < text_.size() ? text_[offset_] : '\0'; }
    Ch Take() { return offset_ < text_.size() ? text_[offset_++] : '\0'; }
    [[nodiscard]] std::size_t Tell() const { return offset_; }

    Ch* PutBegin() {
        string_begin_ = offset_ - 1;
        decoded_.clear();
        return nullptr;  // the string is read through decoded()
    }
    void Put(Ch c) { decoded_ += c; }
    [[nodiscard]] std::size_t PutEnd(const Ch*) const { return decoded_.size(); }

    /// The last string, decoded, without the zero byte that RapidJSON appends.
    [[nodiscard]] std::string_view decoded() const { return std::string_view{decoded_}.substr(0, decoded_.size() - 1); }
    /// Offset of the opening quote of the last string.
    [[nodiscard]] std::size_t string_begin() const { return string_begin_; }

 private:
    std::string_view text_;
    std::size_t offset_ = 0;
    std::size_t string_begin_ = 0;
    std::string decoded_;
};

}  // namespace rta::json
