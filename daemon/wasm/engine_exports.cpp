// SPDX-License-Identifier: MIT
// C functions exported by rta_engine.wasm. One thread makes all calls and is both control and audio thread; it claims
// the same gate as a device does.
//
// Functions that can fail return 0, or the number of an ErrorCode, in which case rta_last_error() returns the message.
// To pass text, call rta_text() for a buffer, write UTF-8 to it, and then make the call that reads it.
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "document/document.h"
#include "engine/engine.h"
#include "engine/renderer.h"
#include "graph/document_values.h"

#define RTA_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace {

using namespace rta;

constexpr std::uint32_t kMaximumChannels = 64;

std::string g_text;        // written by the host for the next call
std::string g_last_error;  // message of the last call that failed
std::string g_warnings;    // of the last rta_load_document()
std::string g_document;    // of the last rta_write_document()

std::uint32_t refuse(const Error& error) {
    g_last_error = error.sentence;
    return static_cast<std::uint32_t>(error.code);
}

std::uint32_t refuse(ErrorCode code, std::string sentence) { return refuse(Error{code, std::move(sentence), {}}); }

/// Channels of a device in memory, which the host reads and writes.
class Channels {
 public:
    Channels(std::uint32_t count, std::uint32_t frames) : samples_(std::size_t{count} * frames) {
        for (std::uint32_t index = 0; index < count; ++index)
            pointers_.push_back(&samples_[std::size_t{index} * frames]);
    }

    [[nodiscard]] float* channel(std::uint32_t index) const {
        return index < pointers_.size() ? pointers_[index] : nullptr;
    }
    [[nodiscard]] float* const* pointers() const { return pointers_.data(); }
    [[nodiscard]] std::uint32_t count() const { return static_cast<std::uint32_t>(pointers_.size()); }

 private:
    std::vector<float> samples_;
    std::vector<float*> pointers_;
};

class FaultObserver final : public Engine::Observer {
 public:
    void applied(std::uint64_t /*serial*/, std::uint64_t /*frame*/) override {}
    void node_faulted(const std::string& node, std::uint64_t frame) override {
        if (!sentence_.empty()) sentence_ += "; ";
        sentence_ += "node " + node + " produced NaN or infinity at frame " + std::to_string(frame) +
                     " and is muted until it has been rebuilt";
    }
    void transaction_heard(std::uint64_t /*revision*/, std::uint64_t /*frame*/) override {}
    void device_faded(std::uint64_t /*frame*/) override {}

    /// Returns a message about all nodes that have faulted since the last call; empty if none.
    [[nodiscard]] std::string take() { return std::exchange(sentence_, {}); }

 private:
    std::string sentence_;
};

struct Instance {
    Instance(const EngineConfig& config, std::uint32_t channels_in, std::uint32_t channels_out)
        : engine{builtin_nodes(), config},
          inputs{channels_in, config.block_size},
          outputs{channels_out, config.block_size},
          generation{engine.gate().start_generation()} {}

    Engine engine;
    Channels inputs;
    Channels outputs;
    AudioThreadGate::Generation generation;
    FaultObserver faults;
};

}  // namespace

/// Returns a buffer of `bytes` bytes for the text of the next call that reads text. Valid until the next rta_text().
RTA_EXPORT(rta_text) char* rta_text(std::size_t bytes) {
    g_text.assign(bytes, '\0');
    return g_text.data();
}

/// Returns the message of the last call that failed: UTF-8, not terminated.
RTA_EXPORT(rta_last_error) const char* rta_last_error() { return g_last_error.data(); }
RTA_EXPORT(rta_last_error_length) std::size_t rta_last_error_length() { return g_last_error.size(); }

/// Creates an engine; returns 0 on error. `sample_rate_hz`: 8000 to 384000. `block_size`: frames, a power of two from
/// 16 to 1024. `channels_in` and `channels_out`: 0 to 64.
RTA_EXPORT(rta_create)
Instance* rta_create(double sample_rate_hz, std::uint32_t block_size, std::uint32_t channels_in,
                     std::uint32_t channels_out) {
    if (!(sample_rate_hz >= 8'000.0 && sample_rate_hz <= 384'000.0)) {
        refuse(ErrorCode::invalid_argument, "invalid sample rate: expected 8000 to 384000 Hz");
        return nullptr;
    }
    if (!std::has_single_bit(block_size) || block_size < 16 || block_size > 1024) {
        refuse(ErrorCode::invalid_argument,
               "invalid block size " + std::to_string(block_size) + ": expected a power of two from 16 to 1024");
        return nullptr;
    }
    if (channels_in > kMaximumChannels || channels_out > kMaximumChannels) {
        refuse(ErrorCode::invalid_argument,
               "too many channels: expected at most " + std::to_string(kMaximumChannels) + " inputs and outputs");
        return nullptr;
    }
    return new Instance{EngineConfig{.sample_rate_hz = sample_rate_hz, .block_size = block_size}, channels_in,
                        channels_out};
}

RTA_EXPORT(rta_destroy) void rta_destroy(Instance* instance) { delete instance; }

/// Replaces the graph by the document in rta_text(). Nodes that stay keep their state; all changes crossfade.
RTA_EXPORT(rta_load_document) std::uint32_t rta_load_document(Instance* instance) {
    g_warnings.clear();
    auto loaded = load_document(g_text, instance->engine.registry(), instance->engine.config().sample_rate_hz);
    if (!loaded) return refuse(loaded.error());
    for (const std::string& warning : loaded->warnings) g_warnings += warning + "\n";
    Transaction transaction;
    transaction.edits.emplace_back(ReplaceGraph{std::move(loaded->document)});
    auto prepared = instance->engine.prepare(std::move(transaction));
    if (!prepared) return refuse(prepared.error());
    const auto ticket = instance->engine.commit(*prepared);
    return ticket ? 0 : refuse(ticket.error());
}

/// Returns what the last rta_load_document() loaded differently from what the document says: lines of UTF-8, not
/// terminated.
RTA_EXPORT(rta_warnings) const char* rta_warnings() { return g_warnings.data(); }
RTA_EXPORT(rta_warnings_length) std::size_t rta_warnings_length() { return g_warnings.size(); }

/// Returns the document of the current graph in rta_document(): UTF-8, not terminated. Valid until the next call.
RTA_EXPORT(rta_write_document) std::size_t rta_write_document(const Instance* instance) {
    g_document = write_document(instance->engine.graph().document());
    return g_document.size();
}
RTA_EXPORT(rta_document) const char* rta_document() { return g_document.data(); }

/// Sets the parameter `NODE.PARAMETER` named in rta_text(), in its own unit, over `ramp_ms` (negative: 20 ms, the
/// default).
RTA_EXPORT(rta_set_parameter) std::uint32_t rta_set_parameter(Instance* instance, float value, float ramp_ms) {
    const auto dot = g_text.find('.');
    if (dot == std::string::npos) {
        return refuse(ErrorCode::invalid_argument, "invalid parameter \"" + g_text + "\": expected NODE.PARAMETER");
    }
    SetParameter change{
        .node = g_text.substr(0, dot), .parameter = g_text.substr(dot + 1), .value = value, .ramp_ms = {}};
    if (!(ramp_ms < 0.0F)) change.ramp_ms = ramp_ms;
    const auto ticket = instance->engine.set_parameters({&change, 1});
    return ticket ? 0 : refuse(ticket.error());
}

/// Return the `block_size` samples of a device channel, counted from 0, or 0 if it does not exist. Write to inputs
/// before rta_render() and read outputs after it.
RTA_EXPORT(rta_input) float* rta_input(Instance* instance, std::uint32_t channel) {
    return instance->inputs.channel(channel);
}
RTA_EXPORT(rta_output) const float* rta_output(Instance* instance, std::uint32_t channel) {
    return instance->outputs.channel(channel);
}

/// Renders one block.
RTA_EXPORT(rta_render) std::uint32_t rta_render(Instance* instance) {
    auto claim = instance->engine.gate().try_claim(instance->generation);
    if (!claim) return refuse(ErrorCode::internal, "the gate of the audio thread is closed");
    const std::uint32_t frames = instance->engine.config().block_size;
    const DeviceBlock device{
        .inputs = AudioReadView{instance->inputs.pointers(), instance->inputs.count(), frames},
        .outputs = AudioWriteView{instance->outputs.pointers(), instance->outputs.count(), frames},
    };
    instance->engine.renderer().render(claim.key(), device);
    return 0;
}

/// Frees what rendering has returned and prunes what has faded out. Call it every few milliseconds of audio. Returns
/// INTERNAL, with the names of the nodes, once after nodes have produced NaN or infinity.
RTA_EXPORT(rta_poll) std::uint32_t rta_poll(Instance* instance) {
    instance->engine.poll(instance->faults);
    const std::string fault = instance->faults.take();
    return fault.empty() ? 0 : refuse(ErrorCode::internal, fault);
}
