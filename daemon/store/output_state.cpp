// SPDX-License-Identifier: MIT
#include "store/output_state.h"

#include <rapidjson/reader.h>

#include <utility>

#include "document/text_stream.h"
#include "graph/edit.h"
#include "text/format_number.h"
#include "text/quoting.h"
#include "text/utf8.h"

namespace rta::store {
namespace {

/// Accepts an object of the members of OutputState, each at most once. The names are those of RapidJSON.
class OutputStateReader : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, OutputStateReader> {
 public:
    explicit OutputStateReader(const json::TextStream& stream) : stream_{stream} {}

    [[nodiscard]] bool Default() const { return false; }
    bool StartObject() { return !std::exchange(opened_, true); }
    bool Key(const char*, rapidjson::SizeType, bool) {
        key_ = stream_.decoded();
        return true;
    }
    bool Bool(bool value) {
        if (key_ != "muted" || std::exchange(has_muted_, true)) return false;
        state.muted = value;
        return true;
    }
    bool Int(int value) { return Double(value); }
    bool Uint(unsigned value) { return Double(value); }
    bool Double(double value) {
        if (key_ != "volume_db" || std::exchange(has_volume_, true)) return false;
        state.volume_db = static_cast<float>(value);
        return state.volume_db >= kMinimumVolumeDb && state.volume_db <= kMaximumVolumeDb;
    }
    bool String(const char*, rapidjson::SizeType, bool) {
        std::string* const text = key_ == "device"              ? &state.device
                                  : key_ == "configured_device" ? &state.configured_device
                                                                : nullptr;
        if (text == nullptr || !text->empty()) return false;
        *text = stream_.decoded();
        return first_invalid_utf8(*text) == text->size();
    }
    [[nodiscard]] bool EndObject(rapidjson::SizeType) const {
        return has_muted_ && (state.configured_device.empty() || !state.device.empty());
    }

    OutputState state{};

 private:
    const json::TextStream& stream_;
    std::string key_;
    bool opened_ = false;
    bool has_muted_ = false;
    bool has_volume_ = false;
};

[[nodiscard]] std::string json_string(std::string_view text) {
    std::string json{'"'};
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20) {
            json += "\\u" + hexadecimal(byte, 4);
        } else {
            if (c == '"' || c == '\\') json += '\\';
            json += c;
        }
    }
    return json + '"';
}

}  // namespace

Expected<OutputState> read_output_state(std::string_view text) {
    if (text.find('\0') == std::string_view::npos) {
        json::TextStream stream{text};
        OutputStateReader handler{stream};
        rapidjson::Reader reader;
        if (reader.Parse<rapidjson::kParseInsituFlag>(stream, handler)) return std::move(handler.state);
    }
    return fail(
        ErrorCode::invalid_argument,
        R"(invalid state of the output: expected {"muted": true} or {"muted": false}, the volume_db and the device)");
}

std::string write_output_state(const OutputState& state) {
    std::string text = std::string{R"({"muted": )"} + (state.muted ? "true" : "false");
    if (state.volume_db != 0.0F) text += R"(, "volume_db": )" + format_number(state.volume_db);
    if (!state.device.empty()) {
        text += R"(, "device": )" + json_string(state.device) + R"(, "configured_device": )" +
                json_string(state.configured_device);
    }
    return text + "}\n";
}

}  // namespace rta::store
