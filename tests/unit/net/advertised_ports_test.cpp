// SPDX-License-Identifier: MIT
#include "net/advertised_ports.h"

#include <gtest/gtest.h>

#include "net/advertisement.h"

namespace rta::net {
namespace {

using Family = AdvertisedPlace::Family;
using Ports = std::vector<AdvertisedPort>;

/// On this machine, 192.0.2.N and 2001:db8::N are addresses of interface N.
std::uint32_t test_interface(const asio::ip::address& address) {
    return address.is_v4() ? address.to_v4().to_bytes().back() : address.to_v6().to_bytes().back();
}

Ports ports(const std::vector<std::string>& addresses) { return advertised_ports(addresses, &test_interface); }

TEST(AdvertisedPorts, LoopbackIsLeftOut) {
    EXPECT_EQ(ports({}), Ports{});
    EXPECT_EQ(ports({"127.0.0.1:7340", "127.8.9.1:1", "[::1]:7340"}), Ports{});
    EXPECT_FALSE(any_reachable(std::vector<std::string>{"127.0.0.1:7340", "[::1]:7340"}));
    EXPECT_TRUE(any_reachable(std::vector<std::string>{"127.0.0.1:7340", "192.0.2.1:7340"}));
}

TEST(AdvertisedPorts, AllAddressesMeanAllInterfaces) {
    EXPECT_EQ(ports({"0.0.0.0:7340"}), (Ports{{7340, {{0, Family::ipv4}}}}));
    EXPECT_EQ(ports({"[::]:7340"}), (Ports{{7340, {{0, Family::both}}}}));
}

TEST(AdvertisedPorts, AnAddressMeansItsInterfaceAndFamily) {
    EXPECT_EQ(ports({"192.0.2.3:7340"}), (Ports{{7340, {{3, Family::ipv4}}}}));
    EXPECT_EQ(ports({"[2001:db8::4]:7340"}), (Ports{{7340, {{4, Family::ipv6}}}}));
    EXPECT_EQ(ports({"192.0.2.3:7340", "192.0.2.5:7340", "[2001:db8::3]:7340"}),
              (Ports{{7340, {{3, Family::ipv4}, {5, Family::ipv4}, {3, Family::ipv6}}}}));
    EXPECT_EQ(ports({"192.0.2.3:1", "127.0.0.1:2", "192.0.2.3:3"}),
              (Ports{{1, {{3, Family::ipv4}}}, {3, {{3, Family::ipv4}}}}));
}

TEST(AdvertisedPorts, NoPlaceContainsAnother) {
    // Avahi would take the second one for a collision.
    const Ports everywhere{{7340, {{0, Family::both}}}};
    EXPECT_EQ(ports({"0.0.0.0:7340", "[::]:7340"}), everywhere);
    EXPECT_EQ(ports({"[::]:7340", "0.0.0.0:7340"}), everywhere);
    EXPECT_EQ(ports({"192.0.2.3:7340", "[2001:db8::4]:7340", "[::]:7340"}), everywhere);
    EXPECT_EQ(ports({"192.0.2.3:7340", "192.0.2.3:7340"}), (Ports{{7340, {{3, Family::ipv4}}}}));
    EXPECT_EQ(ports({"0.0.0.0:7340", "[2001:db8::4]:7340"}), (Ports{{7340, {{0, Family::ipv4}, {4, Family::ipv6}}}}));
}

TEST(AdvertisedPorts, TheSystemKnowsTheInterfaceOfAnAddress) {
    EXPECT_NE(interface_of(asio::ip::make_address("127.0.0.1")), 0U) << "lo";
    EXPECT_EQ(interface_of(asio::ip::make_address("203.0.113.77")), 0U) << "not an address of this machine";
    asio::ip::address_v6 link_local = asio::ip::make_address_v6("fe80::1");
    link_local.scope_id(7);
    EXPECT_EQ(interface_of(link_local), 7U);
}

TEST(ServiceName, HasOneTo63PrintableBytes) {
    EXPECT_TRUE(check_service_name("Studio A on %h"));
    EXPECT_TRUE(check_service_name("Régie"));
    EXPECT_TRUE(check_service_name(std::string(63, 'x')));
    for (const std::string& name : {std::string{}, std::string(64, 'x'), std::string{"a\nb"}, std::string{"\xFF"}}) {
        const auto checked = check_service_name(name);
        ASSERT_FALSE(checked) << name;
        EXPECT_EQ(checked.error().code, ErrorCode::invalid_argument);
        EXPECT_NE(checked.error().sentence.find("expected 1 to 63 bytes of printable text"), std::string::npos);
    }
}

}  // namespace
}  // namespace rta::net
