// SPDX-License-Identifier: MIT
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <array>
#include <chrono>
#include <ostream>
#include <string>
#include <string_view>

#include "discovery/discovery.h"
#include "rta/endpoint.h"
#include "rtactl/context/context.h"
#include "rtactl/context/error_report.h"
#include "rtactl/drawing/text_table.h"
#include "rtactl/terminal/printable_stream.h"
#include "text/format_number.h"
#include "text/quantity.h"
#include "text/quoting.h"
#include "text/utf8.h"

namespace rta::rtactl::commands {

namespace {

constexpr double kDefaultTimeS = 2;
constexpr double kShortestTimeS = 0.1;
constexpr double kLongestTimeS = 3'600;

Result<std::chrono::milliseconds> parse_time(const Arguments& arguments) {
    double seconds = kDefaultTimeS;
    if (const auto text = arguments.value("--for")) {
        const auto parsed = parse_value(*text, ValueUnit::seconds);
        if (!parsed) return usage_error("--for: " + parsed.error());
        if (!(*parsed >= kShortestTimeS && *parsed <= kLongestTimeS)) {
            return usage_error("--for: " + quoted(*text) + " is out of range; expected " +
                               format_number(kShortestTimeS) + " to " + format_number(kLongestTimeS) + " s");
        }
        seconds = *parsed;
    }
    return std::chrono::milliseconds{static_cast<long long>(seconds * 1'000.0)};
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::string security_of(const client::FoundDaemon& daemon) {
    if (!daemon.tls) return "without TLS";
    return daemon.fingerprint.empty() ? "unknown" : printable(daemon.fingerprint);
}

/// Text from the network is escaped before it is put into the table, so that a line end in it does not break a row.
void print_table(std::ostream& out, const std::vector<client::FoundDaemon>& daemons) {
    if (daemons.empty()) {
        out << "no daemon found; `rtad --advertise` publishes one, and a firewall must pass UDP port 5353\n";
        return;
    }
    TextTable table;
    table.heading({"NAME", "HOST", "ADDRESSES", "VERSION", "TLS FINGERPRINT"});
    for (const client::FoundDaemon& daemon : daemons) {
        if (daemon.host.empty()) {
            table.add({printable(daemon.name), "does not answer", "", "", ""});
            continue;
        }
        const client::TcpEndpoint endpoint{.host = printable(daemon.host), .port = daemon.port};
        table.add({printable(daemon.name), client::to_string(endpoint), joined(daemon.addresses),
                   printable(daemon.version), security_of(daemon)});
    }
    table.print(out);
}

using JsonWriter = rapidjson::Writer<rapidjson::StringBuffer>;

void put_string(JsonWriter& writer, std::string_view text) {
    // JSON is UTF-8; printable() replaces what is not.
    const std::string valid = first_invalid_utf8(text) == text.size() ? std::string{text} : printable(text);
    writer.String(valid.data(), static_cast<rapidjson::SizeType>(valid.size()));
}

void print_json(std::ostream& out, const client::FoundDaemon& daemon) {
    rapidjson::StringBuffer buffer;
    JsonWriter writer{buffer};
    const auto put = [&](const char* name, std::string_view text) {
        writer.Key(name);
        put_string(writer, text);
    };
    writer.StartObject();
    put("name", daemon.name);
    put("host", daemon.host);
    writer.Key("port");
    writer.Uint(daemon.port);
    writer.Key("addresses");
    writer.StartArray();
    for (const std::string& address : daemon.addresses) put_string(writer, address);
    writer.EndArray();
    put("version", daemon.version);
    put("instance", daemon.instance);
    writer.Key("tls");
    writer.Bool(daemon.tls);
    put("fingerprint", daemon.fingerprint);
    writer.EndObject();
    out << printable_document({buffer.GetString(), buffer.GetSize()}) << '\n';
}

Result<void> run_discover(Context& context, const Arguments& arguments) {
    const auto time = parse_time(arguments);
    if (!time) return std::unexpected(time.error());
    const auto found = client::discover(*time);
    if (!found) return fail(Exit::cannot_connect, found.error());
    if (!found->complete) warn(context.streams(), "there are more announcements than rtactl lists");
    if (context.json()) {
        for (const client::FoundDaemon& daemon : found->daemons) print_json(context.out(), daemon);
    } else {
        print_table(context.out(), found->daemons);
    }
    return {};
}

constexpr std::array kDiscoverOptions{
    Option{"--for", "TIME", "Set how long to listen for announcements, 0.1 to 3600 s; default 2 s."}};

}  // namespace

extern constinit const Command kDiscover = checked({
    .position = 105,
    .name = "discover",
    .help = "List the daemons on the local network that are published with --advertise.",
    .details = "HOST is what --host takes. Its name is resolved by the system (package libnss-mdns); each of the\n"
               "ADDRESSES, with the same port, works without that. Anyone on the network can publish anything, so\n"
               "compare the fingerprint with the one that the daemon logs. Needs Avahi (package avahi-daemon).\n"
               "A host that you use often can have a name in the configuration file: see `rtactl --help`.\n"
               "With --json, prints one line for each daemon.",
    .example = "rtactl discover\n"
               "rtactl discover --for 500ms --json",
    .options = kDiscoverOptions,
    .connects = false,
    .run = run_discover,
});

}  // namespace rta::rtactl::commands
