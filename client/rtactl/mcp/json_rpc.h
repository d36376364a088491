// SPDX-License-Identifier: MIT
#pragma once

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "rtactl/mcp/json_value.h"

namespace rta::rtactl::mcp {

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

/// An error of the protocol, as opposed to one of a tool.
struct RpcError {
    /// As JSON-RPC 2.0 defines them.
    enum class Code : int {
        parse_error = -32'700,
        invalid_request = -32'600,
        method_not_found = -32'601,
        invalid_params = -32'602,
    };
    Code code{};
    std::string message{};
};

/// A request or a notification of JSON-RPC 2.0.
struct RpcMessage {
    Json document{};
    std::string id{};  ///< as JSON; empty: a notification
    std::string method{};
    const Json* params = nullptr;  ///< an object; nullptr: absent
    bool response = false;         ///< to a request of the server, which sends none
};

/// An error that is answered, with the id of its request: "null" if that is not known.
struct RpcFailure {
    std::string id;
    RpcError error;
};

/// Reads a message from one line.
[[nodiscard]] std::expected<RpcMessage, RpcFailure> parse_rpc(std::string_view line);

// These return one line, without its end.

/// `write` writes the value of `result`.
[[nodiscard]] std::string rpc_result(std::string_view id, const std::function<void(JsonWriter&)>& write);
[[nodiscard]] std::string rpc_error(const RpcFailure& failure);

/// Writes `"key": "value"`.
void put(JsonWriter& writer, std::string_view key, std::string_view value);
void put_key(JsonWriter& writer, std::string_view key);
/// Writes a string.
void put_text(JsonWriter& writer, std::string_view text);
/// Writes a value that is JSON already.
void put_json(JsonWriter& writer, std::string_view json);

}  // namespace rta::rtactl::mcp
