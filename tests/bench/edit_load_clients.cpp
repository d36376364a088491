// SPDX-License-Identifier: MIT
// The part of edit_load_bench that measures a running daemon on the null device, through its socket.
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon_load.h"
#include "edit_load.h"

namespace rta::bench {
namespace {

using test::add_node;
using test::connect;
using test::Daemon;
using test::disconnect;
using test::ProtocolClient;
using test::remove_node;
using test::transaction;

using std::chrono::milliseconds;

constexpr double kFramesPerMs = 48.0;
constexpr double kRoundFrames = 480.0;
constexpr double kLevelDb = -6.0206;  ///< level of the sum of all sources

Daemon::Options with_block_size(std::uint32_t block_size) {
    Daemon::Options options = null_device();
    options.arguments.insert(options.arguments.end(), {"--block-size", std::to_string(block_size)});
    return options;
}

/// Runs `work` repeatedly on its own thread until the end of the scope. stop() rethrows its exception.
class Background {
 public:
    explicit Background(std::function<void()> work)
        : thread_{[this, work = std::move(work)] {
              try {
                  while (!stop_) work();
              } catch (...) {
                  error_ = std::current_exception();
              }
          }} {}
    ~Background() {
        stop_ = true;
        if (thread_.joinable()) thread_.join();
    }
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    void stop() {
        stop_ = true;
        thread_.join();
        if (error_) std::rethrow_exception(error_);
    }

 private:
    std::atomic<bool> stop_{false};
    std::exception_ptr error_;
    std::thread thread_;
};

/// Sends transactions without waiting for the responses of up to `depth` of them.
class Pipeline {
 public:
    Pipeline(ProtocolClient client, std::size_t depth) : client_{std::move(client)}, depth_{depth} {}

    void send(std::vector<v1::Edit> edits) {
        while (sent_.size() >= depth_) receive();
        v1::Request request = test::apply_request(transaction(std::move(edits)));
        request.set_id(next_id_++);
        sent_.push_back(Clock::now());
        client_.send(request);
    }
    void finish() {
        while (!sent_.empty()) receive();
    }

    /// "1000 OK, 2 RESOURCE_EXHAUSTED, answered within 3 / 4 / 5 ms"
    [[nodiscard]] std::string text() const {
        std::string text;
        for (const auto& [code, count] : codes_) text += std::to_string(count) + " " + v1::Code_Name(code) + ", ";
        return text + "answered within " + text_of(Percentiles{answer_ms_}, "ms", 1);
    }

 private:
    void receive() {
        const v1::Response response = client_.receive_response();
        ++codes_[response.status().code()];
        answer_ms_.push_back(ms_since(sent_.front()));
        sent_.erase(sent_.begin());
    }

    ProtocolClient client_;
    std::size_t depth_;
    std::vector<Clock::time_point> sent_;
    std::uint64_t next_id_ = 1'000;
    std::map<v1::Code, std::size_t> codes_;
    std::vector<double> answer_ms_;
};

/// Throws if the peak of the first device channel is not that of the constant.
void check_level(ProtocolClient client) {
    client.subscribe({v1::TOPIC_LEVELS}, 20.0F);
    std::optional<v1::Event> event;
    for (int i = 0; i < 3; ++i) event = client.next_event();
    if (!event || !event->has_levels()) throw std::runtime_error("no levels are received");
    const double peak_db = static_cast<double>(event->levels().outputs(0).peak_db());
    if (std::fabs(peak_db - kLevelDb) > 0.01) {
        throw std::runtime_error("the output has a peak of " + decimal(peak_db) + " dB instead of " +
                                 decimal(kLevelDb) + ": no times were measured");
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// inserts

constexpr std::size_t kChain = 100;

std::string gain_name(std::size_t index) { return "n" + std::to_string(index); }

/// Builds chains of gains from a constant to the output.
void build_chains(ProtocolClient& client, std::size_t count) {
    std::vector<v1::Edit> edits{add_node("output", "out"),
                                add_node("constant", "in", {{"value", 0.5F / static_cast<float>(count / kChain)}})};
    for (std::size_t i = 0; i < count; ++i) {
        edits.push_back(add_node("gain", gain_name(i)));
        edits.push_back(connect(i % kChain == 0 ? "in" : gain_name(i - 1), gain_name(i)));
        if (i % kChain == kChain - 1) edits.push_back(connect(gain_name(i), "out"));
    }
    client.apply(transaction(std::move(edits)));
    if (client.status().engine().node_count() != count + 2) throw std::runtime_error("nodes are missing");
}

std::uint64_t late_blocks(ProtocolClient& client) { return client.status().device().late_blocks(); }

struct Window {
    std::uint64_t late;  ///< late blocks
    double worst_load;   ///< load during the last second
};

Window watch(ProtocolClient& client, const std::function<void()>& during) {
    const std::uint64_t before = late_blocks(client);
    during();
    const v1::StatusResult status = client.status();
    return {status.device().late_blocks() - before, static_cast<double>(status.load().worst())};
}

/// Splits a connection in the middle of each of the first `count` chains, one every 100 ms.
void insert_live(ProtocolClient& client, std::size_t count, std::vector<double>& answers_ms) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::string from = gain_name(i * kChain + kChain / 2);
        const std::string to = gain_name(i * kChain + kChain / 2 + 1);
        const std::string name = "x" + std::to_string(i);
        const auto begin = Clock::now();
        client.apply(
            transaction({add_node("gain", name), disconnect(from, to), connect(from, name), connect(name, to)}));
        answers_ms.push_back(ms_since(begin));
        std::this_thread::sleep_until(begin + milliseconds{100});
    }
}

void remove_inserted(ProtocolClient& client, std::size_t count) {
    std::vector<v1::Edit> edits;
    for (std::size_t i = 0; i < count; ++i) {
        edits.push_back(remove_node("x" + std::to_string(i)));
        edits.push_back(connect(gain_name(i * kChain + kChain / 2), gain_name(i * kChain + kChain / 2 + 1)));
    }
    client.apply(transaction(std::move(edits)));
    std::this_thread::sleep_for(milliseconds{500});
}

/// Starts a daemon with the smallest block size at which the load of the graph is below one half.
std::unique_ptr<Daemon> start_below_half(std::size_t nodes) {
    for (std::uint32_t block_size = 64;; block_size *= 2) {
        auto daemon = std::make_unique<Daemon>(with_block_size(block_size));
        ProtocolClient client = daemon->client();
        build_chains(client, nodes);
        std::this_thread::sleep_for(milliseconds{2'500});
        const v1::StatusResult status = client.status();
        print_figure("blocks of " + std::to_string(block_size) + " frames: load, mean / p99 / worst",
                     decimal(static_cast<double>(status.load().mean())) + " / " +
                         decimal(static_cast<double>(status.load().p99())) + " / " +
                         decimal(static_cast<double>(status.load().worst())),
                     status.realtime().scheduling());
        if (status.load().mean() < 0.5F || block_size == 1'024) return daemon;
    }
}

}  // namespace

void measure_inserts(const Load& load) {
    constexpr int kPairs = 5;
    constexpr std::size_t kInserts = 20;
    const std::size_t nodes = load.quick ? 3'000 : 30'000;
    const int pairs = load.quick ? 1 : kPairs;
    print_title(std::to_string(nodes) + " nodes in a running daemon, " + std::to_string(kInserts) +
                " inserts, at most one every 100 ms");
    const auto daemon = start_below_half(nodes);
    ProtocolClient client = daemon->client();
    check_level(daemon->client());
    std::array<std::uint64_t, 2> sums{};
    std::vector<double> answers_ms;
    for (int pair = 0; pair < pairs; ++pair) {
        const auto begin = Clock::now();
        const Window inserts = watch(client, [&] {
            insert_live(client, kInserts, answers_ms);
            std::this_thread::sleep_for(milliseconds{500});
        });
        const auto length = Clock::now() - begin;
        remove_inserted(client, kInserts);
        const Window quiet = watch(client, [&] { std::this_thread::sleep_for(length); });
        sums[0] += quiet.late;
        sums[1] += inserts.late;
        print_figure(
            "pair " + std::to_string(pair + 1) + ", " + decimal(std::chrono::duration<double>(length).count(), 1) +
                " s each: late blocks, quiet / inserts",
            std::to_string(quiet.late) + " / " + std::to_string(inserts.late),
            "worst load of the last second " + decimal(quiet.worst_load) + " / " + decimal(inserts.worst_load));
    }
    check_level(daemon->client());
    print_figure("sum of late blocks, quiet / inserts", std::to_string(sums[0]) + " / " + std::to_string(sums[1]),
                 "wanted <= " + decimal(1.2 * static_cast<double>(sums[0]) + 3.0, 1));
    print_figure("answer to an insert, p50 / p99 / max", text_of(Percentiles{answers_ms}, "ms", 1));
}

// ---------------------------------------------------------------------------------------------------------------------
// clients

namespace {

/// Graph of three independent parts: a compressor that one client rebuilds, a gain that another one mutes, and a sum to
/// which a third adds nodes.
void build_parts(ProtocolClient& client, float look_ahead_ms) {
    v1::Edit compressor = add_node("compressor", "a_compressor", {}, {{"look_ahead_ms", look_ahead_ms}});
    client.apply(
        transaction({add_node("constant", "a_source"), std::move(compressor),
                     add_node("output", "a_out", {}, {{"first_channel", 2}}), connect("a_source", "a_compressor"),
                     connect("a_compressor", "a_out"), add_node("constant", "b_source", {{"value", 0.5F}}),
                     add_node("gain", "b_gain"), add_node("output", "b_out"), connect("b_source", "b_gain"),
                     connect("b_gain", "b_out"), add_node("constant", "c_source"),
                     add_node("output", "c_out", {}, {{"first_channel", 2}}), connect("c_source", "c_out")}));
}

v1::Edit set_look_ahead(float ms) {
    v1::Edit edit;
    edit.mutable_change_settings()->set_node("a_compressor");
    (*edit.mutable_change_settings()->mutable_settings()->mutable_fields())["look_ahead_ms"].set_number_value(
        static_cast<double>(ms));
    return edit;
}

/// Rebuilds the compressor every 3 ms.
class LookAheadEditor {
 public:
    explicit LookAheadEditor(const Daemon& daemon)
        : pipeline_{daemon.client("look-ahead"), 32}, background_{[this, count = 0]() mutable {
              pipeline_.send({set_look_ahead(count++ % 2 == 0 ? 49.0F : 50.0F)});
              next_ += milliseconds{3};
              next_ = std::max(next_, Clock::now() - milliseconds{3});
              std::this_thread::sleep_until(next_);
          }} {}
    [[nodiscard]] std::string stop() {
        background_.stop();
        pipeline_.finish();
        return pipeline_.text();
    }

 private:
    Pipeline pipeline_;
    Clock::time_point next_ = Clock::now();
    Background background_;
};

/// Adds nodes between two others; removes each again after `kept` further nodes.
class NodeEditor {
 public:
    NodeEditor(const Daemon& daemon, const std::string& name, std::size_t kept)
        : pipeline_{daemon.client(name), 8}, background_{[this, name, kept, count = std::size_t{0}]() mutable {
              const std::string node = name + "_" + std::to_string(count);
              std::vector<v1::Edit> edits{add_node("gain", node), connect("c_source", node), connect(node, "c_out")};
              if (count >= kept) edits.push_back(remove_node(name + "_" + std::to_string(count - kept)));
              pipeline_.send(std::move(edits));
              ++count;
          }} {}
    [[nodiscard]] std::string stop() {
        background_.stop();
        pipeline_.finish();
        return pipeline_.text();
    }

 private:
    Pipeline pipeline_;
    Background background_;
};

class MeasuredClient {
 public:
    MeasuredClient(const Daemon& daemon, std::size_t count, std::uint32_t seed)
        : daemon_{daemon}, count_{count}, random_{seed} {}

    void mute_by_parameter() {
        ProtocolClient client = daemon_.client("measured");
        std::vector<double> answers_ms;
        for (std::size_t i = 0; i < count_; ++i) {
            pause();
            const auto begin = Clock::now();
            client.set_parameter("b_gain", "mute", i % 2 == 0 ? 1.0F : 0.0F);
            answers_ms.push_back(ms_since(begin));
        }
        print_figure("  mute by SetParameters: answer, p50 / p99 / max", text_of(Percentiles{answers_ms}, "ms"),
                     "p99 wanted <= 50 ms");
    }

    /// The response arrives when the change starts.
    void mute_by_transaction() {
        ProtocolClient client = daemon_.client("measured");
        std::vector<double> answers_ms;
        std::map<v1::Code, std::size_t> refused;
        for (std::size_t i = 0; i < count_; ++i) {
            pause();
            v1::Request request =
                test::apply_request(transaction({test::set_parameter("b_gain", "mute", i % 2 == 0 ? 1.0F : 0.0F)}));
            request.mutable_apply_transaction()->set_wait_for_start(true);
            const auto begin = Clock::now();
            const v1::Response response = client.call(std::move(request));
            answers_ms.push_back(ms_since(begin));
            if (response.status().code() != v1::OK) ++refused[response.status().code()];
        }
        print_figure("  mute by transaction, when it starts, p50 / p99 / max", text_of(Percentiles{answers_ms}, "ms"),
                     "p99 wanted <= 50 ms" + text_of_codes(refused));
    }

    /// Requests the frame before and after each transaction, in one write.
    void reconnect() {
        ProtocolClient client = daemon_.client("measured");
        client.subscribe();
        std::vector<double> answers_ms;
        std::vector<double> room_ms;
        std::vector<double> starts_ms;
        std::vector<double> of_promise;
        std::size_t late = 0;
        std::size_t broken = 0;
        double promised_ms = 0.0;
        std::map<v1::Code, std::size_t> refused;
        for (std::size_t i = 0; i < count_; ++i) {
            pause();
            const v1::Edit edit = i % 2 == 0 ? disconnect("b_source", "b_gain") : connect("b_source", "b_gain");
            v1::Request ask;
            ask.mutable_get_status();
            const auto begin = Clock::now();
            client.send_bytes(test::delimited(ask) + test::delimited(test::apply_request(transaction({edit}))) +
                              test::delimited(ask));
            const double before = frame_of(client.receive_response());
            const v1::Response response = client.receive_response();
            answers_ms.push_back(ms_since(begin));
            const double after = frame_of(client.receive_response());
            if (response.status().code() != v1::OK) {
                ++refused[response.status().code()];
                ++i;  // skip the reverse edit, which would be refused, too
                continue;
            }
            const v1::TransactionResult& result = response.apply_transaction();
            const double heard = await_heard(client, result.revision());
            const double promised = result.starts_within_ms();
            room_ms.push_back((after - before) / kFramesPerMs);
            starts_ms.push_back((heard - before) / kFramesPerMs);
            promised_ms = std::max(promised_ms, promised);
            // Without a promise, the transaction starts with the next block.
            if (heard - after > promised * kFramesPerMs + 64.0) ++broken;
            if (heard - before > kRoundFrames + 2.0 * 64.0) ++late;
        }
        print_figure("  disconnect or connect: answer, p50 / p99 / max", text_of(Percentiles{answers_ms}, "ms"),
                     "p99 wanted <= 50 ms" + text_of_codes(refused));
        print_figure("    from the request to the commit (room)", text_of(Percentiles{room_ms}, "ms"));
        print_figure(
            "    from the request to the start", text_of(Percentiles{starts_ms}, "ms"),
            "wanted <= 12.67 ms: " + std::to_string(late) + " of " + std::to_string(starts_ms.size()) + " are later");
        print_figure("    starts_within_ms, at most", decimal(promised_ms, 0) + " ms",
                     "exceeded by " + std::to_string(broken) + " starts; wanted 0");
    }

    [[nodiscard]] static std::string text_of_codes(const std::map<v1::Code, std::size_t>& codes) {
        std::string text;
        for (const auto& [code, count] : codes)
            text += "; REFUSED: " + std::to_string(count) + " " + v1::Code_Name(code);
        return text;
    }

 private:
    void pause() {
        std::this_thread::sleep_for(
            std::chrono::microseconds{std::uniform_int_distribution<int>{20'000, 40'000}(random_)});
    }
    [[nodiscard]] static double frame_of(const v1::Response& response) {
        return static_cast<double>(response.get_status().engine().frame());
    }
    [[nodiscard]] static double await_heard(ProtocolClient& client, std::uint64_t revision) {
        for (;;) {
            const auto event = client.next_event();
            if (!event) throw std::runtime_error("a transaction is never heard");
            if (event->has_transaction_heard() && event->transaction_heard().revision() == revision)
                return static_cast<double>(event->transaction_heard().frame());
        }
    }

    const Daemon& daemon_;
    std::size_t count_;
    std::mt19937 random_;
};

}  // namespace

void measure_clients(const Load& load) {
    print_title("One client, while others edit other parts of the graph");
    for (const bool look_ahead : {false, true}) {
        for (const bool nodes : {false, true}) {
            const Daemon daemon{null_device()};
            ProtocolClient client = daemon.client();
            build_parts(client, 50.0F);
            std::this_thread::sleep_for(milliseconds{200});
            check_level(daemon.client());
            std::optional<LookAheadEditor> look_ahead_editor;
            std::optional<NodeEditor> node_editor;
            if (look_ahead) look_ahead_editor.emplace(daemon);
            if (nodes) node_editor.emplace(daemon, "nodes", 1);
            print_figure(std::string{look_ahead && nodes ? "look-ahead every 3 ms, and nodes 8 requests deep"
                                     : look_ahead        ? "look-ahead of a compressor every 3 ms"
                                     : nodes             ? "nodes added and removed, 8 requests deep"
                                                         : "no other client"},
                         "");
            const std::uint64_t late = late_blocks(client);
            MeasuredClient measured{daemon, load.of(200), load.seed};
            measured.mute_by_parameter();
            measured.mute_by_transaction();
            measured.reconnect();
            const v1::StatusResult status = client.status();
            print_figure("  late blocks; plans alive", std::to_string(status.device().late_blocks() - late) + "; " +
                                                           std::to_string(status.engine().plans_alive()));
            if (look_ahead_editor) print_figure("  look-ahead edits", "", look_ahead_editor->stop());
            if (node_editor) print_figure("  node edits", "", node_editor->stop());
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// panic

void measure_panic(const Load& load) {
    constexpr std::size_t kClients = 4;
    print_title("A panic while 4 clients add nodes, 8 requests deep");
    const Daemon daemon{null_device()};
    ProtocolClient client = daemon.client();
    build_parts(client, 0.0F);  // after a panic, the output stays silent until look-ahead is filled
    std::vector<std::unique_ptr<NodeEditor>> editors;
    for (std::size_t i = 0; i < kClients; ++i)
        editors.push_back(std::make_unique<NodeEditor>(daemon, "nodes" + std::to_string(i), 2'000));
    std::vector<double> panics_ms;
    std::vector<double> unmutes_ms;
    for (std::size_t i = 0; i < load.of(20); ++i) {
        std::this_thread::sleep_for(milliseconds{250});
        const std::uint32_t nodes = client.status().engine().node_count();
        const auto call = [&](v1::Request request, std::vector<double>& times) {
            const auto begin = Clock::now();
            const v1::Response response = client.call(std::move(request));
            times.push_back(ms_since(begin));
            if (response.status().code() != v1::OK) throw std::runtime_error(response.status().message());
        };
        v1::Request panic;
        panic.mutable_panic();
        call(std::move(panic), panics_ms);
        if (!client.status().engine().output_muted()) throw std::runtime_error("a panic does not mute");
        v1::Request unmute;
        unmute.mutable_mute_output()->set_muted(false);
        call(std::move(unmute), unmutes_ms);
        if (client.status().engine().output_muted()) throw std::runtime_error("unmute does not unmute");
        print_figure("panic of " + std::to_string(nodes) + " nodes / unmute",
                     decimal(panics_ms.back()) + " / " + decimal(unmutes_ms.back()) + " ms");
    }
    print_figure("panic, p50 / p99 / max", text_of(Percentiles{panics_ms}, "ms"));
    print_figure("unmute, p50 / p99 / max", text_of(Percentiles{unmutes_ms}, "ms"), "p99 wanted <= 50 ms");
    for (const auto& editor : editors) print_figure("  node edits", "", editor->stop());
    std::this_thread::sleep_for(milliseconds{500});
    check_level(daemon.client());
}

}  // namespace rta::bench
