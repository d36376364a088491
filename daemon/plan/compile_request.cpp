// SPDX-License-Identifier: MIT
#include "plan/compile_request.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rta {
namespace {

/// The first eight bytes decide nearly every comparison of names; as a number they take one instruction.
std::uint64_t first_bytes(std::string_view name) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < 8; ++i)
        bytes = bytes << 8U | (i < name.size() ? static_cast<unsigned char>(name[i]) : 0U);
    return bytes;
}

}  // namespace

CompileRequest::Node CompileRequest::Node::of(NodeInstance& instance) {
    const NodeDescription& description = instance.description();
    const NodeLayout& layout = description.layout;
    return {.instance = &instance,
            .processor = instance.processor(),
            .parameters = instance.views(),
            .id = instance.id(),
            .name_bytes = first_bytes(description.name),
            .input_count = static_cast<std::uint32_t>(layout.inputs.size()),
            .output_count = static_cast<std::uint32_t>(layout.outputs.size()),
            .input_width = layout.inputs.empty() ? 0 : layout.inputs.front().width,
            .output_width = layout.outputs.empty() ? 0 : layout.outputs.front().width,
            .scratch_channels = instance.scratch_channels(),
            .in_place = description.type->in_place,
            .forwards_channels = description.type->forwards_channels,
            .is_device_sink = description.type->device_role == DeviceRole::sink};
}

}  // namespace rta
