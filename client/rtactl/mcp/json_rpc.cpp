// SPDX-License-Identifier: MIT
#include "rtactl/mcp/json_rpc.h"

#include <rapidjson/error/en.h>

#include <utility>

namespace rta::rtactl::mcp {

namespace {

rapidjson::SizeType length_of(std::string_view text) { return static_cast<rapidjson::SizeType>(text.size()); }

std::string to_text(const Json& value) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer{buffer};
    value.Accept(writer);
    return {buffer.GetString(), buffer.GetSize()};
}

std::unexpected<RpcFailure> refuse(std::string id, RpcError::Code code, std::string message) {
    return std::unexpected(RpcFailure{std::move(id), {code, std::move(message)}});
}

/// `write` writes what follows the id.
std::string message(std::string_view id, const std::function<void(JsonWriter&)>& write) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer{buffer};
    writer.StartObject();
    put(writer, "jsonrpc", "2.0");
    put_key(writer, "id");
    put_json(writer, id);
    write(writer);
    writer.EndObject();
    return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace

std::expected<RpcMessage, RpcFailure> parse_rpc(std::string_view line) {
    using enum RpcError::Code;
    RpcMessage message;
    // Iterative: a line of brackets must not overflow the stack.
    constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
    message.document.Parse<kFlags>(line.data(), line.size());
    if (message.document.HasParseError()) {
        return refuse("null", parse_error,
                      std::string{"invalid JSON at byte "} + std::to_string(message.document.GetErrorOffset()) + ": " +
                          rapidjson::GetParseError_En(message.document.GetParseError()));
    }
    const Json& root = message.document;
    if (!root.IsObject()) return refuse("null", invalid_request, "invalid message: expected an object, one a line");
    const auto id = root.FindMember("id");
    const bool has_id = id != root.MemberEnd();
    if (has_id && (id->value.IsString() || id->value.IsNumber())) message.id = to_text(id->value);
    const std::string known = message.id.empty() ? "null" : message.id;
    if (has_id && message.id.empty())
        return refuse(known, invalid_request, "invalid id: expected a string or a number");
    const auto version = root.FindMember("jsonrpc");
    if (version == root.MemberEnd() || !version->value.IsString() || version->value != "2.0")
        return refuse(known, invalid_request, R"(invalid message: expected "jsonrpc": "2.0")");
    const auto method = root.FindMember("method");
    message.response = method == root.MemberEnd() && (root.HasMember("result") || root.HasMember("error"));
    if (message.response) return message;
    if (method == root.MemberEnd() || !method->value.IsString())
        return refuse(known, invalid_request, "invalid message: expected a method, as text");
    message.method.assign(method->value.GetString(), method->value.GetStringLength());
    const auto params = root.FindMember("params");
    if (params == root.MemberEnd()) return message;
    if (!params->value.IsObject()) return refuse(known, invalid_params, "invalid params: expected an object");
    message.params = &params->value;
    return message;
}

std::string rpc_result(std::string_view id, const std::function<void(JsonWriter&)>& write) {
    return message(id, [&](JsonWriter& writer) {
        put_key(writer, "result");
        write(writer);
    });
}

std::string rpc_error(const RpcFailure& failure) {
    return message(failure.id, [&](JsonWriter& writer) {
        put_key(writer, "error");
        writer.StartObject();
        put_key(writer, "code");
        writer.Int(static_cast<int>(failure.error.code));
        put(writer, "message", failure.error.message);
        writer.EndObject();
    });
}

void put_key(JsonWriter& writer, std::string_view key) { writer.Key(key.data(), length_of(key)); }

void put(JsonWriter& writer, std::string_view key, std::string_view value) {
    put_key(writer, key);
    writer.String(value.data(), length_of(value));
}

void put_json(JsonWriter& writer, std::string_view json) {
    writer.RawValue(json.data(), json.size(), rapidjson::kObjectType);
}

}  // namespace rta::rtactl::mcp
