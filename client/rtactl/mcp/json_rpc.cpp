// SPDX-License-Identifier: MIT
#include "rtactl/mcp/json_rpc.h"

#include <utility>

namespace rta::rtactl::mcp {

namespace {

/// Returns the id as JSON; empty if it is not valid.
std::string id_text(const Json& id) {
    if (id.is(Json::Kind::number)) return id.text;
    if (!id.is(Json::Kind::string)) return {};
    rapidjson::StringBuffer buffer;
    JsonWriter writer{buffer};
    put_text(writer, id.text);
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
    auto parsed = parse_json(line);
    if (!parsed) {
        return refuse("null", parse_error,
                      "invalid JSON at byte " + std::to_string(parsed.error().byte) + ": " + parsed.error().reason);
    }
    message.document = std::move(*parsed);
    const Json& root = message.document;
    if (!root.is(Json::Kind::object))
        return refuse("null", invalid_request, "invalid message: expected an object, one a line");
    const Json* const id = root.find("id");
    if (id != nullptr) message.id = id_text(*id);
    const std::string known = message.id.empty() ? "null" : message.id;
    if (id != nullptr && message.id.empty())
        return refuse(known, invalid_request, "invalid id: expected a string or a number");
    const Json* const version = root.find("jsonrpc");
    if (version == nullptr || !version->is(Json::Kind::string) || version->text != "2.0")
        return refuse(known, invalid_request, R"(invalid message: expected "jsonrpc": "2.0")");
    const Json* const method = root.find("method");
    message.response = method == nullptr && (root.find("result") != nullptr || root.find("error") != nullptr);
    if (message.response) return message;
    if (method == nullptr || !method->is(Json::Kind::string))
        return refuse(known, invalid_request, "invalid message: expected a method, as text");
    message.method = method->text;
    message.params = root.find("params");
    if (message.params != nullptr && !message.params->is(Json::Kind::object))
        return refuse(known, invalid_params, "invalid params: expected an object");
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

void put_key(JsonWriter& writer, std::string_view key) {
    writer.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
}

void put(JsonWriter& writer, std::string_view key, std::string_view value) {
    put_key(writer, key);
    put_text(writer, value);
}

void put_text(JsonWriter& writer, std::string_view text) {
    writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void put_json(JsonWriter& writer, std::string_view json) {
    writer.RawValue(json.data(), json.size(), rapidjson::kObjectType);
}

}  // namespace rta::rtactl::mcp
