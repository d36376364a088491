// SPDX-License-Identifier: MIT
#pragma once

#include <rapidjson/error/error.h>

#include <cstddef>

#include "document/text_stream.h"

namespace rta::json {

/// Receives what the parser finds; the text is read from the stream. A function that returns false ends the parse.
class Receiver {
 public:
    virtual bool null() = 0;
    virtual bool boolean(bool value) = 0;
    /// The literal ends at the position of the stream.
    virtual bool number() = 0;
    virtual bool string() = 0;
    virtual bool key() = 0;
    virtual bool start_object() = 0;
    virtual bool end_object() = 0;
    virtual bool start_array() = 0;
    virtual bool end_array() = 0;

 protected:
    Receiver() = default;
    Receiver(const Receiver&) = default;
    Receiver& operator=(const Receiver&) = default;
    ~Receiver() = default;
};

/// The only instance of RapidJSON's parser, which takes 7 KB of the WebAssembly module. Comments are skipped. [any]
[[nodiscard]] rapidjson::ParseResult parse(TextStream& stream, Receiver& receiver);

}  // namespace rta::json
