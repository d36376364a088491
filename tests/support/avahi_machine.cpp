// SPDX-License-Identifier: MIT
#include "support/avahi_machine.h"

#include <cstdlib>
#include <stdexcept>

namespace rta::test {
namespace {

constexpr std::string_view kBusConfiguration = R"(<busconfig>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
)";

constexpr std::string_view kAvahiConfiguration = R"([server]
host-name=HOST
[wide-area]
enable-wide-area=no
[publish]
publish-hinfo=no
publish-workstation=no
)";

std::string replaced(std::string_view text, std::string_view mark, std::string_view by) {
    std::string result{text};
    return result.replace(result.find(mark), mark.size(), by);
}

void expect_line(Process& process, Process::Stream stream, std::string_view part) {
    if (process.wait_for_line(stream, part)) return;
    process.kill();
    throw std::runtime_error(process.name() + " does not start:\n" + process.output() + process.error());
}

/// Each machine has one end of a virtual cable. The other end stays next to it until a neighbour takes it.
constexpr std::string_view kOwnCable = "ip link add lan type veth peer name cable && ip link set cable up && ";

std::string interface_up(const std::string& address) {
    return "ip addr add " + address + "/24 dev lan && ip link set lan up";
}

}  // namespace

AvahiMachine::AvahiMachine(std::string host_name) : host_name_{std::move(host_name)}, address_{"192.0.2.1"} {
    start(std::string{kOwnCable} + interface_up(address_));
}

AvahiMachine::AvahiMachine(std::string host_name, const AvahiMachine& neighbour)
    : host_name_{std::move(host_name)}, address_{"192.0.2.2"} {
    // The neighbour's cable is moved here once these namespaces exist.
    start("read moved && ip link set cable name lan && " + interface_up(address_));
    const RunResult moved =
        run(neighbour.inside({"ip", {"link", "set", "cable", "netns", std::to_string(namespaces_->pid())}, {}}));
    if (moved.status != ExitStatus{0, 0}) throw std::runtime_error("cannot move the cable: " + moved.error);
    namespaces_->write("moved\n");
    expect_line(*namespaces_, Process::Stream::output, "ready");
    start_bus();
    start_avahi();
}

/// Creates the namespaces, then runs the shell commands of `interface_setup` in them. With a separate /run, because Avahi
/// keeps the number of its process there.
void AvahiMachine::start(std::string_view interface_setup) {
    const std::string script =
        "mount -t tmpfs tmpfs /run && mkdir /run/avahi-daemon && ip link set lo up && echo separate && " +
        std::string{interface_setup} + " && echo ready && exec cat";
    namespaces_ = std::make_unique<Process>(
        Command{"unshare", {"--net", "--mount", "--propagation", "private", "--", "sh", "-c", script}});
    expect_line(*namespaces_, Process::Stream::output, "separate");
    if (interface_setup.starts_with("read")) return;
    expect_line(*namespaces_, Process::Stream::output, "ready");
    start_bus();
    start_avahi();
}

void AvahiMachine::start_bus() {
    const std::string socket = directory_ / "bus";
    const std::string configuration = directory_ / "bus.conf";
    std::filesystem::remove(socket);
    write_text(configuration, replaced(kBusConfiguration, "SOCKET", socket));
    bus_ = std::make_unique<Process>(
        Command{"dbus-daemon", {"--config-file=" + configuration, "--nofork", "--nopidfile", "--print-address"}});
    expect_line(*bus_, Process::Stream::output, "unix:path=");
}

void AvahiMachine::start_avahi() {
    const std::string configuration = directory_ / "avahi.conf";
    write_text(configuration, replaced(kAvahiConfiguration, "HOST", host_name_));
    avahi_ = std::make_unique<Process>(
        inside({"avahi-daemon", {"--file=" + configuration, "--no-drop-root", "--no-chroot", "--no-rlimits"}, {}}));
    expect_line(*avahi_, Process::Stream::error, "Server startup complete");
}

std::map<std::string, std::string> AvahiMachine::environment() const {
    const char* const options = std::getenv("TSAN_OPTIONS");
    return {{"DBUS_SYSTEM_BUS_ADDRESS", "unix:path=" + std::string{directory_ / "bus"}},
            // libdbus takes two of its locks in both orders, on one thread. Races are still reported.
            {"TSAN_OPTIONS", std::string{options == nullptr ? "" : options} + " detect_deadlocks=0"}};
}

Command AvahiMachine::inside(Command command) const {
    std::vector<std::string> arguments{"--target",     std::to_string(namespaces_->pid()), "--net", "--mount", "--",
                                       command.program};
    arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
    command.environment.merge(environment());
    return {"nsenter", std::move(arguments), std::move(command.environment)};
}

}  // namespace rta::test
