// SPDX-License-Identifier: MIT
#include "net/web/web_site.h"

#include <gtest/gtest.h>

#include <asio/io_context.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../api/fake_access.h"
#include "net/web/web_turns.h"

namespace rta::net {
namespace {

using std::chrono::milliseconds;

class WebSiteTest : public testing::Test {
 protected:
    WebSite::Answer get(const std::string& path, std::vector<HttpRequest::Field> fields = {}) {
        fields.push_back({"host", "localhost"});
        return site.answer({.method = "GET", .target = path, .path = path, .fields = std::move(fields)},
                           {.entry = {.door = api::Entry::Door::loopback, .address = "127.0.0.1:1"}, .local = {}}, now);
    }
    int status(const std::string& path, const std::string& from, const std::string& mode, const std::string& target) {
        return get(path, {{"sec-fetch-site", from}, {"sec-fetch-mode", mode}, {"sec-fetch-dest", target}})
            .response.status;
    }

    const std::vector<std::string> hosts{"localhost"};
    WebSite::TimePoint now{std::chrono::hours{1}};
    int rendered = 0;
    api::test::FakeAccess access;
    asio::io_context io;
    WebSite site{{.hosts = hosts, .hooks = {.metrics = [this] { return "metrics " + std::to_string(++rendered); }}},
                 WebNames{hosts, {}, 80, false},
                 access,
                 [](LogLevel, std::string_view) {},
                 std::make_shared<WebTurns>(io.get_executor())};
};

TEST_F(WebSiteTest, MetricsAreRenderedOnceForRequestsThatComeTogether) {
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(*get("/metrics").response.body, "metrics 1");
        now += milliseconds{1};
    }
    EXPECT_EQ(*get("/metrics").response.body, "metrics 2");
    access.add("desk", Role::read);
    EXPECT_EQ(get("/metrics").response.status, 401) << "whether they may be read is decided for each request";
}

TEST_F(WebSiteTest, PagesOfOtherSitesCannotRequestAnything) {
    for (const char* const from : {"cross-site", "same-site", "", "None"}) {
        for (const char* const path : {"/metrics", "/", "/main.js"}) {
            EXPECT_EQ(status(path, from, "no-cors", "image"), 403) << from << ' ' << path;
            EXPECT_EQ(status(path, from, "cors", "empty"), 403) << from << ' ' << path;
            EXPECT_EQ(status(path, from, "navigate", "iframe"), 403) << from << ' ' << path;
        }
    }
    EXPECT_EQ(rendered, 0);
    EXPECT_EQ(status("/metrics", "same-origin", "cors", "empty"), 200);
    EXPECT_EQ(status("/metrics", "none", "navigate", "document"), 200) << "an address that was typed";
    EXPECT_EQ(status("/metrics", "cross-site", "navigate", "document"), 200) << "a link";
}

}  // namespace
}  // namespace rta::net
