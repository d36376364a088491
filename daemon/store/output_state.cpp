// SPDX-License-Identifier: MIT
#include "store/output_state.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <utility>

namespace rta::store {
namespace {

/// Accepts an object with the member "muted".
struct OutputStateReader : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, OutputStateReader> {
    OutputState state{};
    bool opened = false;
    bool named = false;
    bool complete = false;

    // The names are those of RapidJSON.
    [[nodiscard]] bool Default() const { return false; }
    bool StartObject() { return !std::exchange(opened, true); }
    bool Key(const char* text, rapidjson::SizeType length, bool) {
        return std::string_view{text, length} == "muted" && !std::exchange(named, true);
    }
    bool Bool(bool value) {
        state.muted = value;
        complete = named;
        return named;
    }
    [[nodiscard]] bool EndObject(rapidjson::SizeType) const { return complete; }
};

}  // namespace

Expected<OutputState> read_output_state(std::string_view text) {
    rapidjson::MemoryStream stream{text.data(), text.size()};
    rapidjson::Reader reader;
    OutputStateReader handler;
    if (reader.Parse(stream, handler)) return handler.state;
    return fail(ErrorCode::invalid_argument,
                R"(invalid state of the output: expected {"muted": true} or {"muted": false})");
}

std::string write_output_state(const OutputState& state) {
    return std::string{R"({"muted": )"} + (state.muted ? "true" : "false") + "}\n";
}

}  // namespace rta::store
