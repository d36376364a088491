// SPDX-License-Identifier: MIT
#include "api/entry.h"

#include <gtest/gtest.h>

namespace rta::api {
namespace {

using Door = Entry::Door;

std::string network(const std::string& address) { return network_of({.door = Door::tls, .address = address}); }

TEST(Network, IsTheIpv4AddressOrTheNetworkOfTheIpv6Address) {
    EXPECT_EQ(network("192.0.2.7:5000"), "192.0.2.7");
    EXPECT_EQ(network("[::ffff:192.0.2.7]:5000"), "192.0.2.7");
    EXPECT_EQ(network("[2001:db8:1:2:3:4:5:6]:5000"), "2001:db8:1:2::/64");
    EXPECT_EQ(network("[2001:db8:1:2::]:1"), "2001:db8:1:2::/64");
    EXPECT_EQ(network("[2001:db8:1:3::1]:1"), "2001:db8:1:3::/64");
}

TEST(Network, OfALinkIsItsAddress) {
    // All machines of a link share the first 64 bits.
    EXPECT_EQ(network("[fe80::1]:1"), "fe80::1");
    EXPECT_EQ(network("[fe80::1%eth0]:7340"), "fe80::1%eth0");
    EXPECT_NE(network("[fe80::1%eth0]:7340"), network("[fe80::1%eth1]:7340"));
}

TEST(Network, OfTheMachineItselfIsOne) {
    for (const char* const address : {"127.0.0.1:1", "127.9.8.7:1", "[::1]:1", "[::ffff:127.0.0.1]:1"}) {
        EXPECT_EQ(network(address), "loopback") << address;
    }
}

TEST(Network, IsEmptyWithoutAnIpAddress) {
    EXPECT_EQ(network_of({.door = Door::unix_socket, .address = "/run/s", .user_id = 7}), "");
    EXPECT_EQ(network_of({.door = Door::unix_socket, .address = "192.0.2.7:1"}), "") << "a path";
    EXPECT_EQ(network(""), "") << "disconnected before it was identified";
    EXPECT_EQ(network_of({.address = "memory"}), "");
    EXPECT_EQ(network("[:1"), "");
}

}  // namespace
}  // namespace rta::api
