// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/web/http_request.h"

namespace rta::net {

struct HttpResponse {
    int status = 200;
    std::string_view type{};                    ///< Content-Type; constant
    std::shared_ptr<const std::string> body{};  ///< null: a response that has none, such as 304
    std::vector<std::pair<std::string_view, std::string>> fields{};
    bool closes = false;  ///< the connection
};

/// Returns a response with a sentence for people. It closes the connection.
[[nodiscard]] HttpResponse refusal_response(const HttpRefusal& refusal);

/// Returns the head of a response, with the empty line behind it. `host` is the Host of the request, to which a page may
/// open a WebSocket; empty before it has been compared.
///
/// Every response is isolated from other origins, and only its own scripts, styles and WebAssembly may run in a page.
[[nodiscard]] std::string head_of(const HttpResponse& response, std::string_view host, bool tls);

}  // namespace rta::net
