// SPDX-License-Identifier: MIT
#pragma once

#include "document/document.h"
#include "graph/edit.h"
#include "rta/v1/control.pb.h"
#include "text/error.h"

namespace rta::api {

// To the wire. [control]

[[nodiscard]] v1::Code to_wire(ErrorCode code) noexcept;
void to_wire(const Error& error, v1::Status& message);
void to_wire(const GraphDocument& document, v1::Graph& message);
void to_wire(const Edit& edit, v1::Edit& message);

}  // namespace rta::api
