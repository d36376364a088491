// SPDX-License-Identifier: MIT
// For all bytes: if check_wire() accepts them and protobuf parses them, then protobuf has found no elements that were not
// counted, no list of the parsed message exceeds the limits, and its memory is within the promised bound.
#include <google/protobuf/message.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "api/list_limits.h"
#include "rta/v1/control.pb.h"

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using rta::api::WireCheck;

void require(bool condition, const char* promise, std::size_t got, std::size_t limit) {
    if (condition) return;
    std::fprintf(stderr, "broken: %s (%zu, %zu)\n", promise, got, limit);
    std::abort();
}

constexpr std::size_t kMostItems = rta::api::kMaximumItems;

/// Returns the elements of all lists in the message, and its unknown fields.
std::size_t elements_of(const Message& message) {
    const auto& reflection = *message.GetReflection();
    std::size_t elements = static_cast<std::size_t>(reflection.GetUnknownFields(message).field_count());
    require(elements <= kMostItems, "unknown fields are limited", elements, kMostItems);
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor* const field : fields) {
        const bool holds_messages = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
        if (!field->is_repeated()) {
            if (holds_messages) elements += elements_of(reflection.GetMessage(message, field));
            continue;
        }
        const int size = reflection.FieldSize(message, field);
        require(static_cast<std::size_t>(size) <= kMostItems, "a list is limited", static_cast<std::size_t>(size),
                kMostItems);
        elements += static_cast<std::size_t>(size);
        if (!holds_messages) continue;
        for (int i = 0; i < size; ++i) elements += elements_of(reflection.GetRepeatedMessage(message, field, i));
    }
    return elements;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    google::protobuf::SetLogHandler(nullptr);
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    const WireCheck check = rta::api::check_wire(bytes);
    if (check.verdict != WireCheck::Verdict::good) {
        require(!check.error.sentence.empty(), "a refusal says why", 0, 0);
        return 0;
    }
    require(check.elements <= rta::api::kMaximumElements, "all lists together are limited", check.elements,
            rta::api::kMaximumElements);
    rta::v1::Request request;
    if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return 0;
    // Fewer: of two messages of a oneof, the first is dropped, and equal keys of a map are one entry.
    const std::size_t elements = elements_of(request);
    require(elements <= check.elements, "protobuf finds no elements that were not counted", elements, check.elements);
    const std::size_t bound =
        sizeof request + rta::api::kMemoryPerByte * size + rta::api::kMemoryPerElement * check.elements;
    require(request.SpaceUsedLong() <= bound, "the memory is within its bound", request.SpaceUsedLong(), bound);
    return 0;
}
