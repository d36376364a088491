// SPDX-License-Identifier: MIT
#include "wasm/device.h"

#include <algorithm>

#include "engine/renderer.h"

namespace rta::wasm {

Channels::Channels(std::uint32_t count, std::uint32_t frames) : samples_(std::size_t{count} * frames) {
    for (std::uint32_t index = 0; index < count; ++index) pointers_.push_back(&samples_[std::size_t{index} * frames]);
}

float* Channels::channel(std::uint32_t index) const { return index < pointers_.size() ? pointers_[index] : nullptr; }

Device::Device(Engine& engine, std::uint32_t channels_in, std::uint32_t channels_out)
    : engine_{engine},
      inputs_{channels_in, engine.config().block_size},
      outputs_{channels_out, engine.config().block_size},
      generation_{engine.gate().start_generation()},
      used_{engine.config().block_size} {}

bool Device::render() {
    auto claim = engine_.gate().try_claim(generation_);
    if (!claim) return false;
    const std::uint32_t frames = engine_.config().block_size;
    const DeviceBlock device{
        .inputs = AudioReadView{inputs_.pointers(), inputs_.count(), frames},
        .outputs = AudioWriteView{outputs_.pointers(), outputs_.count(), frames},
    };
    engine_.renderer().render(claim.key(), device);
    return true;
}

bool Device::process(const float* in, float* out, std::size_t frames) {
    const std::size_t block = engine_.config().block_size;
    for (std::size_t done = 0; done < frames;) {
        // A whole block is rendered from what is captured at the same time.
        const bool whole = used_ == block && frames - done >= block;
        if (whole) read(in, frames, done, block);
        if (used_ == block) {
            if (!render()) return false;
            used_ = 0;
        }
        const std::size_t count = std::min(block - used_, frames - done);
        write(out, frames, done, count);
        if (!whole) read(in, frames, done, count);
        used_ += count;
        done += count;
    }
    return true;
}

/// Captures `count` frames, from `from` on, behind those that are captured already.
void Device::read(const float* in, std::size_t frames, std::size_t from, std::size_t count) {
    const std::size_t at = used_ % engine_.config().block_size;
    for (std::uint32_t channel = 0; channel < inputs_.count(); ++channel) {
        float* const captured = inputs_.channel(channel) + at;
        if (in == nullptr)
            std::fill_n(captured, count, 0.0F);
        else
            std::copy_n(in + channel * frames + from, count, captured);
    }
}

void Device::write(float* out, std::size_t frames, std::size_t from, std::size_t count) const {
    for (std::uint32_t channel = 0; channel < outputs_.count(); ++channel)
        std::copy_n(outputs_.channel(channel) + used_, count, out + channel * frames + from);
}

}  // namespace rta::wasm
