// SPDX-License-Identifier: MIT
// The commands as a user enters them.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <thread>

#include "recorded_daemon.h"
#include "rtactl/commands/commands.h"
#include "support/avahi_machine.h"
#include "support/daemon.h"
#include "support/json.h"

namespace rta::test {
namespace {

constexpr ExitStatus kDone{0, 0};
constexpr ExitStatus kRefused{1, 0};
constexpr ExitStatus kUsage{2, 0};
constexpr ExitStatus kCannotConnect{3, 0};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream{text};
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

/// Returns a document without the lines that say where it was saved.
std::string without_origin(const std::string& document) {
    std::string text;
    for (const std::string& line : lines_of(document)) {
        if (!line.starts_with("  \"revision\": ") && !line.starts_with("  \"instance\": ")) text += line + "\n";
    }
    return text;
}

class Rtactl : public testing::Test {
 protected:
    RunResult ctl(std::vector<std::string> arguments, std::string_view input = {}) {
        return daemon_.ctl(std::move(arguments), input);
    }
    /// Runs rtactl, which must succeed; returns its output.
    std::string done(std::vector<std::string> arguments, std::string_view input = {}) {
        const std::string command = arguments.front();
        const RunResult result = ctl(std::move(arguments), input);
        EXPECT_EQ(result.status, kDone) << command << ": " << result.error;
        EXPECT_EQ(result.error, "") << command;
        return result.output;
    }
    /// Runs rtactl, which must fail with one sentence on stderr; returns the sentence.
    std::string refused(std::vector<std::string> arguments, const ExitStatus& status = kRefused) {
        const std::string command = arguments.front();
        const RunResult result = ctl(std::move(arguments));
        EXPECT_EQ(result.status, status) << command << ": " << result.error;
        EXPECT_EQ(result.output, "") << command;
        EXPECT_EQ(lines_of(result.error).size(), 1U) << result.error;
        return result.error;
    }
    std::uint64_t revision() { return client_.status().engine().revision(); }

    TemporaryDirectory tokens_;
    Daemon daemon_{{.arguments = {"--device", "null", "--tokens", tokens_ / "tokens", "--web", "127.0.0.1:0"}}};
    ProtocolClient client_ = daemon_.client("checker");
};

TEST_F(Rtactl, PlaysAChainAndChangesIt) {
    done({"play", "sine:frequency_hz=440", "gain:gain_db=-12"});
    EXPECT_EQ(done({"get", "sine.frequency_hz"}), "sine.frequency_hz = 440 Hz\n");
    EXPECT_EQ(done({"get", "gain.gain_db"}), "gain.gain_db = -12 dB\n");
    EXPECT_EQ(done({"get", "output.channels"}), "output.channels = 2\n") << "as wide as the device";
    done({"set", "sine.frequency_hz=2kHz", "gain.gain_db=-6dB", "--ramp", "100"});
    EXPECT_EQ(done({"get", "sine.frequency_hz"}), "sine.frequency_hz = 2000 Hz\n");
    done({"play", "--add", "sine:frequency_hz=660,gain_db=-30dB"});
    EXPECT_EQ(done({"get", "sine_2.frequency_hz"}), "sine_2.frequency_hz = 660 Hz\n");
    EXPECT_EQ(client_.graph().graph().nodes_size(), 5);
    done({"play", "sine"});
    EXPECT_EQ(client_.graph().graph().nodes_size(), 2) << "replaces what was there";
}

TEST_F(Rtactl, UndoesWhatHasReplacedTheGraph) {
    done({"play", "sine", "gain", "delay_line", "biquad_filter", "equalizer", "soft_clip", "meter", "limiter"});
    done({"set", "gain.gain_db=-12dB", "equalizer.bands=3"});
    const std::string nine = done({"graph", "show"});
    ASSERT_EQ(client_.graph().graph().nodes_size(), 9);
    done({"play", "noise"});
    ASSERT_EQ(client_.graph().graph().nodes_size(), 2);
    const std::string undone = done({"undo"});
    EXPECT_TRUE(has(undone, ": revision ")) << undone;
    EXPECT_EQ(done({"graph", "show"}), nine);
    EXPECT_EQ(lines_of(done({"history", "1"})).size(), 2U);
    EXPECT_TRUE(has(done({"redo"}), "applied step"));
    EXPECT_EQ(client_.graph().graph().nodes_size(), 2);
    done({"graph", "clear"});
    done({"undo", "2"});
    EXPECT_EQ(done({"graph", "show"}), nine);
    EXPECT_TRUE(has(refused({"redo", "3"}), "there are only 2 steps"));
    EXPECT_FALSE(has(done({"play", "sine"}), "undo")) << "only on a terminal";
}

TEST_F(Rtactl, EditsOneByOne) {
    done({"add", "sine", "osc", "frequency_hz=220"});
    done({"add", "gain", "vol", "gain_db=-3", "channels=2"});
    done({"add", "output", "out", "channels=2"});
    done({"connect", "osc", "vol"});
    done({"connect", "vol:out", "out:in", "gain_db=-6"});
    EXPECT_EQ(revision(), 5U);
    const v1::Graph graph = client_.graph().graph();
    ASSERT_EQ(graph.connections_size(), 2);
    EXPECT_EQ(done({"get", "vol.channels"}), "vol.channels = 2\n");
    done({"disconnect", "osc", "vol"});
    EXPECT_EQ(client_.graph().graph().connections_size(), 1);
    done({"remove", "osc", "vol"});
    EXPECT_EQ(client_.graph().graph().nodes_size(), 1);
    EXPECT_EQ(revision(), 7U) << "remove of two nodes is one transaction";
    done({"graph", "clear"});
    EXPECT_EQ(client_.graph().graph().nodes_size(), 0);
}

TEST_F(Rtactl, LooksAround) {
    const std::string status = done({"status"});
    EXPECT_TRUE(has(status, "null")) << status;
    EXPECT_TRUE(has(status, "48000")) << status;
    const std::string types = done({"types"});
    for (const char* type : {"sine", "gain", "input", "output", "constant", "impulse"})
        EXPECT_TRUE(has(types, type)) << types;
    const std::string sine = done({"types", "sine"});
    EXPECT_TRUE(has(sine, "frequency_hz")) << sine;
    EXPECT_TRUE(has(sine, "Hz")) << sine;
    EXPECT_TRUE(has(sine, "channels")) << sine;
    done({"devices"});
    EXPECT_TRUE(has(done({"--version"}), "rtactl "));
    EXPECT_TRUE(has(done({"--help"}), "graph load"));
    EXPECT_TRUE(has(done({"set", "--help"}), "--ramp"));
}

TEST_F(Rtactl, RefusalsAreOneSentenceAndStatusOne) {
    EXPECT_TRUE(has(refused({"remove", "ghost"}), "ghost"));
    EXPECT_TRUE(has(refused({"add", "sinus", "osc"}), "sinus"));
    EXPECT_TRUE(has(refused({"get", "ghost"}), "ghost"));
    EXPECT_TRUE(has(refused({"types", "sinus"}), "sinus"));
    done({"add", "gain", "a"});
    EXPECT_TRUE(has(refused({"add", "gain", "a"}), "a"));
    EXPECT_TRUE(has(refused({"connect", "a", "a"}), "a"));
    EXPECT_TRUE(has(refused({"set", "a.gain_db=99"}), "99"));
    EXPECT_EQ(revision(), 1U);
}

TEST_F(Rtactl, UsageErrorsAreStatusTwo) {
    refused({"frobnicate"}, kUsage);
    refused({"add", "sine"}, kUsage);
    refused({"set", "osc"}, kUsage);
    refused({"status", "--no-such-flag"}, kUsage);
    refused({"--host", "somewhere", "status"}, kUsage);  // conflicts with --socket
    done({"add", "sine", "osc"});
    refused({"set", "osc.gain_db=loud"}, kUsage);
    EXPECT_TRUE(has(refused({"set", "osc.channels=2", "osc.channels=3"}, kUsage), "\"osc.channels\" is given twice"));
    EXPECT_TRUE(has(refused({"set", "osc.gain_db=-6", "--ramp", "99999999"}, kUsage), "\"99999999\" is out of range"));
}

TEST_F(Rtactl, AloneItPrintsASummary) {
    const std::string empty = ctl({}).output;
    EXPECT_TRUE(has(empty, "0 nodes, 0 connections")) << empty;
    EXPECT_TRUE(has(empty, "rtactl play sine")) << empty;
    done({"play", "sine", "gain"});
    const RunResult playing = ctl({});
    EXPECT_EQ(playing.status, kDone);
    EXPECT_EQ(playing.error, "");
    EXPECT_TRUE(has(playing.output, "3 nodes, 2 connections")) << playing.output;
    EXPECT_FALSE(has(playing.output, "rtactl play")) << playing.output;
    EXPECT_EQ(run({rtactl_program().string(), {"--socket", "/nonexistent"}}).status, kCannotConnect);
}

TEST_F(Rtactl, NoDaemonIsStatusThree) {
    const TemporaryDirectory directory;
    const RunResult socket =
        run({rtactl_program().string(), {"--socket", (directory / "none.sock").string(), "status"}});
    EXPECT_EQ(socket.status, kCannotConnect);
    EXPECT_TRUE(has(socket.error, "none.sock")) << socket.error;
    const std::string address = "127.0.0.1:" + std::to_string(free_tcp_port());
    const RunResult host = run({rtactl_program().string(), {"--host", address, "status"}});
    EXPECT_EQ(host.status, kCannotConnect);
    EXPECT_TRUE(has(host.error, address)) << host.error;
}

TEST_F(Rtactl, ReachesTheDaemonOverTcp) {
    const RunResult result =
        run({rtactl_program().string(), {"--host", "127.0.0.1:" + std::to_string(daemon_.port()), "status"}});
    EXPECT_EQ(result.status, kDone) << result.error;
}

TEST_F(Rtactl, FindsTheDaemonThroughTheEnvironment) {
    Command command{rtactl_program().string(), {"--json", "status"}};
    command.environment = {{"RUNTIME_DIRECTORY", daemon_.socket().parent_path().string()}, {"XDG_RUNTIME_DIR", ""}};
    const RunResult result = run(command);
    EXPECT_EQ(result.status, kDone) << result.error;
    EXPECT_EQ(parse_json<v1::Response>(result.output).get_status().instance_id(), client_.status().instance_id());
}

TEST_F(Rtactl, JsonIsTheResponseAndNothingElse) {
    done({"play", "sine:frequency_hz=440", "gain:gain_db=-12"});
    const std::string status = done({"--json", "status"});
    EXPECT_EQ(lines_of(status).size(), 1U);
    const auto response = parse_json<v1::Response>(status);
    EXPECT_EQ(response.get_status().engine().node_count(), 3U);
    EXPECT_EQ(response.get_status().device().kind(), "null");
    EXPECT_TRUE(has(status, "\"sample_rate_hz\"")) << "the .proto's own names: " << status;
    EXPECT_TRUE(has(status, "\"plans_made\"")) << status;

    const auto types = parse_json<v1::Response>(done({"--json", "types"}));
    v1::Request every_type;
    every_type.mutable_list_node_types();
    EXPECT_EQ(types.list_node_types().types_size(), client_.call(every_type).list_node_types().types_size());
    const auto edit = parse_json<v1::Response>(done({"--json", "set", "gain.gain_db=-3"}));
    EXPECT_TRUE(edit.has_set_parameters());
    const auto added = parse_json<v1::Response>(done({"--json", "add", "gain", "a"}));
    EXPECT_EQ(added.apply_transaction().revision(), 2U);

    const RunResult refused = ctl({"--json", "remove", "ghost"});
    EXPECT_EQ(refused.status, kRefused);
    EXPECT_EQ(refused.error, "");
    const auto refusal = parse_json<v1::Response>(refused.output);
    EXPECT_EQ(refusal.status().code(), v1::NOT_FOUND);
    EXPECT_TRUE(has(refusal.status().message(), "ghost"));
}

TEST_F(Rtactl, AnEditReturnsWhenItTakesEffect) {
    client_.subscribe({v1::TOPIC_CHANGES});
    const auto added = parse_json<v1::Response>(done({"--json", "add", "gain", "a"})).apply_transaction();
    EXPECT_TRUE(added.has_frame());
    std::optional<v1::Event> event;
    do {
        event = client_.next_event();
    } while (event && !event->has_transaction_heard());
    ASSERT_TRUE(event) << "no TransactionHeard has arrived";
    EXPECT_EQ(event->transaction_heard().revision(), added.revision());
    EXPECT_EQ(event->transaction_heard().frame(), added.frame());
}

TEST_F(Rtactl, GraphsAreSavedLoadedAndCheckedWithoutLoss) {
    const TemporaryDirectory directory;
    const std::string first = (directory / "first.json").string();
    const std::string second = (directory / "second.json").string();
    done({"play", "sine:frequency_hz=441.3,gain_db=-11.7", "gain:gain_db=-0.1,invert=on"});
    done({"connect", "sine", "gain", "gain_db=-1.25"});
    done({"graph", "save", first});
    const std::string graph = without_origin(read_text(first));
    EXPECT_NE(graph, read_text(first));
    EXPECT_EQ(done({"graph", "show"}), graph);
    done({"graph", "check", first});
    done({"graph", "clear"});
    done({"graph", "load", "--force", first});
    done({"graph", "save", second});
    EXPECT_EQ(without_origin(read_text(second)), graph);
    EXPECT_EQ(client_.graph().document(), graph);
    // Through standard input and output.
    done({"graph", "clear"});
    done({"graph", "load", "-"}, graph);
    EXPECT_EQ(without_origin(done({"graph", "save", "-"})), graph);
    EXPECT_EQ(run_rtad({"check", first}).status, kDone);

    const std::uint64_t before = revision();
    for (const char* command : {"load", "check", "diff"})
        EXPECT_TRUE(has(refused({"graph", command, (directory / "missing.json").string()}, kUsage), "missing.json"));
    EXPECT_TRUE(has(refused({"graph", "save", (directory / "missing" / "a.json").string()}, kUsage), "missing/a.json"));
    EXPECT_EQ(revision(), before);
}

TEST_F(Rtactl, ShellRunsLinesFromAPipe) {
    const std::string output = done({"shell"},
                                    "# a comment, and a blank line\n\n"
                                    "add sine osc frequency_hz=330\n"
                                    "begin\n"
                                    "add gain vol gain_db=-6dB\n"
                                    "add output out channels=2\n"
                                    "connect osc vol\n"
                                    "connect vol out\n"
                                    "commit\n"
                                    "set osc.frequency_hz=335\n"
                                    "get osc.frequency_hz\n");
    EXPECT_TRUE(has(output, "osc.frequency_hz = 335 Hz")) << output;
    EXPECT_EQ(revision(), 2U) << "what stands between begin and commit is one transaction";
    EXPECT_EQ(client_.graph().graph().connections_size(), 2);
}

TEST_F(Rtactl, ShellTellsTheLineThatWasRefusedAndGoesOn) {
    const RunResult result = ctl({"shell"}, "add sine osc\nremove ghost\nadd gain vol\n");
    EXPECT_EQ(result.status, kRefused);
    EXPECT_TRUE(has(result.error, "2")) << result.error;
    EXPECT_TRUE(has(result.error, "ghost")) << result.error;
    EXPECT_EQ(client_.graph().graph().nodes_size(), 2);
}

TEST_F(Rtactl, ShowsAGraphInATransactionAsTheCommitLeavesIt) {
    done({"play", "sine:frequency_hz=440", "gain:gain_db=-12"});
    done({"add", "equalizer", "cut", "bands=3", "kind_1=notch", "kind_3=high_shelf"});
    const std::string edits =
        "begin\nset cut.bands=1\nadd mixer mix inputs=3\nadd crossover split ways=3 frequency_2_hz=5kHz\n"
        "add equalizer eq bands=2\nconnect sine mix:in_2 gain_db=-6\nconnect mix split\nconnect split:out_2 eq\n"
        "set mix.inputs=2 mix.mute_2=on\nrename gain level\nset level.gain_db=-39.9 --ramp 100\n"
        "set level.gain_db+=0.1\nset split.ways=2\ninsert gain trim sine level\ngraph compensate\n";
    const std::string pending = done({"shell"}, edits + "graph show\nabort\n");
    const std::size_t document = pending.find("{\n");
    ASSERT_NE(document, std::string::npos) << pending;
    EXPECT_FALSE(has(done({"graph", "show"}), "mix")) << "nothing is changed";
    // The third way of the crossover and the third kind of the first equalizer are gone.
    EXPECT_FALSE(has(pending, "kind_3")) << pending;
    EXPECT_TRUE(has(pending, "\"gain_db\": -39.8")) << pending;
    done({"shell"}, edits + "commit\n");
    EXPECT_EQ(pending.substr(document), done({"graph", "show"}));
}

TEST_F(Rtactl, ARefusedCommitQuotesTheLineAtFault) {
    done({"play", "sine", "gain"});
    for (const auto& [line, says] : std::initializer_list<std::pair<std::string, std::string>>{
             {"connect sin gain", "unknown node \"sin\" (did you mean \"sine\"?)"},
             {"add gian y", "unknown node type"},
             {"set gain.gain_db=99", "out of range"},
             {"connect gain gain", "cycle"},
             {"disconnect gain:ot output", "unknown output \"ot\" (did you mean \"out\"?)"}}) {
        const RunResult result = ctl({"shell"}, "begin\nadd sine a\n" + line + "\nadd sine b\ncommit\n");
        EXPECT_EQ(result.status, kRefused) << line;
        EXPECT_TRUE(result.error.starts_with("rtactl: line 3: \"" + line + "\": ")) << result.error;
        EXPECT_TRUE(has(result.error, says)) << result.error;
        EXPECT_TRUE(result.error.ends_with("; no change was made\n")) << result.error;
        EXPECT_EQ(lines_of(result.error).size(), 1U) << result.error;
    }
}

TEST_F(Rtactl, ShellTransactionsAreAllOrNothing) {
    const RunResult result = ctl({"shell"}, "begin\nadd sine osc\nconnect osc ghost\ncommit\n");
    EXPECT_EQ(result.status, kRefused);
    EXPECT_TRUE(has(result.error, "3")) << "the line at fault: " << result.error;
    EXPECT_EQ(revision(), 0U);
    const RunResult aborted = ctl({"shell"}, "begin\nadd sine osc\nabort\n");
    EXPECT_EQ(aborted.status, kDone) << aborted.error;
    EXPECT_EQ(revision(), 0U);
    // A transaction that is still open at the end of the input is not applied.
    EXPECT_NE(ctl({"shell"}, "begin\nadd sine osc\n").status, kDone);
    EXPECT_EQ(revision(), 0U);
}

TEST_F(Rtactl, WatchPrintsEveryChange) {
    Process watch{{rtactl_program().string(), {"--socket", daemon_.socket().string(), "--json", "watch"}}};
    const std::optional<std::string> subscribed = watch.wait_for_line(Process::Stream::output, "subscribe");
    ASSERT_TRUE(subscribed);
    const std::uint64_t first = parse_json<v1::Response>(*subscribed).subscribe().change_number() + 1;
    done({"add", "sine", "osc"});
    done({"set", "osc.frequency_hz=500"});
    const auto added = watch.wait_for_line(Process::Stream::output, "graph_changed");
    ASSERT_TRUE(added);
    const auto event = parse_json<v1::Event>(*added);
    EXPECT_EQ(event.number(), first);
    EXPECT_EQ(event.graph_changed().revision(), 1U);
    EXPECT_EQ(event.graph_changed().client_name(), "rtactl");
    ASSERT_EQ(event.graph_changed().edits_size(), 1);
    EXPECT_EQ(event.graph_changed().edits(0).add_node().name(), "osc");
    const auto changed = watch.wait_for_line(Process::Stream::output, "parameters_changed");
    ASSERT_TRUE(changed);
    EXPECT_EQ(parse_json<v1::Event>(*changed).parameters_changed().changes(0).value(), 500.0F);
    watch.signal(SIGINT);
    EXPECT_EQ(watch.wait(), kDone);

    // Text for people: one line per change.
    Process plain{{rtactl_program().string(), {"--host", "127.0.0.1:" + std::to_string(daemon_.port()), "watch"}}};
    std::optional<std::string> line;
    // The watch prints nothing before the first change, so make changes until it has printed one.
    while (!line) {
        done({"set", "osc.frequency_hz=600"});
        line = plain.wait_for_line(Process::Stream::output, "osc.frequency_hz", std::chrono::milliseconds{100});
        ASSERT_TRUE(plain.running()) << plain.error();
    }
    EXPECT_TRUE(has(*line, "600")) << *line;
    // It survives a restart of the daemon.
    EXPECT_EQ(daemon_.stop(), kDone);
    ASSERT_TRUE(plain.wait_for_line(Process::Stream::error, "; connecting again")) << plain.error();
    const Daemon again{{.arguments = {"--device", "null"}, .port = daemon_.port()}};
    ASSERT_TRUE(plain.wait_for_line(Process::Stream::error, "connected again: rtad was restarted")) << plain.error();
    EXPECT_EQ(again.ctl({"add", "sine", "later"}).status, kDone);
    EXPECT_TRUE(plain.wait_for_line(Process::Stream::output, "later")) << plain.output();
}

TEST(RtactlWait, WaitsForTheDaemonAndThenForItsState) {
    const std::uint16_t port = free_tcp_port();
    const auto start = [&](std::vector<std::string> condition) {
        std::vector<std::string> words{"--host", "127.0.0.1:" + std::to_string(port), "--timeout", "60", "wait"};
        words.insert(words.end(), condition.begin(), condition.end());
        return std::make_unique<Process>(Command{rtactl_program().string(), words});
    };
    const auto running = start({"running"});
    const auto heard = start({"heard", "2"});
    const auto value = start({"osc.gain_db=-3dB"});
    const auto level = start({"level", "-30dB"});
    const Daemon daemon{{.arguments = {"--device", "null"}, .port = port}};
    EXPECT_EQ(running->wait(), kDone) << running->error();
    EXPECT_EQ(daemon.ctl({"wait", "pending", "none"}).status, kDone);
    EXPECT_EQ(daemon.ctl({"play", "sine"}).status, kDone);
    EXPECT_EQ(level->wait(), kDone) << level->error();
    EXPECT_TRUE(heard->running());
    EXPECT_EQ(daemon.ctl({"rename", "sine", "osc"}).status, kDone);
    EXPECT_EQ(heard->wait(), kDone) << heard->error();
    EXPECT_TRUE(value->running());
    EXPECT_EQ(daemon.ctl({"set", "osc.gain_db=-3dB"}).status, kDone);
    EXPECT_EQ(value->wait(), kDone) << value->error();
    const RunResult loud = daemon.ctl({"--timeout", "0.2", "wait", "silence"});
    EXPECT_EQ(loud.status, kRefused);
    EXPECT_TRUE(has(loud.error, "the peak of the device output is -3")) << loud.error;
    EXPECT_EQ(daemon.ctl({"mute"}).status, kDone);
    EXPECT_EQ(daemon.ctl({"wait", "silence"}).status, kDone);
}

constexpr std::string_view kChain = R"({
  "nodes": [{"name": "osc", "type": "sine", "settings": {"channels": 2}},
            {"name": "vol", "type": "gain", "settings": {"channels": 2}},
            {"name": "out", "type": "output", "settings": {"channels": 2}}],
  "connections": [{"from": "osc", "to": "vol", "gain_db": -6}, {"from": "vol", "to": "out"}]
})";
/// The same with a meter before the output.
constexpr std::string_view kMeteredChain = R"({
  "nodes": [{"name": "osc", "type": "sine", "settings": {"channels": 2}},
            {"name": "vol", "type": "gain", "settings": {"channels": 2}},
            {"name": "vu", "type": "meter", "settings": {"channels": 2}},
            {"name": "out", "type": "output", "settings": {"channels": 2}}],
  "connections": [{"from": "osc", "to": "vol"}, {"from": "vol", "to": "vu"}, {"from": "vu", "to": "out"}]
})";

TEST_F(Rtactl, InsertsANodeIntoAStereoPathInOneTransaction) {
    done({"graph", "load", "-"}, kChain);
    done({"insert", "gain", "trim", "osc", "vol", "gain_db=-3dB"});
    EXPECT_EQ(revision(), 2U);
    EXPECT_EQ(done({"get", "trim.channels"}), "trim.channels = 2\n");
    const v1::Graph graph = client_.graph().graph();
    ASSERT_EQ(graph.connections_size(), 3);
    for (const v1::Connection& connection : graph.connections()) {
        EXPECT_EQ(connection.gain_db(), connection.from() == "trim" ? -6.0F : 0.0F) << connection.from();
        EXPECT_FALSE(connection.from() == "osc" && connection.to() == "vol");
    }
    EXPECT_TRUE(has(refused({"insert", "gain", "late", "osc", "out"}), "connection osc -> out not found"));
    EXPECT_TRUE(has(refused({"insert", "gain", "trim", "vol", "out"}), "node \"trim\" already exists"));
    EXPECT_EQ(client_.graph().graph().connections_size(), 3) << "all or nothing";
}

TEST_F(Rtactl, RenamesANodeThatPlaysOn) {
    done({"graph", "load", "-"}, kChain);
    done({"rename", "osc", "tone"});
    EXPECT_EQ(done({"get", "tone.channels"}), "tone.channels = 2\n");
    EXPECT_TRUE(has(refused({"rename", "osc", "sound"}), "osc"));
    EXPECT_TRUE(has(refused({"rename", "tone", "vol"}), "vol"));
}

TEST_F(Rtactl, MutesANode) {
    done({"graph", "load", "-"}, kChain);
    EXPECT_EQ(done({"mute", "vol"}), "set vol.mute = on\n");
    EXPECT_EQ(done({"get", "vol.mute"}), "vol.mute = on\n");
    EXPECT_EQ(done({"unmute", "vol"}), "set vol.mute = off\n");
    EXPECT_EQ(done({"get", "vol.mute"}), "vol.mute = off\n");
    EXPECT_TRUE(has(refused({"mute", "osc"}), "mute"));
    done({"add", "sine", "tone"});
    EXPECT_TRUE(has(refused({"mute", "tone"}), "node \"tone\" (sine) cannot be muted: it has no parameter mute"));
    EXPECT_TRUE(has(refused({"bypass", "tone"}), "cannot be bypassed"));
}

TEST_F(Rtactl, MutesTheOutputAndPanics) {
    done({"graph", "load", "-"}, kChain);
    EXPECT_TRUE(has(done({"mute"}), "device output muted"));
    EXPECT_TRUE(client_.status().engine().output_muted());
    EXPECT_TRUE(has(done({"status"}), "muted; `rtactl unmute` unmutes it"));
    EXPECT_TRUE(has(done({"unmute"}), "device output unmuted"));
    EXPECT_FALSE(client_.status().engine().output_muted());
    EXPECT_TRUE(has(done({"panic"}), "`rtactl unmute` unmutes it"));
    EXPECT_TRUE(client_.status().engine().output_muted());
    EXPECT_EQ(revision(), 1U) << "the graph stays as it is";
}

TEST_F(Rtactl, PlotsTheResponseOfAPath) {
    done({"graph", "load", "-"}, kMeteredChain);
    done({"set", "vol.gain_db=-12dB", "vol.invert=on", "out.gain_db=-3dB"});
    done({"connect", "vol", "vu", "gain_db=-5dB"});
    done({"insert", "limiter", "lim", "vu", "out", "look_ahead_ms=2ms"});
    const auto json = parse_json<v1::Response>(done({"--json", "response", "osc", "out", "--channels", "2:2"}));
    const v1::FrequencyResponseResult& result = json.get_frequency_response();
    ASSERT_EQ(result.outputs_size(), 1);
    const v1::PortResponse& output = result.outputs(0);
    ASSERT_EQ(output.group_delay_ms_size(), result.frequencies_hz_size());
    const double delay_ms = (96.0 + 39.0) / 48.0;  // look-ahead and interpolation at 48 kHz
    for (int i = 0; i < result.frequencies_hz_size(); i += 120) {
        EXPECT_NEAR(output.magnitude_db(i), -20.0, 1e-3);
        const double degrees = 180.0 - 0.36 * delay_ms * static_cast<double>(result.frequencies_hz(i));
        EXPECT_NEAR(std::remainder(static_cast<double>(output.phase_deg(i)) - degrees, 360.0), 0.0, 0.02);
        EXPECT_NEAR(output.group_delay_ms(i), delay_ms, 1e-4);
    }
    const std::string plot = done({"response", "osc", "out"});
    EXPECT_TRUE(has(plot, "magnitude in dB\n")) << plot;
    EXPECT_TRUE(has(plot, "without a delay of 2.813 ms\n")) << plot;
    EXPECT_TRUE(has(plot, "note: limiter \"lim\" counts as its latency, without gain reduction\n")) << plot;
    for (const std::string& line : lines_of(plot)) EXPECT_LE(line.size(), 80U) << line;
    EXPECT_TRUE(has(refused({"response", "vu", "vol"}), "\"vol\" feeds \"vu\"; exchange the two"));
    EXPECT_TRUE(has(refused({"response", "osc", "out", "--channels", "1:3"}), "to_channel = 3 is out of range"));
    EXPECT_FALSE(has(plot, "below the plot")) << plot;
    done({"mute", "vol"});
    EXPECT_TRUE(has(done({"response", "osc", "out"}), "note: everything is below the plot, under -96 dB\n"));
}

TEST_F(Rtactl, SetsTheVolume) {
    EXPECT_EQ(done({"volume"}), "volume 0 dB\n");
    EXPECT_TRUE(done({"volume", "-6.5dB"}).starts_with("volume -6.5 dB from frame "));
    EXPECT_TRUE(done({"volume", "-=0.1"}).starts_with("volume -6.6 dB from frame "));
    EXPECT_EQ(done({"volume"}), "volume -6.6 dB\n");
    EXPECT_TRUE(has(done({"status"}), "output     volume -6.6 dB\n"));
    done({"mute"});
    done({"panic"});
    EXPECT_EQ(client_.status().engine().output_volume_db(), -6.6F);
    EXPECT_TRUE(has(refused({"volume", "12.1"}), "out of range: -120 (silence) to 12 dB"));
    EXPECT_TRUE(has(refused({"volume", "+=20"}), "the volume is -6.6 dB: 20 dB more would be 13.4 dB"));
    EXPECT_EQ(parse_json<v1::Response>(done({"volume", "12", "--json"})).set_volume().volume_db(), 12.0F);
    EXPECT_EQ(revision(), 0U);
}

TEST_F(Rtactl, RelativeChangesOfManyClientsAllCount) {
    done({"add", "gain", "vol", "gain_db=-20"});
    std::vector<std::thread> clients;
    for (int i = 0; i < 6; ++i) {
        clients.emplace_back([&] {
            for (int k = 0; k < 5; ++k) {
                EXPECT_EQ(ctl({"set", "vol.gain_db+=0.1dB", "vol.mute=toggle"}).status, kDone);
                EXPECT_EQ(ctl({"volume", "-=0.1"}).status, kDone);
            }
        });
    }
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(done({"get", "-q", "vol.gain_db"}), "-17\n");
    EXPECT_EQ(done({"get", "-q", "vol.mute"}), "off\n") << "30 toggles";
    EXPECT_EQ(done({"volume"}), "volume -3 dB\n");
    EXPECT_TRUE(has(refused({"set", "vol.gain_db+=42"}), "gain_db = 25 is out of range: -120 to 24 dB (-17 plus 42)"));
    // In a transaction, too.
    const std::string shell =
        done({"shell"}, "begin\nset vol.gain_db+=1 vol.mute=toggle\nset vol.channels=2\ncommit\n");
    EXPECT_TRUE(has(shell, "set vol.gain_db = -16 dB\nset vol.mute = on\nset vol.channels = 2\nrevision 2")) << shell;
}

TEST_F(Rtactl, PatternsSetManyParametersTogether) {
    done({"add", "equalizer", "eq", "bands=3"});
    done({"add", "gain", "vol"});
    EXPECT_EQ(done({"set", "eq.gain_*_db=-3"}),
              "set eq.gain_1_db = -3 dB\nset eq.gain_2_db = -3 dB\nset eq.gain_3_db = -3 dB\n");
    EXPECT_EQ(done({"set", "*.bypass=on"}), "set eq.bypass = on\nset vol.bypass = on\n");
    EXPECT_TRUE(has(refused({"set", "eq.gain_*_db+=1000"}), "out of range"));
    EXPECT_EQ(done({"get", "-q", "eq.gain_1_db"}), "-3\n") << "all or none";
}

TEST_F(Rtactl, SaysWhichConnectionsAreInTheWay) {
    done({"add", "crossover", "x", "ways=3"});
    done({"add", "output", "output"});
    done({"connect", "x:out_3", "output"});
    const std::string refusal = refused({"set", "x.ways=2"});
    EXPECT_TRUE(has(refusal, "the settings would remove ports that are connected: x:out_3 -> output; disconnect"))
        << refusal;
    EXPECT_TRUE(has(done({"shell"}, "begin\ndisconnect x:out_3 output\nset x.ways=2\ncommit\n"), "set x.ways = 2"));
}

TEST_F(Rtactl, RemovesANodeAndClosesTheGap) {
    done({"play", "sine", "gain:gain_db=-6", "meter", "output:channels=1"});
    done({"connect", "gain", "meter", "gain_db=-3"});
    done({"connect", "sine", "gain", "gain_db=-1.5"});
    const std::string removed = done({"remove", "--bridge", "gain"});
    EXPECT_TRUE(removed.starts_with(
        "removed gain (2 connections: sine -> gain, gain -> meter); connected sine -> meter: revision 4, "))
        << removed;
    const v1::Graph graph = client_.graph().graph();
    ASSERT_EQ(graph.connections_size(), 2);
    EXPECT_TRUE(has(done({"list"}), "sine   meter   -4.5 dB\n"));
    EXPECT_TRUE(has(done({"shell"}, "begin\nremove --bridge meter\ncommit\n"),
                    "removed meter (2 connections: sine -> meter, meter -> output)"));
    EXPECT_TRUE(has(done({"list"}), "sine  output  -4.5 dB\n"));
    EXPECT_TRUE(has(refused({"remove", "--bridge", "sine"}), "no input of it is connected"));
    EXPECT_TRUE(has(refused({"remove", "--bridge", "nothing"}), "unknown node \"nothing\""));
    EXPECT_EQ(revision(), 5U);
}

TEST_F(Rtactl, MetersTheOutputAndTheMeterNodes) {
    done({"graph", "load", "-"}, kMeteredChain);
    const std::string all = done({"meter", "--count", "2"});
    EXPECT_EQ(lines_of(all).size(), 2U) << all;
    EXPECT_TRUE(has(all, "(device) peak ")) << all;
    EXPECT_TRUE(has(all, "vu peak ")) << all;
    const std::string one = done({"meter", "vu", "--count", "1"});
    EXPECT_TRUE(has(one, ": vu peak ")) << one;
    EXPECT_TRUE(has(refused({"meter", "vol"}), "expected a meter"));
    for (const std::string& line : lines_of(done({"--json", "meter", "--rate", "50", "--count", "3"})))
        EXPECT_TRUE(parse_json<v1::Event>(line).has_levels()) << line;
    const std::string load = done({"watch", "load", "--rate", "50", "--count", "2"});
    EXPECT_TRUE(has(load, "load up to frame ")) << load;
}

TEST_F(Rtactl, SetTakesBlanksAroundTheEqualsSign) {
    done({"graph", "load", "-"}, kChain);
    EXPECT_EQ(done({"set", "osc.frequency_hz = 2 kHz"}), "set osc.frequency_hz = 2000 Hz\n");
}

TEST_F(Rtactl, DrawsTheGraph) {
    done({"graph", "load", "-"}, kChain);
    const std::string dot = done({"graph", "dot"});
    EXPECT_TRUE(dot.starts_with("digraph rtad {\n")) << dot;
    EXPECT_TRUE(has(dot, "\"osc\":e -> \"vol\":w [label=\"-6 dB\"];")) << dot;
    EXPECT_EQ(std::ranges::count(dot, '{'), std::ranges::count(dot, '}'));
    // If Graphviz is installed, it accepts the output.
    if (run({"sh", {"-c", "command -v dot"}}).status != kDone) return;
    const RunResult drawn = run({"dot", {"-Tsvg"}}, dot);
    EXPECT_EQ(drawn.status, kDone) << drawn.error;
    EXPECT_EQ(drawn.error, "");
    EXPECT_TRUE(has(drawn.output, ">osc</text>")) << drawn.output;
}

TEST_F(Rtactl, TopPrintsPages) {
    done({"graph", "load", "-"}, kChain);
    const std::string pages = done({"top", "--count", "2", "--rate", "10"});
    EXPECT_TRUE(has(pages, "device    null, running, 48000 Hz")) << pages;
    EXPECT_TRUE(has(pages, "worst [")) << pages;
    EXPECT_TRUE(has(pages, "SHARE")) << pages;
    EXPECT_TRUE(has(pages, "channels = 2")) << pages;
    std::size_t found = 0;
    for (const std::string& line : lines_of(pages)) found += line.starts_with("device  ") ? 1U : 0U;
    EXPECT_EQ(found, 2U) << pages;
    // The nodes of the graph have been timed before the first page.
    for (const std::string& line : lines_of(pages)) {
        if (line.starts_with("vol ")) {
            EXPECT_TRUE(has(line, " %  ")) << line;
        }
    }
    std::size_t statuses = 0;
    std::size_t loads = 0;
    for (const std::string& line : lines_of(done({"--json", "top", "--count", "2", "--rate", "10"}))) {
        if (has(line, "\"node_loads\"")) {
            EXPECT_EQ(parse_json<v1::Event>(line).node_loads().node_count(), 3U);
            ++loads;
        } else {
            EXPECT_TRUE(parse_json<v1::Response>(line).has_get_status());
            ++statuses;
        }
    }
    EXPECT_EQ(statuses, 2U);
    EXPECT_GE(loads, 1U);
}

TEST_F(Rtactl, FindsTheDaemonThroughRtactlHost) {
    const std::string address = "127.0.0.1:" + std::to_string(daemon_.port());
    for (const std::string& host : {address, daemon_.socket().string()}) {
        Command command{rtactl_program().string(), {"status"}};
        command.environment = {{"RTACTL_HOST", host}, {"RUNTIME_DIRECTORY", ""}, {"XDG_RUNTIME_DIR", ""}};
        const RunResult result = run(command);
        EXPECT_EQ(result.status, kDone) << host << ": " << result.error;
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// The examples of the help pages

struct HelpExample {
    std::string command;  ///< as the user enters it
    bool in_shell;        ///< a command that exists only in the shell
};

/// Returns the lines below "Example" on the help page of every listed command.
std::vector<HelpExample> help_examples() {
    std::vector<HelpExample> examples;
    for (const rtactl::Command* command : rtactl::all_commands().all()) {
        for (const std::string& line : lines_of(std::string{command->example}))
            examples.push_back({line, command->place == rtactl::Place::shell});
    }
    return examples;
}

/// Returns whether the command runs until it is interrupted.
bool runs_for_ever(const std::string& command) {
    if (has(command, "--count") || has(command, "--reset")) return false;
    return has(command, " watch") || has(command, " meter") || has(command, " top");
}

class HelpExamples : public Rtactl {
 protected:
    Command shell_command(const std::string& line) const {
        const std::string path = rtactl_program().parent_path().string();
        // exec: the signal must reach rtactl, not the shell around it.
        const std::string exec = has(line, "|") ? "" : "exec ";
        Command command{"sh",
                        {"-c", "cd " + directory_.path().string() + " && PATH=" + path + ":$PATH && " + exec + line}};
        command.environment = {{"RTACTL_HOST", daemon_.socket().string()}};
        command.environment.merge(machine_.environment());
        return command;
    }

    void run_to_the_end(const std::string& line) {
        const RunResult result = run(shell_command(line));
        EXPECT_EQ(result.status, kDone) << line << ": " << result.output << result.error;
        EXPECT_EQ(result.error, "") << line;
    }

    void run_until_interrupted(const std::string& line) {
        Process process{shell_command(line)};
        // Make changes for it to print. After its first output it handles signals.
        while (process.output().empty()) {
            ASSERT_TRUE(process.running()) << line << ": " << process.error();
            client_.set_parameter("osc", "frequency_hz", 500.0F);
        }
        process.signal(SIGINT);
        EXPECT_EQ(process.wait(), kDone) << line << ": " << process.error();
    }

    TemporaryDirectory directory_;
    AvahiMachine machine_;  ///< for `rtactl discover`
};

TEST_F(HelpExamples, AllOfThemWork) {
    std::size_t count = 0;
    for (const auto& [line, in_shell] : help_examples()) {
        if (has(line, "dot -T") && run({"sh", {"-c", "command -v dot"}}).status != kDone) continue;
        client_.apply_document(std::string{kMeteredChain});
        write_text(directory_ / "chain.json", kMeteredChain);
        write_text(directory_ / "headphones.txt", "Preamp: -3 dB\nFilter 1: ON PK Fc 105 Hz Gain 2.6 dB Q 0.7\n");
        if (has(line, " redo")) done({"undo", "2"});
        if (has(line, " wait level")) done({"unmute"});
        if (has(line, " wait silence")) done({"set", "vol.gain_db=-120"});
        if (has(line, " scene ")) done({"scene", "save", "night"});
        if (line.starts_with("rtactl confirm")) done({"set", "osc.gain_db=-30", "--confirm-within", "60s"});
        // Of these, one has the number of the example.
        for (int edit = 0; edit < 3 && has(line, " cancel "); ++edit)
            done({"set", "osc.gain_db=-30", "--at", "+3600s"});
        if (in_shell) {
            const bool begins = line == "begin" || line == "quit";
            done({"shell"}, begins ? line + "\nabort\n" : "begin\n" + line + "\n");
        } else if (runs_for_ever(line)) {
            run_until_interrupted(line);
        } else {
            run_to_the_end(line);
        }
        ++count;
    }
    EXPECT_GT(count, 40U);
}

TEST_F(Rtactl, TheDiffOfADocumentIsWhatLoadingItWouldChange) {
    const TemporaryDirectory directory;
    const std::vector<std::string> documents{
        R"({"nodes": [], "connections": []})",
        R"({"nodes": [{"name": "osc", "type": "sine", "parameters": {"frequency_hz": 440}},
                      {"name": "mix", "type": "mixer", "settings": {"inputs": 2}, "parameters": {"gain_2_db": -9}},
                      {"name": "out", "type": "output", "settings": {"channels": 2}}],
            "connections": [{"from": "osc", "to": "mix:in_2"}, {"from": "mix", "to": "out"}]})",
        R"({"nodes": [{"name": "osc", "type": "oscillator", "settings": {"shape": "square"}},
                      {"name": "mix", "type": "mixer", "settings": {"inputs": 4}, "parameters": {"gain_4_db": -3}},
                      {"name": "echo", "type": "delay_line", "settings": {"max_time_ms": 50}},
                      {"name": "out", "type": "output", "settings": {"channels": 2}, "parameters": {"gain_db": -1}}],
            "connections": [{"from": "osc", "to": "mix:in_4"}, {"from": "osc", "to": "echo"},
                            {"from": "echo", "to": "mix:in_1", "gain_db": -12}, {"from": "mix", "to": "out"}]})",
        R"({"nodes": [{"name": "osc", "type": "oscillator", "settings": {"shape": "saw"}},
                      {"name": "mix", "type": "mixer", "settings": {"inputs": 1}},
                      {"name": "echo", "type": "delay_line", "settings": {"max_time_ms": 900}, "parameters": {"time_ms": 800}},
                      {"name": "comp", "type": "compressor", "settings": {"side_chain": true}},
                      {"name": "out", "type": "output", "settings": {"channels": 2}}],
            "connections": [{"from": "osc", "to": "mix"}, {"from": "osc", "to": "comp:side_chain"},
                            {"from": "mix", "to": "comp:in"}, {"from": "comp", "to": "out", "gain_db": -6}]})",
        R"({"nodes": [{"name": "a", "type": "sine", "settings": {"channels": 1}},
                      {"name": "b", "type": "gain", "settings": {"channels": 1}},
                      {"name": "out", "type": "output", "settings": {"channels": 1}}],
            "connections": [{"from": "a", "to": "b", "gain_db": -3}, {"from": "b", "to": "out"}]})",
        R"({"nodes": [{"name": "a", "type": "sine", "settings": {"channels": 2}},
                      {"name": "b", "type": "gain", "settings": {"channels": 2}},
                      {"name": "out", "type": "output", "settings": {"channels": 2}}],
            "connections": [{"from": "a", "to": "b", "gain_db": -3}, {"from": "b", "to": "out"}]})"};
    for (const std::string& before : documents) {
        for (const std::string& after : documents) {
            const std::string file = (directory / "after.json").string();
            write_text(file, after);
            client_.apply_document(after);
            const std::string loaded = done({"graph", "show"});
            client_.apply_document(before);
            const std::string diff = done({"graph", "diff", file});
            done({"shell"}, diff);
            EXPECT_EQ(done({"graph", "show"}), loaded) << diff;
            EXPECT_EQ(done({"graph", "diff", file}), "# " + file + ": no difference\n");
            EXPECT_EQ(before == after, diff.starts_with("#")) << diff;
        }
    }
    const auto list = parse_json<v1::EditList>(done({"--json", "graph", "diff", (directory / "after.json").string()}));
    EXPECT_EQ(list.edits_size(), 0);
    const std::string bad = (directory / "bad.json").string();
    write_text(bad, R"({"nodes": [{"name": "osc", "type": "sinus"}], "connections": []})");
    EXPECT_TRUE(has(refused({"graph", "diff", bad}), "bad.json: line 1, column "));
}

TEST_F(Rtactl, DrawsTheGraphWithGraphviz) {
    const TemporaryDirectory directory;
    done({"play", "sine", "gain"});
    const std::string file = (directory / "chain.svg").string();
    ASSERT_EQ(run({"sh", {"-c", "command -v dot"}}).status, kDone) << "Graphviz is among the packages of the tests";
    EXPECT_EQ(done({"graph", "show", "--svg", file}), "");
    EXPECT_TRUE(has(read_text(file), "</svg>"));
    EXPECT_TRUE(has(read_text(file), ">gain<")) << "the name of a node";
    EXPECT_TRUE(has(done({"graph", "show", "--svg", "-"}), "</svg>"));
    Command without_dot{rtactl_program(), {"--socket", daemon_.socket().string(), "graph", "show", "--svg", file}};
    without_dot.environment = {{"PATH", directory.path().string()}};
    const RunResult refusal = run(without_dot);
    EXPECT_EQ(refusal.status, kRefused);
    EXPECT_TRUE(has(refusal.error, "the program dot of Graphviz is not installed")) << refusal.error;
}

// ---- what `rtactl types TYPE` prints --------------------------------------------------------------------------------

/// Returns the lines below "Example", without "rtactl".
std::vector<std::string> printed_examples(const std::string& page) {
    const std::string title = "\nExample\n";
    const std::size_t begin = page.find(title);
    if (begin == std::string::npos) return {};
    std::vector<std::string> examples;
    for (const std::string& line : lines_of(page.substr(begin + title.size()))) {
        EXPECT_TRUE(line.starts_with("  rtactl ")) << line;
        examples.push_back(line.substr(9));
    }
    return examples;
}

TEST_F(Rtactl, TheExampleOfEveryTypeWorks) {
    const auto types = parse_json<v1::Response>(done({"--json", "types"})).list_node_types();
    EXPECT_GT(types.types_size(), 20);
    for (const v1::NodeType& type : types.types()) {
        const std::vector<std::string> examples = printed_examples(done({"types", type.name()}));
        ASSERT_FALSE(examples.empty()) << type.name();
        std::string input;
        for (const std::string& example : examples) input += example + "\n";
        done({"shell"}, input);
        const v1::Graph graph = client_.graph().graph();
        const auto node = std::ranges::find(graph.nodes(), type.name(), [](const auto& one) { return one.type(); });
        ASSERT_NE(node, graph.nodes().end()) << type.name() << ": " << input;
        const bool connected = std::ranges::any_of(graph.connections(), [&](const v1::Connection& connection) {
            return connection.from().starts_with(node->name()) || connection.to().starts_with(node->name());
        });
        EXPECT_TRUE(connected) << input;
    }
}

}  // namespace
}  // namespace rta::test
