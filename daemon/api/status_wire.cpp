// SPDX-License-Identifier: MIT
#include "api/status_wire.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cassert>
#include <concepts>
#include <utility>

#include "text/utf8.h"

namespace rta::api {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void set_number(Message& message, const FieldDescriptor& field, auto value) {
    const Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_UINT32:
            return reflection.SetUInt32(&message, &field, static_cast<std::uint32_t>(value));
        case FieldDescriptor::CPPTYPE_UINT64:
            return reflection.SetUInt64(&message, &field, static_cast<std::uint64_t>(value));
        case FieldDescriptor::CPPTYPE_FLOAT:
            return reflection.SetFloat(&message, &field, static_cast<float>(value));
        case FieldDescriptor::CPPTYPE_DOUBLE:
            return reflection.SetDouble(&message, &field, static_cast<double>(value));
        default:
            assert(false && "a status field is a bool, a number, a string or a struct");
    }
}

/// Sets the fields of `message` from those that `status` lists. status_wire_test checks that the names match.
void set_fields(Message& message, const auto& status) {
    status.visit_fields([&](std::string_view name, const auto& value) {
        using Value = std::remove_cvref_t<decltype(value)>;
        const FieldDescriptor* const field = message.GetDescriptor()->FindFieldByName(std::string{name});
        assert(field != nullptr && "a status field has the name of its field in control.proto");
        if (field == nullptr) return;
        const Reflection& reflection = *message.GetReflection();
        if constexpr (std::same_as<Value, bool>) {
            reflection.SetBool(&message, field, value);
        } else if constexpr (std::same_as<Value, std::string>) {
            reflection.SetString(&message, field, valid_utf8(value));
        } else if constexpr (std::integral<Value> || std::floating_point<Value>) {
            set_number(message, *field, value);
        } else {
            set_fields(*reflection.MutableMessage(&message, field), value);
        }
    });
}

}  // namespace

void to_wire(const DeviceStatus& device, v1::DeviceState& message) { set_fields(message, device); }
void to_wire(const EngineStatus& engine, v1::EngineState& message) { set_fields(message, engine); }
void to_wire(const XrunCounts& counts, v1::XrunCounts& message) { set_fields(message, counts); }
void to_wire(const LoadStatus& load, std::uint64_t frame, v1::Load& message) {
    set_fields(message, load);
    message.set_frame(frame);
}
void to_wire(const RealtimeStatus& realtime, v1::RealtimeState& message) { set_fields(message, realtime); }
void to_wire(const StoreStatus& store, v1::StoreState& message) { set_fields(message, store); }
void to_wire(const DeviceInfo& device, v1::Device& message) { set_fields(message, device); }

std::string valid_utf8(std::string_view text) {
    static constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
    std::string out;
    while (true) {
        const std::size_t valid = first_invalid_utf8(text);
        out.append(text.substr(0, valid));
        if (valid == text.size()) return out;
        out.append(kReplacement);
        text.remove_prefix(valid + 1);
    }
}

}  // namespace rta::api
