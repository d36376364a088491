// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "rta/endpoint.h"
#include "rta/requests.h"
#include "rtactl/context/context.h"
#include "rtactl/context/error_report.h"
#include "rtactl/drawing/picture.h"
#include "rtactl/drawing/qr_code.h"
#include "rtactl/drawing/wording.h"

namespace rta::rtactl::commands {

namespace {

/// A phone is lent, lost and looked over: `admin` must be asked for.
constexpr std::string_view kDefaultRole = "control";

/// Returns whether only browsers on the machine of the daemon can open the address.
bool is_local(std::string_view url) {
    url.remove_prefix(std::min(url.find("://") + 3, url.size()));
    const auto endpoint = client::parse_tcp_endpoint(url.substr(0, url.find('/')));
    return endpoint && client::is_loopback(*endpoint);
}

bool is_encrypted(std::string_view url) { return url.starts_with("https://"); }

/// Returns the fingerprint `SHA256:` and base64 as browsers show it, "AB:CD:..."; empty if it has another form.
std::string browser_fingerprint(std::string_view text) {
    constexpr std::string_view kStart = "SHA256:";
    constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    constexpr std::string_view kHex = "0123456789ABCDEF";
    if (!text.starts_with(kStart)) return {};
    std::string hex;
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char character : text.substr(kStart.size())) {
        const std::size_t digit = kBase64.find(character);
        if (digit == std::string_view::npos) return {};
        bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        if (!hex.empty()) hex += ':';
        hex += kHex[bits >> (count + 4) & 0xFU];
        hex += kHex[bits >> count & 0xFU];
    }
    return hex;
}

/// Prints the code unless the terminal is too narrow: wrapped lines are no code.
void draw_code(Context& context, const std::string& url) {
    Streams& streams = context.streams();
    const auto code = QrCode::of(url);
    if (!code) return warn(streams, "the address is too long for a QR code");
    const std::size_t columns = qr_columns(*code);
    if (streams.terminal >= 0 && terminal_columns(streams.terminal) < columns) {
        return warn(streams, "the terminal is too narrow for the QR code: expected " + std::to_string(columns) +
                                 " columns; use a wider one, or a smaller font");
    }
    streams.out.flush();
    for (const std::string& line : qr_lines(*code)) streams.unescaped() << line << '\n';
}

/// Returns how long the session of the browser lasts. A daemon that does not say it allows 12 h at most.
std::string session_text(const v1::CreateCodeResult& created) {
    constexpr std::uint64_t kLongestS = 43'200;
    if (created.session_lifetime_s() == 0) return "12 h at most";
    const std::string time = duration_text(static_cast<double>(created.session_lifetime_s()));
    return created.session_lifetime_s() >= kLongestS ? time : time + ", until the access of this client ends";
}

/// Says what the person at the terminal must know about the address.
void print_notes(Context& context, const std::string& url, const v1::CreateCodeResult& created,
                 const std::string& fingerprint) {
    std::ostream& out = context.out();
    out << "One browser can open it within " << created.lifetime_s() << " s, with the role " << created.role()
        << ". It then needs no code for " << session_text(created) << ".\n";
    if (is_local(url)) {
        out << "Only browsers on the machine of rtad can open it: --web has a loopback address.\n";
    } else if (is_encrypted(url)) {
        out << "With a self-signed certificate, such as the one that rtad creates, a browser first warns that the "
               "connection\nis not private, and continues when you accept it.";
        if (const std::string hex = browser_fingerprint(fingerprint); !hex.empty())
            out << " Before that, compare the SHA-256 fingerprint that it shows:\n" << hex;
        out << '\n';
    }
}

Result<void> run_web(Context& context, const Arguments& arguments) {
    const std::string role{arguments.value("--role").value_or(kDefaultRole)};
    if (arguments.has("--qr") && arguments.has("--no-qr"))
        return usage_error("--qr and --no-qr exclude each other: give one of them");
    const auto status = context.call(client::status_request());
    if (!status) return std::unexpected(status.error());
    if (status->get_status().web_urls().empty()) {
        return fail(Exit::refused,
                    "this rtad serves no page, because it runs without --web: start it with `rtad --web HOST:PORT`",
                    v1::FAILED_PRECONDITION);
    }
    const auto response = context.change(client::create_code_request(role));
    if (!response) return std::unexpected(response.error());
    if (context.json()) return {};
    const v1::CreateCodeResult& created = response->create_code();
    if (created.urls().empty()) return fail(Exit::refused, "the daemon sent no address of its page", v1::INTERNAL);
    const auto reachable = std::ranges::find_if_not(created.urls(), is_local);
    const std::string& url = reachable == created.urls().end() ? created.urls(0) : *reachable;
    context.out() << url << '\n';
    const bool on_terminal = context.streams().terminal >= 0;
    if (arguments.has("--qr") || (on_terminal && !arguments.has("--no-qr") && !is_local(url))) draw_code(context, url);
    if (on_terminal) print_notes(context, url, created, status->get_status().tls_fingerprint());
    return {};
}

constexpr std::array kWebOptions{
    Option{"--role", "ROLE", "Give the browser this role: read, control or admin; default: control.", Expects::role},
    Option{"--qr", "", "Draw the QR code also if the output is not a terminal, or the address is a loopback address."},
    Option{"--no-qr", "", "Do not draw the QR code."},
};

}  // namespace

extern constinit const Command kWeb = checked({
    .position = 119,
    .name = "web",
    .help = "Print the address of the daemon's page, with a one-time code, and as a QR code for a phone.",
    .details =
        "The daemon must serve its page: rtad --web HOST:PORT. The address contains a code that lets one browser in,\n"
        "within 2 minutes, with the role of --role, which must not exceed the role of this client. The browser then\n"
        "stays admitted for 12 hours, or until its session is revoked (`rtactl token revoke session/1`), the token of\n"
        "this client is revoked or expires, or rtad exits. Every camera that sees the code can use it: do not show it\n"
        "in public.\n"
        "\n"
        "The QR code is drawn on a terminal, if other machines can reach the address. If the output is not a terminal,\n"
        "only the address is printed. Needs the role control.",
    .example = "rtactl web\n"
               "rtactl web --role read\n"
               "rtactl web --no-qr",
    .options = kWebOptions,
    .run = run_web,
});

}  // namespace rta::rtactl::commands
