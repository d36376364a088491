// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/engine.h"

namespace rta::wasm {

/// Channels in memory, which the host reads and writes: one after the other.
class Channels {
 public:
    Channels(std::uint32_t count, std::uint32_t frames);

    /// Returns nullptr if the channel does not exist.
    [[nodiscard]] float* channel(std::uint32_t index) const;
    [[nodiscard]] float* const* pointers() const { return pointers_.data(); }
    [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(pointers_.size()); }

 private:
    std::vector<float> samples_;
    std::vector<float*> pointers_;
};

/// The device of an engine in a host: memory that the host fills and reads. The host may cut time as it likes; unless it asks for
/// whole blocks, what it captures is heard up to one block later.
class Device {
 public:
    Device(Engine& engine, std::uint32_t channels_in, std::uint32_t channels_out);

    [[nodiscard]] const Channels& inputs() const { return inputs_; }
    [[nodiscard]] const Channels& outputs() const { return outputs_; }

    /// Renders one block from inputs() to outputs().
    [[nodiscard]] bool render();
    /// Renders `frames`. `in` and `out` hold as many samples of one channel after the other; without `in`, silence is
    /// captured. Allocates nothing.
    [[nodiscard]] bool process(const float* in, float* out, std::size_t frames);

 private:
    void read(const float* in, std::size_t frames, std::size_t from, std::size_t count);
    void write(float* out, std::size_t frames, std::size_t from, std::size_t count) const;

    Engine& engine_;
    Channels inputs_;
    Channels outputs_;
    AudioThreadGate::Generation generation_;
    std::size_t used_;  ///< frames of outputs_ that the host has got: as many of inputs_ are captured
};

}  // namespace rta::wasm
