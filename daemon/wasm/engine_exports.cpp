// SPDX-License-Identifier: MIT
// C functions exported by rta_engine.wasm. One thread makes all calls and is both control and audio thread; it claims
// the same gate as a device does.
//
// Functions that can fail return 0, or the number of an ErrorCode, in which case rta_last_error() returns the message.
// To pass text, call rta_text() for a buffer, write UTF-8 to it, and then make the call that reads it.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "document/document.h"
#include "engine/engine.h"
#include "graph/document_values.h"
#include "wasm/page_engine.h"

#define RTA_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace {

using namespace rta;
using wasm::PageEngine;

constexpr std::uint32_t kMaximumChannels = 64;
constexpr std::uint32_t kLongestQuantum = 16'384;
/// Of a command, and of a document.
constexpr std::size_t kLongestText = std::size_t{4} << 20U;
constexpr std::string_view kTextTooLong = "the text is too long: expected at most 4194304 bytes";
/// The memory of a module cannot be returned to the system, and ends at 4 GiB.
constexpr GraphLimits kLimits{.nodes = 4'096,
                              .connections = 16'384,
                              .memory_bytes = std::uint64_t{512} << 20U,
                              .delay_bytes = std::uint64_t{64} << 20U,
                              .document_bytes = std::size_t{2} << 20U};
constexpr std::uint64_t kKeptBytes = std::uint64_t{16} << 20U;

std::string g_text;                 // written by the host for the next call
bool g_text_fits = true;            // the host has got memory for its text
std::string g_last_error;           // message of the last call that failed
std::string g_warnings;             // of the last rta_load_document()
std::string g_document;             // of the last rta_write_document()
std::string g_reply;                // of the last rta_execute() or rta_next_event()
std::vector<float> g_host_samples;  // of the last rta_host_buffer()

std::uint32_t refuse(const Error& error) {
    g_last_error = error.sentence;
    return static_cast<std::uint32_t>(error.code);
}

std::uint32_t refuse(ErrorCode code, std::string sentence) { return refuse(Error{code, std::move(sentence), {}}); }

/// The engine of process_block().
PageEngine* g_latest = nullptr;

std::size_t channel_count(PageEngine& engine) {
    return engine.device().inputs().count() + engine.device().outputs().count();
}

/// Returns whether the memory of the module has `count` samples from `first` on.
bool has_samples(const float* first, std::uint64_t count) {
    constexpr std::uint64_t kPageBytes = 65'536;
    const auto begin = reinterpret_cast<std::uintptr_t>(first);
    return begin != 0 && begin % alignof(float) == 0 &&
           begin + count * sizeof(float) <= __builtin_wasm_memory_size(0) * kPageBytes;
}

}  // namespace

/// Returns a buffer of `bytes` bytes, at most 4 MiB, for the text of the next call that reads text. Valid until the next
/// rta_text(). Returns 0 if the text is longer: the next call that reads text refuses it.
RTA_EXPORT(rta_text) char* rta_text(std::size_t bytes) {
    g_text_fits = bytes <= kLongestText;
    g_text.assign(g_text_fits ? bytes : 0, '\0');
    return g_text_fits ? g_text.data() : nullptr;
}

/// Returns the message of the last call that failed: UTF-8, not terminated.
RTA_EXPORT(rta_last_error) const char* rta_last_error() { return g_last_error.data(); }
RTA_EXPORT(rta_last_error_length) std::size_t rta_last_error_length() { return g_last_error.size(); }

/// Creates an engine; returns 0 on error. `sample_rate_hz`: 8000 to 384000. `block_size`: frames, a power of two from
/// 16 to 1024. `channels_in` and `channels_out`: 0 to 64.
RTA_EXPORT(rta_create)
PageEngine* rta_create(double sample_rate_hz, std::uint32_t block_size, std::uint32_t channels_in,
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
    g_latest = new PageEngine{
        EngineConfig{
            .sample_rate_hz = sample_rate_hz, .block_size = block_size, .limits = kLimits, .kept_bytes = kKeptBytes},
        channels_in, channels_out};
    return g_latest;
}

RTA_EXPORT(rta_destroy) void rta_destroy(PageEngine* instance) {
    if (g_latest == instance) g_latest = nullptr;
    delete instance;
}

/// Replaces the graph by the document in rta_text(). Nodes that stay keep their state; all changes crossfade.
RTA_EXPORT(rta_load_document) std::uint32_t rta_load_document(PageEngine* instance) {
    g_warnings.clear();
    if (!g_text_fits) return refuse(ErrorCode::invalid_argument, std::string{kTextTooLong});
    auto loaded = load_document(g_text, instance->engine().registry(), instance->engine().config().sample_rate_hz);
    if (!loaded) return refuse(loaded.error());
    for (const std::string& warning : loaded->warnings) g_warnings += warning + "\n";
    Transaction transaction;
    transaction.edits.emplace_back(ReplaceGraph{std::move(loaded->document)});
    auto prepared = instance->engine().prepare(std::move(transaction));
    if (!prepared) return refuse(prepared.error());
    const auto ticket = instance->engine().commit(*prepared);
    return ticket ? 0 : refuse(ticket.error());
}

/// Returns what the last rta_load_document() loaded differently from what the document says: lines of UTF-8, not
/// terminated.
RTA_EXPORT(rta_warnings) const char* rta_warnings() { return g_warnings.data(); }
RTA_EXPORT(rta_warnings_length) std::size_t rta_warnings_length() { return g_warnings.size(); }

/// Returns the document of the current graph in rta_document(): UTF-8, not terminated. Valid until the next call.
RTA_EXPORT(rta_write_document) std::size_t rta_write_document(PageEngine* instance) {
    g_document = write_document(instance->engine().graph().document());
    return g_document.size();
}
RTA_EXPORT(rta_document) const char* rta_document() { return g_document.data(); }

/// Sets the parameter `NODE.PARAMETER` named in rta_text(), in its own unit, over `ramp_ms` (negative: 20 ms, the
/// default).
RTA_EXPORT(rta_set_parameter) std::uint32_t rta_set_parameter(PageEngine* instance, float value, float ramp_ms) {
    const auto dot = g_text.find('.');
    if (dot == std::string::npos) {
        return refuse(ErrorCode::invalid_argument, "invalid parameter \"" + g_text + "\": expected NODE.PARAMETER");
    }
    SetParameter change{
        .node = g_text.substr(0, dot), .parameter = g_text.substr(dot + 1), .value = value, .ramp_ms = {}};
    if (!(ramp_ms < 0.0F)) change.ramp_ms = ramp_ms;
    const auto ticket = instance->engine().set_parameters({&change, 1});
    return ticket ? 0 : refuse(ticket.error());
}

/// Return the `block_size` samples of a device channel, counted from 0, or 0 if it does not exist. Write to inputs
/// before rta_render() and read outputs after it.
RTA_EXPORT(rta_input) float* rta_input(PageEngine* instance, std::uint32_t channel) {
    return instance->device().inputs().channel(channel);
}
RTA_EXPORT(rta_output) const float* rta_output(PageEngine* instance, std::uint32_t channel) {
    return instance->device().outputs().channel(channel);
}

/// Renders one block.
RTA_EXPORT(rta_render) std::uint32_t rta_render(PageEngine* instance) {
    return instance->device().render() ? 0 : refuse(ErrorCode::internal, "the gate of the audio thread is closed");
}

/// Frees what rendering has returned, prunes what has faded out, and discards all events. Call it every few milliseconds of
/// audio, unless rta_next_event() is called. Returns INTERNAL, with the names of the nodes, once after nodes have produced NaN
/// or infinity.
RTA_EXPORT(rta_poll) std::uint32_t rta_poll(PageEngine* instance) {
    instance->poll();
    instance->discard_events();
    const std::string fault = instance->take_faults();
    return fault.empty() ? 0 : refuse(ErrorCode::internal, fault);
}

// ---------------------------------------------------------------------------------------------------------------------
// Hosts that cut time as they like, and command with JSON; see docs/decisions/0028-page-engine.md

/// Returns memory for the samples of `frames` frames, at most 16384: those of each input, then those of each output, one
/// channel after the other. Returns 0 if `frames` is too large. Valid until the next call; any later command may move it.
RTA_EXPORT(rta_host_buffer) float* rta_host_buffer(PageEngine* instance, std::uint32_t frames) {
    if (frames > kLongestQuantum) return nullptr;
    // Without channels, the address is not 0 either.
    const std::size_t samples = std::max<std::size_t>(channel_count(*instance) * frames, 1);
    if (g_host_samples.size() < samples) g_host_samples.resize(samples);
    return g_host_samples.data();
}

/// Renders `frames` frames: reads inputs from, and writes outputs to, the memory of rta_host_buffer() for as many frames.
/// INVALID_ARGUMENT: that memory is smaller.
RTA_EXPORT(rta_process) std::uint32_t rta_process(PageEngine* instance, std::uint32_t frames) {
    if (frames > kLongestQuantum || channel_count(*instance) * frames > g_host_samples.size())
        return refuse(ErrorCode::invalid_argument, "rta_host_buffer() was not called for as many frames");
    float* const inputs = g_host_samples.data();
    float* const outputs = inputs + std::size_t{instance->device().inputs().count()} * frames;
    return instance->device().process(inputs, outputs, frames)
               ? 0
               : refuse(ErrorCode::internal, "the gate of the audio thread is closed");
}

/// Renders `frames` frames, at most 16384, of the engine that was created last, which captures silence, to `output`: one
/// channel after the other. Does nothing if no engine exists, or if they do not fit into the memory.
RTA_EXPORT(process_block) void process_block(float* output, std::uint32_t frames) {
    if (g_latest == nullptr || frames > kLongestQuantum) return;
    if (!has_samples(output, std::uint64_t{g_latest->device().outputs().count()} * frames)) return;
    static_cast<void>(g_latest->device().process(nullptr, output, frames));
}

/// Executes the command in rta_text(). Returns the length of the reply in rta_reply().
RTA_EXPORT(rta_execute) std::size_t rta_execute(PageEngine* instance) {
    g_reply = g_text_fits ? instance->execute(g_text)
                          : R"({"error":{"code":"INVALID_ARGUMENT","message":")" + std::string{kTextTooLong} + R"("}})";
    return g_reply.size();
}

/// Returns the length of the next event, in rta_reply(); 0: none now. Call it after each block until it returns 0.
RTA_EXPORT(rta_next_event) std::size_t rta_next_event(PageEngine* instance) {
    g_reply = instance->next_event();
    return g_reply.size();
}

/// Returns the reply or the event: UTF-8, not terminated.
RTA_EXPORT(rta_reply) const char* rta_reply() { return g_reply.data(); }
