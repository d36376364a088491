// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace rta::rtactl {

/// Stream that escapes control characters, so that text from a daemon cannot control the terminal; see printable().
/// Keeps line ends and tabs. Writes to another stream.
class PrintableStream final : public std::ostream {
 public:
    explicit PrintableStream(std::ostream& to) : std::ostream{nullptr}, buffer_{to} { rdbuf(&buffer_); }

 private:
    class Buffer final : public std::streambuf {
     public:
        explicit Buffer(std::ostream& to) : to_{to} {}

     private:
        int_type overflow(int_type byte) override;
        std::streamsize xsputn(const char* bytes, std::streamsize count) override;
        int sync() override;
        bool forward(std::string_view bytes);

        std::ostream& to_;
        std::string partial_;  ///< first bytes of an incomplete character
    };
    Buffer buffer_;
};

/// Escapes the text of a JSON document as \uXXXX where printable() would escape it. The document keeps its meaning.
[[nodiscard]] std::string printable_document(std::string_view text);

}  // namespace rta::rtactl
