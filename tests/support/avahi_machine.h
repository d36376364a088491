// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "support/process.h"
#include "support/temporary.h"

namespace rta::test {

/// A machine for tests of discovery: a separate network with one interface, `lan`, and a separate D-Bus and Avahi daemon.
/// Takes root (network namespaces) and the packages dbus-daemon, avahi-daemon and iproute2; throws std::runtime_error
/// with the output of the program that fails.
class AvahiMachine {
 public:
    /// Starts a machine without neighbours. Returns when Avahi has registered the host name.
    explicit AvahiMachine(std::string host_name = "studio");
    /// Starts a machine on the network of `neighbour`.
    AvahiMachine(std::string host_name, const AvahiMachine& neighbour);
    AvahiMachine(const AvahiMachine&) = delete;
    AvahiMachine& operator=(const AvahiMachine&) = delete;
    ~AvahiMachine() = default;

    /// Returns the IPv4 address of the interface.
    [[nodiscard]] const std::string& address() const { return address_; }
    /// Returns the environment in which programs find this D-Bus.
    [[nodiscard]] std::map<std::string, std::string> environment() const;
    /// Returns the command, to be run on this machine.
    [[nodiscard]] Command inside(Command command) const;

    void stop_avahi() { avahi_.reset(); }
    void start_avahi();
    void stop_bus() { bus_.reset(); }
    void start_bus();
    [[nodiscard]] Process& avahi() { return *avahi_; }

 private:
    void start(std::string_view interface_setup);

    TemporaryDirectory directory_;
    std::string host_name_;
    std::string address_;
    std::unique_ptr<Process> namespaces_;  ///< keeps the namespaces
    std::unique_ptr<Process> bus_;
    std::unique_ptr<Process> avahi_;
};

}  // namespace rta::test
