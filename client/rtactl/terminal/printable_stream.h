// SPDX-License-Identifier: MIT
#pragma once

#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace rta::rtactl {

/// A stream of text for people: what is written to it goes to another stream, but for what a terminal would obey. What
/// a daemon says may come from anybody; see printable(). Line ends and tabs stay.
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
        bool pass_on(std::string_view bytes);

        std::ostream& to_;
        std::string begun_;  ///< the first bytes of a character
    };
    Buffer buffer_;
};

/// The text of a document, in which a JSON string says \uXXXX where printable() would escape: the same document.
[[nodiscard]] std::string printable_document(std::string_view text);

}  // namespace rta::rtactl
