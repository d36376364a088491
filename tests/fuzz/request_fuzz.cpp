// SPDX-License-Identifier: MIT
// For all bytes that a client sends while blocks are rendered: every request is answered once and in order, every
// response and event can be parsed, and the graph can be restored from its own document.
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "api/dispatcher.h"
#include "api/list_limits.h"
#include "dsp/audio_buffer.h"
#include "engine/engine.h"
#include "engine/renderer.h"
#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"
#include "text/utf8.h"

namespace {

using namespace rta;

void require(bool condition, const char* promise, const std::string& detail = {}) {
    if (condition) return;
    std::fprintf(stderr, "broken: %s\n%s\n", promise, detail.c_str());
    std::abort();
}

/// Nodes of the graph that plays before the first request.
#ifndef RTA_FUZZ_NODES
#define RTA_FUZZ_NODES 0
#endif

class QuietDaemon final : public api::DaemonAccess {
 public:
    [[nodiscard]] DeviceStatus device_status() const override { return {}; }
    [[nodiscard]] LoadStatus load_status() const override { return {}; }
    [[nodiscard]] RealtimeStatus realtime_status() const override { return {}; }
    void list_devices(std::function<void(std::vector<DeviceInfo>)> done) override { done({}); }
    void set_device(std::optional<std::string>, std::function<void(Expected<void>)> done) override { done({}); }
};

class WorkersAtOnce final : public api::Workers {
 public:
    void start(Lane, std::function<void()> work, std::function<void()> done) override {
        work();
        done();
    }
};

/// A daemon without sockets, with two clients: one sends the bytes, the other has subscribed and only receives.
class Daemon {
 public:
    Daemon() {
        v1::Request hello;
        hello.mutable_hello()->set_protocol_version(1);
        v1::Request subscribe;
        subscribe.mutable_subscribe()->add_topics(v1::TOPIC_CHANGES);
        play_chain(RTA_FUZZ_NODES);
        for (const auto& client : {author_, listener_}) client->receive(hello.SerializeAsString());
        listener_->receive(subscribe.SerializeAsString());
        drain(*author_);
        drain(*listener_);
    }

    /// Returns false when the client has been refused or disconnected.
    bool receive(std::string_view payload) {
        v1::Request request;
        const bool readable = api::check_wire(payload).verdict != api::WireCheck::Verdict::malformed &&
                              request.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
        unanswered_.push_back(readable ? request.id() : 0);
        while (!author_->wants_more()) block();
        author_->receive(payload);
        drain(*author_);
        return readable;
    }

    void block() {
        {
            const auto claim = engine_.gate().try_claim(generation_);
            engine_.renderer().render(claim.key(), {inputs_.read(), outputs_.write()});
        }
        for (std::uint32_t channel = 0; channel < 2; ++channel) {
            for (const float sample : outputs_.read().channel(channel)) {
                require(std::isfinite(sample), "the output is finite");
            }
        }
        now_ += std::chrono::milliseconds{1};
        dispatcher_.tick();
        drain(*author_);
        drain(*listener_);
    }

    void finish() {
        int blocks = 0;
        do {
            require(blocks++ < 10'000, "every request is answered");
            block();
        } while (!unanswered_.empty());
        require(event_number_ == dispatcher_.hub().number(), "every change is told");
        const std::string text = write_document(engine_.graph().document());
        const auto document = read_document(text);
        require(document.has_value(), "the graph can be written down", text);
        Engine other{builtin_nodes(), {}};
        Transaction transaction;
        transaction.edits.emplace_back(ReplaceGraph{*document});
        auto prepared = other.prepare(std::move(transaction));
        require(prepared.has_value(), "the graph can be built again", text);
        require(other.commit(*prepared).has_value(), "the graph can be built again", text);
        require(write_document(other.graph().document()) == text, "the graph is what its document says", text);
    }

 private:
    /// Plays a sine through this many gains.
    void play_chain(int count) {
        if (count == 0) return;
        Transaction transaction;
        const auto name = [](int i) { return "chain" + std::to_string(i); };
        transaction.edits.emplace_back(AddNode{"sine", name(0), {}, {}, {}});
        for (int i = 1; i < count; ++i) {
            transaction.edits.emplace_back(AddNode{i + 1 == count ? "output" : "gain", name(i), {}, {}, {}});
            transaction.edits.emplace_back(Connect{name(i - 1), name(i), {}});
        }
        auto prepared = engine_.prepare(std::move(transaction));
        require(prepared && engine_.commit(*prepared), "the chain can be played");
    }

    void drain(api::Client& client) {
        FrameDecoder decoder;
        while (!client.outbox().empty()) {
            const auto chunks = client.outbox().take(1);
            for (const auto& chunk : chunks) decoder.feed(chunk.bytes());
            client.outbox().sent(chunks);
            client.output_drained();
        }
        while (true) {
            const auto frame = decoder.next();
            require(frame.has_value(), "answers come in frames");
            if (!*frame) break;
            v1::ServerMessage message;
            require(message.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size())),
                    "every answer can be read");
            take(message, &client == author_.get());
        }
        require(decoder.buffered() == 0, "answers come in whole frames");
    }

    void take(const v1::ServerMessage& message, bool from_author) {
        if (message.has_event()) {
            if (from_author) return;  // it may have subscribed, from any number on
            require(message.event().number() == ++event_number_, "numbers have no gap");
            return;
        }
        require(message.has_response(), "a message is an answer or an event");
        const v1::Status& status = message.response().status();
        require(status.code() == v1::OK || !status.message().empty(), "a refusal says why");
        require(status.code() != v1::INTERNAL, "nothing is INTERNAL", status.message());
        require(first_invalid_utf8(status.message()) == status.message().size(), "a sentence is UTF-8");
        if (!from_author || unanswered_.empty()) return;
        require(message.response().id() == unanswered_.front(), "answers come in order");
        unanswered_.pop_front();
    }

    api::TimePoint now_{};
    Engine engine_{builtin_nodes(), {}};
    QuietDaemon host_;
    WorkersAtOnce workers_;
    api::Dispatcher dispatcher_{engine_, host_, workers_, [this] { return now_; }};
    std::shared_ptr<api::Client> author_ = dispatcher_.connect();
    std::shared_ptr<api::Client> listener_ = dispatcher_.connect();
    AudioBuffer inputs_{0, 64};
    AudioBuffer outputs_{2, 64};
    AudioThreadGate::Generation generation_ = engine_.gate().start_generation();
    std::deque<std::uint64_t> unanswered_;
    std::uint64_t event_number_ = 0;
};

}  // namespace

/// Defined by libFuzzer; not called when the corpus is only replayed.
extern "C" [[gnu::weak]] std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t capacity);

/// Mutates one request and corrects its length, so that mostly requests are tested rather than malformed frames, which
/// frame_fuzz covers.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t capacity,
                                               unsigned int seed) {
    std::vector<std::string> frames;
    FrameDecoder decoder;
    decoder.feed({reinterpret_cast<const char*>(data), size});
    while (true) {
        const auto frame = decoder.next();
        if (!frame || !*frame) break;
        frames.emplace_back(**frame);
    }
    if (frames.empty() || seed % 16 == 0) return LLVMFuzzerMutate(data, size, capacity);

    // Sometimes duplicates or removes a request.
    const std::size_t chosen = (seed >> 8U) % frames.size();
    if (seed % 16 == 1) {
        frames.push_back(frames[chosen]);
    } else if (seed % 16 == 2) {
        frames.erase(frames.begin() + static_cast<std::ptrdiff_t>(chosen));
    } else {
        std::string& frame = frames[chosen];
        const std::size_t old_size = frame.size();
        frame.resize(old_size + 64);
        frame.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(frame.data()), old_size, frame.size()));
    }
    std::string stream;
    for (const std::string& frame : frames) append_frame(stream, frame);
    if (stream.size() > capacity) return LLVMFuzzerMutate(data, size, capacity);
    std::ranges::copy(stream, data);
    return stream.size();
}

/// The input is a stream of frames, as received from a socket.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    google::protobuf::SetLogHandler(nullptr);
    Daemon daemon;
    FrameDecoder decoder;
    decoder.feed({reinterpret_cast<const char*>(data), size});
    for (std::size_t count = 0;; ++count) {
        const auto frame = decoder.next();
        if (!frame || !*frame || !daemon.receive(**frame)) break;
        if (count % 3 == 2) daemon.block();
    }
    daemon.finish();
    return 0;
}
