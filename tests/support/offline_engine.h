// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "dsp/audio_buffer.h"
#include "engine/engine.h"
#include "engine/renderer.h"
#include "graph/document_values.h"
#include "rt/audio_thread.h"

namespace rta::test {

/// Engine without an audio thread: renders each block when the test requests it, and records the output.
class OfflineEngine : private Engine::Observer {
 public:
    explicit OfflineEngine(const EngineConfig& config = {}, const NodeRegistry& registry = builtin_nodes(),
                           std::uint32_t channels_out = 2, std::uint32_t channels_in = 0)
        : engine{registry, config},
          inputs{channels_in, config.block_size},
          outputs_{channels_out, config.block_size},
          recorded(channels_out),
          generation_{engine.gate().start_generation()} {}

    /// Renders one block and polls the engine.
    void render_block() {
        {
            const auto claim = engine.gate().try_claim(generation_);
            ASSERT_TRUE(claim);
            engine.renderer().render(claim.key(), {inputs.read(), outputs_.write()});
        }
        for (std::uint32_t c = 0; c < recorded.size(); ++c) {
            const auto samples = outputs_.read().channel(c);
            recorded[c].insert(recorded[c].end(), samples.begin(), samples.end());
        }
        if (polls) engine.poll(*this);
    }
    void render_blocks(std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i) render_block();
    }
    /// Renders until all fades have ended and the engine has nothing more to send.
    void settle() {
        for (int i = 0; i < 200'000; ++i) {  // a glide takes up to 1 s
            render_block();
            if (!engine.outstanding()) return;
        }
        FAIL() << "the engine does not settle";
    }
    void poll() { engine.poll(*this); }

    Expected<Ticket> apply(std::vector<Edit> edits, float gain_ramp_ms = 0.0F) {
        Transaction transaction{std::move(edits)};
        transaction.gain_ramp_ms = gain_ramp_ms;
        auto prepared = prepare(std::move(transaction));
        if (!prepared) return std::unexpected(prepared.error());
        for (;;) {
            auto ticket = engine.commit(*prepared);
            if (ticket || ticket.error().code != ErrorCode::aborted) return ticket;
            if (auto built = engine.build(*prepared); !built) return std::unexpected(built.error());
        }
    }
    /// Applies edits, which must succeed. While the engine has no room for them, retries after each block, as the
    /// daemon does.
    void edit(const std::vector<Edit>& edits) {
        for (int i = 0; i < 10'000; ++i) {
            const auto ticket = apply(edits);
            if (ticket) return;
            const bool full = ticket.error().code == ErrorCode::resource_exhausted && !ticket.error().edit_index;
            ASSERT_TRUE(full) << ticket.error().sentence;
            render_block();
            poll();
        }
        FAIL() << "the engine never has room";
    }
    void load(std::string_view document) {
        auto loaded = load_document(document, engine.registry(), engine.config().sample_rate_hz);
        ASSERT_TRUE(loaded) << loaded.error().sentence;
        edit({ReplaceGraph{std::move(loaded->document)}});
    }
    /// Builds new processors immediately and sends them.
    Expected<Ticket> reset() { return complete(engine.start_reset()); }
    static Expected<Ticket> complete(EngineReset reset) {
        if (auto outcome = reset.try_complete()) return std::move(*outcome);
        return fail(ErrorCode::resource_exhausted, "the reset does not complete");
    }
    [[nodiscard]] std::uint64_t frame() const { return engine.renderer().frames(); }

    Engine engine;
    AudioBuffer inputs;
    bool polls = true;
    /// Transactions are prepared like large ones, each with a snapshot from before the previous one was committed.
    bool with_snapshots = false;

 private:
    Expected<PreparedTransaction> prepare(Transaction transaction) {
        if (!with_snapshots) return engine.prepare(std::move(transaction));
        const SharedGraphSnapshot now = engine.snapshot();
        const SharedGraphSnapshot earlier = std::exchange(snapshot_, now);
        if (earlier != nullptr) {
            if (auto prepared = engine.prepare(transaction, earlier)) return prepared;
        }
        return engine.prepare(std::move(transaction), now);  // an error for the earlier graph need not be one now
    }

    AudioBuffer outputs_;
    SharedGraphSnapshot snapshot_;

 public:
    std::vector<std::vector<float>> recorded;                                 ///< channels x all frames so far
    std::vector<std::pair<std::uint64_t, std::uint64_t>> applications;        ///< serial, frame
    std::vector<std::pair<std::uint64_t, std::uint64_t>> transactions_heard;  ///< revision, frame
    std::vector<std::string> faults;
    std::vector<std::uint64_t> device_fades;

 private:
    void applied(std::uint64_t serial, std::uint64_t frame) override { applications.emplace_back(serial, frame); }
    void transaction_heard(std::uint64_t revision, std::uint64_t frame) override {
        transactions_heard.emplace_back(revision, frame);
    }
    void node_faulted(const std::string& node, std::uint64_t) override { faults.push_back(node); }
    void device_faded(std::uint64_t frame) override { device_fades.push_back(frame); }

    AudioThreadGate::Generation generation_;
};

}  // namespace rta::test
