// SPDX-License-Identifier: MIT
#include "app/web_urls.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rta::app {
namespace {

using Texts = std::vector<std::string>;

TEST(WebUrls, WhatWorksBestOnOtherMachinesIsFirst) {
    const Texts hosts{"studio", "localhost", "127.0.0.1", "::1", "fe80::1", "2001:db8::7", "192.168.1.20", "10.0.0.2"};
    EXPECT_EQ(web_urls("https://studio:8443/", hosts, Texts{}),
              (Texts{"https://192.168.1.20:8443/", "https://10.0.0.2:8443/", "https://[2001:db8::7]:8443/",
                     "https://studio:8443/"}));
    EXPECT_EQ(web_urls("https://studio:8443/", Texts{"studio", "192.168.1.20"}, Texts{"studio.lan", "a.example:443"}),
              (Texts{"https://studio.lan:8443/", "https://a.example:443/", "https://192.168.1.20:8443/",
                     "https://studio:8443/"}));
}

TEST(WebUrls, NamesThatAreAlsoAddressesOfTheMachineAppearOnce) {
    EXPECT_EQ(web_urls("https://[2001:db8::7]:8443/", Texts{"2001:db8::7"}, Texts{"[2001:db8::7]", "[2001:db8::8]:9"}),
              (Texts{"https://[2001:db8::7]:8443/", "https://[2001:db8::8]:9/"}));
}

TEST(WebUrls, ALoopbackAddressIsTheOnlyOne) {
    for (const std::string served :
         {"http://localhost:8080/", "http://127.0.0.1:8080/", "http://127.1.2.3:80/", "https://[::1]:8443/"}) {
        EXPECT_EQ(web_urls(served, Texts{"studio", "192.168.1.20"}, Texts{"studio.lan"}), Texts{served});
    }
}

TEST(WebUrls, WithoutAnyNameItIsThatOfTheServer) {
    EXPECT_EQ(web_urls("https://studio:8443/", Texts{"localhost"}, Texts{}), Texts{"https://studio:8443/"});
}

}  // namespace
}  // namespace rta::app
