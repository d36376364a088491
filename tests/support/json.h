// SPDX-License-Identifier: MIT
#pragma once

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <string>

namespace rta::test {

/// Parses JSON with the field names of the .proto, as strictly as protobuf does; `google::protobuf::Struct` takes any
/// object.
template <class Message>
Message parse_json(const std::string& text) {
    Message message;
    const auto status = google::protobuf::util::JsonStringToMessage(text, &message);
    EXPECT_TRUE(status.ok()) << status.ToString() << "\n" << text;
    return message;
}

}  // namespace rta::test
