// SPDX-License-Identifier: MIT
// Daemons are published and found through a real Avahi, on machines with separate networks.
#include <google/protobuf/struct.pb.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
#include <sstream>

#include "support/avahi_machine.h"
#include "support/daemon.h"
#include "support/json.h"
#include "support/test_token.h"

namespace rta::test {
namespace {

using Found = std::vector<google::protobuf::Struct>;

constexpr ExitStatus kDone{0, 0};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

Command discover_command(const AvahiMachine& machine, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "discover");
    return machine.inside({rtactl_program().string(), std::move(arguments), {}});
}

Found discover(const AvahiMachine& machine) {
    const RunResult result = run(discover_command(machine, {"--json", "--for", "300ms"}));
    EXPECT_EQ(result.status, kDone) << result.output << result.error;
    Found found;
    std::istringstream lines{result.output};
    for (std::string line; std::getline(lines, line);) found.push_back(parse_json<google::protobuf::Struct>(line));
    return found;
}

std::string text_of(const google::protobuf::Struct& daemon, const char* key) {
    const auto field = daemon.fields().find(key);
    return field == daemon.fields().end() ? "missing" : field->second.string_value();
}

std::vector<std::string> names_of(const Found& found) {
    std::vector<std::string> names;
    for (const auto& daemon : found) names.push_back(text_of(daemon, "name"));
    return names;
}

bool has_address(const google::protobuf::Struct& daemon, const std::string& address) {
    const auto& addresses = daemon.fields().at("addresses").list_value().values();
    return std::ranges::any_of(addresses, [&](const auto& value) { return value.string_value() == address; });
}

/// Searches until the result is as expected. Announcements take a moment to arrive.
Found discover_until(const AvahiMachine& machine, const std::function<bool(const Found&)>& expected) {
    Found found;
    for (const Deadline deadline; !deadline.passed();) {
        found = discover(machine);
        if (expected(found)) return found;
    }
    ADD_FAILURE() << found.size() << " daemons found";
    for (const auto& daemon : found) ADD_FAILURE() << daemon.ShortDebugString();
    return found;
}

Found discover_names(const AvahiMachine& machine, const std::vector<std::string>& names) {
    return discover_until(machine, [&](const Found& found) {
        return names_of(found) == names &&
               std::ranges::all_of(found, [](const auto& daemon) { return text_of(daemon, "host") != ""; });
    });
}

/// A process that publishes with the class that rtad uses.
class Publisher {
 public:
    Publisher(const AvahiMachine& machine, const std::string& name,
              const std::vector<std::string>& addresses = {"0.0.0.0:7340"})
        : process_{machine.inside(command(name, addresses))} {}

    Process& process() { return process_; }
    void expect_log(const std::string& part) {
        EXPECT_TRUE(process_.wait_for_line(Process::Stream::output, part)) << part << "\n" << process_.output();
    }

 private:
    static Command command(const std::string& name, const std::vector<std::string>& addresses) {
        std::vector<std::string> arguments{name};
        arguments.insert(arguments.end(), addresses.begin(), addresses.end());
        return {RTA_TEST_ADVERTISE, std::move(arguments)};
    }

    Process process_;
};

TEST(Discovery, FindsADaemonUntilItExits) {
    const AvahiMachine machine;
    EXPECT_TRUE(discover(machine).empty());
    EXPECT_TRUE(has(run(discover_command(machine, {"--for", "300ms"})).output, "no daemon found"));

    Publisher publisher{machine, "Studio A on %h", {"127.0.0.1:7341", "0.0.0.0:7340", "[::1]:7342"}};
    publisher.expect_log(R"(advertised on the network as "Studio A on studio", port 7340)");
    const Found found = discover_names(machine, {"Studio A on studio"});
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(text_of(found[0], "host"), "studio.local");
    EXPECT_EQ(found[0].fields().at("port").number_value(), 7'340);
    EXPECT_EQ(text_of(found[0], "version"), "9.9.9");
    EXPECT_EQ(text_of(found[0], "instance"), "0123abcd");
    EXPECT_EQ(text_of(found[0], "fingerprint"), "SHA256:fingerprint");
    EXPECT_TRUE(found[0].fields().at("tls").bool_value());
    EXPECT_TRUE(has_address(found[0], machine.address())) << found[0].ShortDebugString();
    EXPECT_FALSE(has_address(found[0], "127.0.0.1"));
    const std::string table = run(discover_command(machine, {})).output;
    EXPECT_TRUE(has(table, "Studio A on studio  studio.local:7340  192.0.2.1")) << table;
    EXPECT_TRUE(has(table, "9.9.9    SHA256:fingerprint")) << table;

    publisher.process().signal(SIGTERM);
    EXPECT_EQ(publisher.process().wait(), kDone);
    discover_names(machine, {});
}

TEST(Discovery, AKilledDaemonIsWithdrawn) {
    const AvahiMachine machine;
    Publisher publisher{machine, "studio"};
    discover_names(machine, {"studio"});
    publisher.process().kill();
    discover_names(machine, {});
}

TEST(Discovery, FindsADaemonOnAnotherMachine) {
    const AvahiMachine studio{"studio"};
    const AvahiMachine office{"office", studio};
    // One on all addresses, one on a single address.
    Publisher first{studio, "%h", {"0.0.0.0:7340"}};
    Publisher second{office, "%h", {office.address() + ":7350"}};
    for (const AvahiMachine* machine : {&studio, &office}) {
        const Found found = discover_names(*machine, {"office", "studio"});
        ASSERT_EQ(found.size(), 2U);
        EXPECT_EQ(text_of(found[0], "host"), "office.local");
        EXPECT_EQ(found[0].fields().at("port").number_value(), 7'350);
        EXPECT_TRUE(has_address(found[0], office.address())) << found[0].ShortDebugString();
        EXPECT_TRUE(has_address(found[1], studio.address())) << found[1].ShortDebugString();
    }
    first.process().signal(SIGTERM);
    discover_names(office, {"office"});
}

TEST(Discovery, ASecondDaemonOfTheSameNameGetsANumber) {
    const AvahiMachine studio{"studio"};
    Publisher first{studio, "rack", {"0.0.0.0:7340"}};
    first.expect_log(R"(as "rack", port 7340)");
    Publisher same_machine{studio, "rack", {"0.0.0.0:7350"}};
    same_machine.expect_log(R"(as "rack #2", port 7350)");
    discover_names(studio, {"rack", "rack #2"});
    const AvahiMachine office{"office", studio};
    Publisher other_machine{office, "rack", {"0.0.0.0:7360"}};
    other_machine.expect_log(R"(as "rack #)");
    discover_names(office, {"rack", "rack #2", "rack #3"});
}

TEST(Discovery, TwoPortsOfOneDaemonAreTwoServices) {
    const AvahiMachine machine;
    Publisher publisher{machine, "rack", {"0.0.0.0:7340", "[::]:7340", machine.address() + ":7350"}};
    publisher.expect_log(R"(as "rack", port 7340, "rack #2", port 7350)");
    const Found found = discover_names(machine, {"rack", "rack #2"});
    EXPECT_EQ(found[1].fields().at("port").number_value(), 7'350);
}

TEST(Discovery, WaitsForAvahiAndSurvivesItsRestart) {
    AvahiMachine machine;
    machine.stop_avahi();
    Publisher publisher{machine, "studio"};
    publisher.expect_log("not advertised on the network: Avahi is not running; waiting for its start");
    for (int round = 0; round < 2; ++round) {
        machine.start_avahi();
        publisher.expect_log(R"(advertised on the network as "studio", port 7340)");
        discover_names(machine, {"studio"});
        machine.stop_avahi();
        publisher.expect_log("not advertised on the network");
    }
    EXPECT_TRUE(publisher.process().running());
}

TEST(Discovery, WaitsForDBusAndSurvivesItsRestart) {
    AvahiMachine machine;
    machine.stop_avahi();
    machine.stop_bus();
    Publisher publisher{machine, "studio"};
    publisher.expect_log("not advertised on the network: D-Bus is not running");
    machine.start_bus();
    machine.start_avahi();
    publisher.expect_log(R"(advertised on the network as "studio", port 7340)");
    discover_names(machine, {"studio"});
    machine.stop_avahi();
    machine.stop_bus();
    publisher.expect_log("not advertised on the network: ");
    machine.start_bus();
    machine.start_avahi();
    discover_names(machine, {"studio"});
}

TEST(Discovery, AHangingAvahiDelaysNeitherExitNorSearch) {
    AvahiMachine machine;
    Publisher publisher{machine, "studio"};
    publisher.expect_log(R"(as "studio")");
    machine.avahi().signal(SIGSTOP);
    // Without the limits, both would wait for 25 s, the timeout of D-Bus.
    publisher.process().signal(SIGTERM);
    EXPECT_EQ(publisher.process().wait(std::chrono::seconds{15}), kDone);
    const RunResult result = run(discover_command(machine, {"--for", "100ms"}));
    EXPECT_EQ(result.status, (ExitStatus{3, 0}));
    EXPECT_TRUE(has(result.error, "no Avahi daemon responds on this machine (timeout)")) << result.error;
    machine.avahi().signal(SIGCONT);
    discover_names(machine, {});
}

TEST(Discovery, WithoutAvahiTheSearchSaysWhatToStart) {
    AvahiMachine machine;
    machine.stop_avahi();
    const auto expect_refused = [&] {
        const RunResult text = run(discover_command(machine, {}));
        EXPECT_EQ(text.status, (ExitStatus{3, 0}));
        EXPECT_EQ(text.output, "");
        EXPECT_TRUE(has(text.error, "rtactl: cannot search the network: no Avahi daemon responds")) << text.error;
        EXPECT_TRUE(has(text.error, "install the package avahi-daemon and start it")) << text.error;
        EXPECT_EQ(std::ranges::count(text.error, '\n'), 1) << text.error;
        const RunResult json = run(discover_command(machine, {"--json"}));
        EXPECT_EQ(json.status, (ExitStatus{3, 0}));
        EXPECT_EQ(json.error, "");
        EXPECT_TRUE(has(json.output, R"("code":"UNAVAILABLE")")) << json.output;
    };
    expect_refused();
    machine.stop_bus();
    expect_refused();
}

TEST(Discovery, TextFromTheNetworkCannotControlTheTerminal) {
    const AvahiMachine machine;
    Publisher publisher{machine, "a\x1b[31mb\nc\u202Ed"};
    publisher.expect_log("advertised on the network");
    discover_until(machine, [](const Found& found) {
        return found.size() == 1 && text_of(found[0], "name") == "a\x1b[31mb\nc\u202Ed" &&
               text_of(found[0], "host") != "";
    });
    const std::string table = run(discover_command(machine, {})).output;
    EXPECT_TRUE(has(table, "a\\x1b[31mb\\x0ac\\xe2\\x80\\xaed  studio.local:7340")) << table;
    const std::string json = run(discover_command(machine, {"--json"})).output;
    for (const std::string& output : {table, json}) {
        EXPECT_FALSE(has(output, "\x1b")) << output;
        EXPECT_FALSE(has(output, "\u202E")) << output;
    }
    EXPECT_EQ(std::ranges::count(json, '\n'), 1) << json;
}

TEST(Discovery, TheTimeToSearchIsChecked) {
    for (const char* time : {"50ms", "2h", "soon", "-1", ""}) {
        const RunResult result = run({rtactl_program().string(), {"discover", "--for", time}, {}});
        EXPECT_EQ(result.status, (ExitStatus{2, 0})) << time;
        EXPECT_TRUE(has(result.error, "rtactl: --for: ")) << result.error;
    }
}

TEST(Discovery, RtadIsFoundOnAnotherMachineAndReachedThere) {
    const AvahiMachine studio{"studio"};
    const AvahiMachine office{"office", studio};
    const TemporaryDirectory directory;
    const auto start = [&](const std::string& name) {
        const std::filesystem::path tokens = directory / (name + "-tokens");
        std::filesystem::copy_file(test_token().tokens(), tokens);
        return std::make_unique<Process>(studio.inside(
            {rtad_program().string(),
             {"--device", "null", "--advertise", "--listen", "0.0.0.0:0", "--socket", std::string{directory / name},
              "--state-dir", std::string{directory / (name + "-state")}, "--tokens", tokens.string()},
             {}}));
    };
    const auto first = start("first");
    EXPECT_TRUE(first->wait_for_line(Process::Stream::error, R"(advertised on the network as "studio", port )"));
    const auto second = start("second");
    EXPECT_TRUE(second->wait_for_line(Process::Stream::error, R"(advertised on the network as "studio #2", port )"));
    const Found found = discover_names(office, {"studio", "studio #2"});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_TRUE(has_address(found[0], studio.address())) << found[0].ShortDebugString();
    const std::string fingerprint = text_of(found[0], "fingerprint");
    EXPECT_TRUE(has(first->error(), fingerprint)) << fingerprint;
    EXPECT_NE(fingerprint, text_of(found[1], "fingerprint"));

    const auto port = static_cast<int>(found[0].fields().at("port").number_value());
    const RunResult status =
        run(office.inside({rtactl_program().string(),
                           {"--host", studio.address() + ":" + std::to_string(port), "--tls-fingerprint", fingerprint,
                            "--token-file", test_token().file().string(), "--json", "status"},
                           {}}));
    EXPECT_EQ(status.status, kDone) << status.error << status.output;
    EXPECT_TRUE(has(status.output, text_of(found[0], "instance"))) << "the same instance";

    first->signal(SIGTERM);
    EXPECT_EQ(first->wait(), kDone) << first->error();
    discover_names(office, {"studio #2"});
}

TEST(Discovery, RtadWarnsIfItListensOnLoopbackOnly) {
    const AvahiMachine machine;
    const TemporaryDirectory directory;
    Process rtad{machine.inside(
        {rtad_program().string(),
         {"--device", "null", "--advertise", "--listen", "127.0.0.1:0", "--socket", std::string{directory / "s"}},
         {}})};
    EXPECT_TRUE(rtad.wait_for_line(Process::Stream::error, "--advertise has no effect: other machines cannot reach"));
    EXPECT_TRUE(rtad.wait_for_line(Process::Stream::error, "device: null"));
    EXPECT_TRUE(discover(machine).empty());
    rtad.signal(SIGTERM);
    EXPECT_EQ(rtad.wait(), kDone) << rtad.error();
}

}  // namespace
}  // namespace rta::test
