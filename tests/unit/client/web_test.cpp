// SPDX-License-Identifier: MIT
// `rtactl web`: the address of the page, and its QR code.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "fake_rtad.h"
#include "rtactl/drawing/qr_code.h"
#include "support/process.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

const std::string kCode = "#code=CCCCCCCCCCCCCCCCCCCC";

/// A daemon with these addresses of its page.
FakeRtad daemon_with_page(std::vector<std::string> urls, std::uint32_t session_lifetime_s = 43'200) {
    return FakeRtad{[urls = std::move(urls), session_lifetime_s](const v1::Request& request) -> std::optional<Reply> {
        v1::Response response = ok(request);
        if (request.has_get_status()) {
            *response.mutable_get_status() = fake_status();
            response.mutable_get_status()->set_tls_fingerprint("SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0");
            for (const std::string& url : urls) response.mutable_get_status()->add_web_urls(url);
        } else if (request.has_create_code()) {
            response.mutable_create_code()->set_role(request.create_code().role());
            response.mutable_create_code()->set_lifetime_s(120);
            response.mutable_create_code()->set_session_lifetime_s(session_lifetime_s);
            for (const std::string& url : urls) response.mutable_create_code()->add_urls(url + kCode);
        } else {
            return std::nullopt;
        }
        return Reply{.bytes = frame(response)};
    }};
}

constexpr std::string_view kBlackOnWhite = "\x1b[38;5;16;48;5;231m";
constexpr std::string_view kReset = "\x1b[0m";

/// Returns the modules that a terminal shows for the lines of a code: true is black. A row of modules is half a line.
std::vector<std::vector<bool>> shown(const std::string& text) {
    std::vector<std::vector<bool>> rows;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(kBlackOnWhite)) continue;
        EXPECT_TRUE(line.ends_with(kReset)) << line;
        std::string_view cells{line};
        cells.remove_prefix(kBlackOnWhite.size());
        cells.remove_suffix(kReset.size());
        std::vector<bool> upper;
        std::vector<bool> lower;
        while (!cells.empty()) {
            const std::string_view cell = cells.substr(0, cells.front() == ' ' ? 1 : 3);
            cells.remove_prefix(cell.size());
            EXPECT_TRUE(cell == " " || cell == "\u2580" || cell == "\u2584" || cell == "\u2588") << cell;
            upper.push_back(cell == "\u2580" || cell == "\u2588");
            lower.push_back(cell == "\u2584" || cell == "\u2588");
        }
        rows.push_back(std::move(upper));
        rows.push_back(std::move(lower));
    }
    return rows;
}

/// Draws the modules as squares on a terminal with this background, and returns what zbarimg reads.
std::string decoded(const std::vector<std::vector<bool>>& rows, char background) {
    constexpr std::size_t kPixels = 6;
    constexpr std::size_t kMargin = 40;
    const std::size_t width = rows.empty() ? 0 : rows.front().size();
    const std::size_t columns = width * kPixels + 2 * kMargin;
    const std::size_t lines = rows.size() * kPixels + 2 * kMargin;
    std::string pixels(columns * lines, background);
    for (std::size_t y = 0; y < rows.size() * kPixels; ++y) {
        EXPECT_EQ(rows[y / kPixels].size(), width);
        for (std::size_t x = 0; x < width * kPixels; ++x) {
            const bool black = rows[y / kPixels][x / kPixels];
            pixels[(y + kMargin) * columns + x + kMargin] = black ? '\0' : '\xFF';
        }
    }
    const TemporaryDirectory folder;
    const std::string file = folder / "code.pgm";
    std::ofstream{file, std::ios::binary} << "P5\n" << columns << ' ' << lines << "\n255\n" << pixels;
    Process reader{{.program = "zbarimg", .arguments = {"--quiet", "--raw", file}}};
    EXPECT_EQ(reader.wait(), ExitStatus{.code = 0}) << reader.error();
    return reader.output();
}

TEST(Web, IsOneLineUnlessTheOutputIsATerminal) {
    FakeRtad rtad = daemon_with_page({"https://studio.local:7341/"});
    const Outcome printed = rtad.run({"web"});
    EXPECT_EQ(printed.exit, rtactl::Exit::done);
    EXPECT_EQ(printed.out, "https://studio.local:7341/" + kCode + "\n");
    EXPECT_EQ(printed.err, "");
    EXPECT_EQ(rtad.last_change().create_code().role(), "control");
    EXPECT_EQ(rtad.run({"web", "--role", "read"}).exit, rtactl::Exit::done);
    EXPECT_EQ(rtad.last_change().create_code().role(), "read");
}

TEST(Web, TheCodeCanBeReadOnDarkAndLightTerminals) {
    for (const std::string& url :
         {std::string{"https://192.168.1.20:7341/"}, "https://" + std::string(60, 's') + ".example:65535/"}) {
        FakeRtad rtad = daemon_with_page({"http://127.0.0.1:7341/", url});
        const Outcome printed = rtad.run({"web"}, "", false, 1);
        EXPECT_EQ(printed.exit, rtactl::Exit::done);
        EXPECT_TRUE(printed.out.starts_with(url + kCode + "\n")) << "other machines cannot reach the first one";
        const auto rows = shown(printed.out);
        EXPECT_EQ(decoded(rows, '\0'), url + kCode + "\n");
        EXPECT_EQ(decoded(rows, '\xFF'), url + kCode + "\n");
        EXPECT_EQ(decoded(shown(rtad.run({"web", "--qr"}).out), '\x40'), url + kCode + "\n") << "not a terminal";
        EXPECT_TRUE(shown(rtad.run({"web", "--no-qr"}, "", false, 1).out).empty());
    }
}

TEST(Web, TheCodeHasAQuietZone) {
    const auto code = rtactl::QrCode::of("https://studio.local:7341/" + kCode);
    ASSERT_TRUE(code);
    std::string text;
    for (const std::string& line : rtactl::qr_lines(*code)) text += line + "\n";
    const auto rows = shown(text);
    const std::size_t width = rtactl::qr_columns(*code);
    ASSERT_GE(rows.size(), width);
    for (std::size_t y = 0; y < rows.size(); ++y) {
        ASSERT_EQ(rows[y].size(), width);
        for (std::size_t x = 0; x < width; ++x) {
            const bool outside = std::min(x, y) < 4 || x + 4 >= width || y + 4 >= width;
            EXPECT_FALSE(outside && rows[y][x]) << x << ' ' << y;
        }
    }
    EXPECT_TRUE(rows[4][4]) << "the corner of the finder pattern";
    EXPECT_FALSE(rtactl::QrCode::of(std::string(5'000, 'a'))) << "more than a code can hold";
}

TEST(Web, ATerminalShowsWhatAPhoneWillSay) {
    FakeRtad rtad = daemon_with_page({"https://studio.local:7341/"});
    const std::string text = rtad.run({"web", "--no-qr"}, "", false, 1).out;
    EXPECT_TRUE(has(text, "One browser can open it within 120 s, with the role control.")) << text;
    EXPECT_TRUE(has(text, "self-signed certificate")) << text;
    EXPECT_TRUE(has(text, " It then needs no code for 12 h 0 min.\n")) << text;
    // As `openssl x509 -fingerprint -sha256` prints it.
    EXPECT_TRUE(has(text,
                    "\nBA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:"
                    "15:AD\n"))
        << text;
}

TEST(Web, ATerminalShowsHowLongTheBrowserIsAdmitted) {
    const auto text = [](std::uint32_t session_lifetime_s) {
        return daemon_with_page({"https://studio.local:7341/"}, session_lifetime_s)
            .run({"web", "--no-qr"}, "", false, 1)
            .out;
    };
    EXPECT_TRUE(has(text(5'400), " It then needs no code for 1 h 30 min, until the access of this client ends.\n"));
    EXPECT_TRUE(has(text(0), " It then needs no code for 12 h at most.\n")) << "a daemon that does not say it";
}

TEST(Web, ALoopbackAddressIsForThisMachineOnly) {
    for (const std::string url : {"http://127.0.0.1:7341/", "http://[::1]:7341/", "https://localhost:7341/"}) {
        FakeRtad rtad = daemon_with_page({url});
        const std::string text = rtad.run({"web"}, "", false, 1).out;
        EXPECT_TRUE(has(text, "Only browsers on the machine of rtad can open it")) << text;
        EXPECT_FALSE(has(text, "self-signed")) << text;
        EXPECT_TRUE(shown(text).empty()) << "no phone can open it";
        EXPECT_FALSE(shown(rtad.run({"web", "--qr"}, "", false, 1).out).empty());
    }
}

TEST(Web, ADaemonWithoutAPageIsNotAskedForACode) {
    FakeRtad rtad;
    const Outcome refused = rtad.run({"web"});
    EXPECT_EQ(refused.exit, rtactl::Exit::refused);
    EXPECT_EQ(refused.out, "");
    EXPECT_EQ(
        refused.err,
        "rtactl: this rtad serves no page, because it runs without --web: start it with `rtad --web HOST:PORT`\n");
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(Web, OptionsThatContradictAreUsageErrors) {
    FakeRtad rtad = daemon_with_page({"https://studio.local:7341/"});
    EXPECT_EQ(rtad.run({"web", "--qr", "--no-qr"}).exit, rtactl::Exit::usage);
    EXPECT_EQ(rtad.run({"web", "now"}).exit, rtactl::Exit::usage);
    EXPECT_EQ(rtad.change_count(), 0U);
}

TEST(Web, JsonIsTheResponse) {
    FakeRtad rtad = daemon_with_page({"https://studio.local:7341/"});
    const Outcome json = rtad.run({"--json", "web"});
    EXPECT_EQ(parse_json<v1::Response>(json.out).create_code().urls(0), "https://studio.local:7341/" + kCode);
}

TEST(Web, TheListOfTokensAndTheStatusHaveTheSession) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        v1::Response response = ok(request);
        if (request.has_list_tokens()) {
            v1::SessionState& session = *response.mutable_list_tokens()->add_sessions();
            session.set_name("session/1");
            session.set_role("control");
            session.set_author("code of desk");
            session.set_created_s(1'796'012'884);
            session.set_expires_s(1'796'056'084);
            session.set_client_count(1);
        } else if (request.has_get_status()) {
            *response.mutable_get_status() = fake_status();
            response.mutable_get_status()->add_web_urls("https://studio.local:7341/");
            v1::ClientState& client = *response.mutable_get_status()->mutable_clients(0);
            client.set_author("code of desk");
            client.set_session("session/1");
        } else {
            return std::nullopt;
        }
        return Reply{.bytes = frame(response)};
    }};
    EXPECT_EQ(rtad.run({"token", "list"}).out,
              "no access tokens: clients on TCP need none\n\n"
              "SESSION    ROLE     CLIENTS  BEGAN                 ENDS                  AUTHOR\n"
              "session/1  control  1        2026-11-30T04:28:04Z  2026-11-30T16:28:04Z  code of desk\n");
    const std::string status = rtad.run({"status"}).out;
    EXPECT_TRUE(has(status, "https://studio.local:7341/")) << status;
    EXPECT_TRUE(has(status, "code of desk (session/1)")) << status;
}

}  // namespace
}  // namespace rta::test
