// SPDX-License-Identifier: MIT
#include "rta/known_hosts.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "os/file.h"
#include "os/file_lock.h"
#include "os/file_replacement.h"
#include "text/quoting.h"

namespace rta::client {

namespace {

constexpr std::size_t kLongestFileBytes = std::size_t{1} << 20U;
constexpr std::size_t kLongestShownBytes = 80;
constexpr mode_t kFolderMode = 0700;
constexpr std::string_view kPrefix = "SHA256:";
constexpr std::size_t kDigestCharacters = 43;
constexpr std::string_view kBlanks = " \t\r";

std::string lower_case(std::string_view text) {
    std::string lower{text};
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return lower;
}

/// Removes the first word, and the blanks around it, from the front of `text`.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(word.size());
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    return word;
}

/// Returns nullopt for a comment or an empty line, and the reason if it is neither of them nor a host.
std::expected<std::optional<KnownHost>, std::string> parse_line(std::string_view line, std::size_t number) {
    std::string_view rest = line;
    const std::string_view host = take_word(rest);
    if (host.empty() || host.front() == '#') return std::nullopt;
    const std::string_view fingerprint = take_word(rest);
    const auto endpoint = parse_tcp_endpoint(host);
    // The port must be there: the text of an endpoint always has it.
    const bool complete = endpoint && known_host_name(*endpoint) == lower_case(host);
    if (complete && is_fingerprint(fingerprint) && (rest.empty() || rest.front() == '#')) {
        return KnownHost{.host = lower_case(host), .fingerprint = std::string{fingerprint}, .line = number};
    }
    return std::unexpected("line " + std::to_string(number) + ": invalid line " +
                           quoted(line.substr(0, kLongestShownBytes)) +
                           ": expected HOST:PORT SHA256:..., or a comment that begins with #");
}

std::unexpected<std::string> cannot(const char* what, const std::string& file, const std::error_code& error) {
    return std::unexpected(std::string{"cannot "} + what + " " + file + ": " + error.message());
}

std::expected<std::string, std::string> read_text(const std::string& file) {
    const auto opened = os::open_to_read(file);
    if (!opened && opened.error() == std::errc::no_such_file_or_directory) return std::string{};
    if (!opened) return cannot("read", file, opened.error());
    if (!os::is_regular_file(opened->get())) return std::unexpected("cannot read " + file + ": not a regular file");
    auto text = os::read_to_end(opened->get(), kLongestFileBytes);
    if (!text) return cannot("read", file, text.error());
    return std::move(*text);
}

std::expected<std::vector<KnownHost>, std::string> parse_file(const std::string& file, std::string_view text) {
    auto hosts = parse_known_hosts(text);
    if (!hosts) return std::unexpected(file + ": " + hosts.error());
    return hosts;
}

/// Creates a folder and its parents.
std::error_code create_folders(const std::string& folder) {
    if (::mkdir(folder.c_str(), kFolderMode) == 0 || errno == EEXIST) return {};
    if (errno != ENOENT) return os::last_error();
    const std::string parent = os::folder_of(folder);
    if (parent == folder || parent == ".") return os::last_error();
    if (const std::error_code error = create_folders(parent)) return error;
    if (::mkdir(folder.c_str(), kFolderMode) == 0 || errno == EEXIST) return {};
    return os::last_error();
}

os::Result<void> replace_file(const std::string& file, const std::string& text) {
    auto replacement = os::FileReplacement::create(os::real_path(file), ".new-");
    if (!replacement) return std::unexpected(replacement.error());
    if (auto written = os::write_all(replacement->fd(), text); !written) return written;
    if (auto flushed = replacement->flush(); !flushed) return flushed;
    if (auto renamed = replacement->rename(); !renamed) return renamed;
    return replacement->sync_folder();
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes the environment
    return value == nullptr ? std::string{} : std::string{value};
}

}  // namespace

bool is_fingerprint(std::string_view text) {
    if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + kDigestCharacters) return false;
    text.remove_prefix(kPrefix.size());
    // 32 bytes are 42 characters and 4 bits: the last character has two zero bits.
    constexpr std::string_view kLast = "AEIMQUYcgkosw048";
    return kLast.find(text.back()) != std::string_view::npos && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
                      c == '/';
           });
}

std::string known_host_name(const TcpEndpoint& endpoint) { return lower_case(to_string(endpoint)); }

std::expected<std::vector<KnownHost>, std::string> parse_known_hosts(std::string_view text) {
    std::vector<KnownHost> hosts;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        auto host = parse_line(text.substr(0, end), number);
        if (!host) return std::unexpected(std::move(host.error()));
        if (*host) hosts.push_back(std::move(**host));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return hosts;
}

std::expected<std::vector<KnownHost>, std::string> read_known_hosts(const std::string& file) {
    const auto text = read_text(file);
    if (!text) return std::unexpected(text.error());
    return parse_file(file, *text);
}

std::expected<void, std::string> add_known_host(const std::string& file, const std::string& host,
                                                const std::string& fingerprint) {
    const std::string folder = os::folder_of(file);
    if (const std::error_code error = create_folders(folder)) return cannot("create", folder, error);
    const auto lock = os::lock_folder(folder);
    if (!lock) return cannot("lock", folder, lock.error());
    auto text = read_text(file);
    if (!text) return std::unexpected(std::move(text.error()));
    const auto hosts = parse_file(file, *text);
    if (!hosts) return std::unexpected(hosts.error());
    for (const KnownHost& known : *hosts) {
        if (known.host != host) continue;
        // Another process has connected to the host in the meantime.
        if (known.fingerprint == fingerprint) return {};
        return std::unexpected("cannot add " + host + " to " + file + ": line " + std::to_string(known.line) +
                               " has another fingerprint");
    }
    if (!text->empty() && text->back() != '\n') *text += '\n';
    *text += host + " " + fingerprint + "\n";
    if (const auto replaced = replace_file(file, *text); !replaced) return cannot("write", file, replaced.error());
    return {};
}

std::string default_known_hosts_file() {
    constexpr const char* kName = "/rtactl/known_hosts";
    // The XDG specification wants a relative path to be ignored.
    if (const std::string configuration = variable("XDG_CONFIG_HOME"); configuration.starts_with('/')) {
        return configuration + kName;
    }
    const std::string home = variable("HOME");
    return home.empty() ? std::string{} : home + "/.config" + kName;
}

}  // namespace rta::client
