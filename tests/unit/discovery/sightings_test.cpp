// SPDX-License-Identifier: MIT
#include "discovery/sightings.h"

#include <gtest/gtest.h>

namespace rta::client {
namespace {

Sightings::Answer answer(const std::string& host, std::uint16_t port, const std::string& address) {
    return {.host = host, .port = port, .address = address, .records = {{"version", "1.2"}, {"tls", "1"}}};
}

using Daemons = std::vector<FoundDaemon>;

TEST(Sightings, JoinsTheInterfacesOfADaemon) {
    Sightings sightings;
    const std::string link_local = "fe80::1%lan";
    EXPECT_TRUE(sightings.appeared({"a", 1, 0}));
    EXPECT_FALSE(sightings.appeared({"a", 1, 0}));
    EXPECT_TRUE(sightings.appeared({"a", 1, 1}));
    EXPECT_TRUE(sightings.appeared({"a", 2, 1}));
    EXPECT_TRUE(sightings.appeared({"a", 3, 0}));
    sightings.answered({"a", 1, 1}, answer("h.local", 7340, link_local));
    sightings.answered({"a", 2, 1}, answer("h.local", 7340, "2001:db8::1"));
    sightings.answered({"a", 1, 0}, answer("h.local", 7340, "192.0.2.1"));
    sightings.answered({"a", 3, 0}, answer("h.local", 7340, ""));
    EXPECT_EQ(sightings.discovery().daemons, (Daemons{{.name = "a",
                                                       .host = "h.local",
                                                       .port = 7340,
                                                       .addresses = {"192.0.2.1", "2001:db8::1", link_local},
                                                       .version = "1.2",
                                                       .tls = true}}));
}

TEST(Sightings, ShowsADaemonThatDoesNotAnswer) {
    Sightings sightings;
    sightings.appeared({"b", 1, 0});
    sightings.appeared({"a", 1, 0});
    sightings.appeared({"a", 2, 0});
    EXPECT_EQ(sightings.discovery().daemons, (Daemons{{.name = "a"}, {.name = "b"}}));
    sightings.answered({"a", 2, 0}, answer("h.local", 1, "192.0.2.1"));
    const Daemons daemons = sightings.discovery().daemons;
    ASSERT_EQ(daemons.size(), 2U);
    EXPECT_EQ(daemons[0].host, "h.local");
    EXPECT_EQ(daemons[1], FoundDaemon{.name = "b"});
}

TEST(Sightings, HostsThatClaimTheSameNameAreListedSeparately) {
    Sightings sightings;
    sightings.appeared({"a", 1, 0});
    sightings.appeared({"a", 2, 0});
    sightings.answered({"a", 1, 0}, answer("h.local", 7340, "192.0.2.1"));
    sightings.answered({"a", 2, 0}, answer("g.local", 7340, "192.0.2.9"));
    const Daemons daemons = sightings.discovery().daemons;
    ASSERT_EQ(daemons.size(), 2U);
    EXPECT_EQ(daemons[0].host, "g.local");
    EXPECT_EQ(daemons[1].addresses, std::vector<std::string>{"192.0.2.1"});
}

TEST(Sightings, WhatDisappearsIsLeftOut) {
    Sightings sightings;
    sightings.appeared({"a", 1, 0});
    sightings.disappeared({"a", 1, 0});
    sightings.answered({"a", 1, 0}, answer("h.local", 7340, "192.0.2.1"));
    EXPECT_TRUE(sightings.discovery().daemons.empty());
}

TEST(Sightings, IgnoresValuesThatNoDaemonPublishes) {
    Sightings sightings;
    sightings.appeared({"a", 1, 0});
    Sightings::Answer wrong{.host = "h.local", .port = 1};
    wrong.records = {{"version", std::string(kMaximumValueBytes + 1, 'x')},
                     {"fingerprint", std::string(kMaximumValueBytes, 'x')},
                     {"tls", "yes"},
                     {"colour", "red"}};
    sightings.answered({"a", 1, 0}, wrong);
    EXPECT_EQ(
        sightings.discovery().daemons,
        (Daemons{{.name = "a", .host = "h.local", .port = 1, .fingerprint = std::string(kMaximumValueBytes, 'x')}}));
}

TEST(Sightings, TheirNumberIsLimited) {
    Sightings sightings;
    for (std::size_t i = 0; i < Sightings::kMaximum; ++i) {
        EXPECT_TRUE(sightings.appeared({"daemon " + std::to_string(i), 1, 0}));
    }
    EXPECT_TRUE(sightings.discovery().complete);
    EXPECT_FALSE(sightings.appeared({"one more", 1, 0}));
    EXPECT_FALSE(sightings.discovery().complete);
    EXPECT_EQ(sightings.discovery().daemons.size(), Sightings::kMaximum);
}

}  // namespace
}  // namespace rta::client
