// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rta/v1/control.pb.h"

namespace rta::test::model {

/// A request and its response. Numbers are those of events.
struct Exchange {
    std::string author{};
    std::string client_name{};  ///< of one connection only
    v1::Request request{};
    std::uint64_t after = 0;                 ///< the latest event that the client had when it sent the request
    std::optional<v1::Response> response{};  ///< nothing: the client disconnected before
    std::uint64_t until = 0;                 ///< the latest event that the client had when the response came
};

struct Logged {
    v1::Event event;
    double time_s;
};

/// What the clients of a daemon have seen, from its start with an empty graph to the end.
struct Record {
    std::vector<Exchange> exchanges{};  ///< of each connection in the order of its requests
    std::vector<Logged> events{};       ///< changes, from number 1 on

    // At the end, when nothing happens any more.
    v1::GraphResult graph{};
    v1::StatusResult status{};
    v1::HistoryResult history{};
    v1::ScenesResult scenes{};
    v1::PendingResult pending{};
    double end_s = 0.0;
    std::uint32_t block_frames = 64;
};

}  // namespace rta::test::model
