// SPDX-License-Identifier: MIT
#include "rtactl/context/config_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "os/file.h"
#include "rta/tls_options.h"
#include "rtactl/language/invocation.h"
#include "text/access_token.h"
#include "text/quoting.h"
#include "text/suggestion.h"
#include "toml/toml_text.h"

namespace rta::rtactl {

namespace {

constexpr std::size_t kLongestNameBytes = 255;
constexpr std::string_view kAddress = "address";

bool is_host_name(std::string_view name) {
    const auto may_be_in_it = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    };
    return !name.empty() && name.size() <= kLongestNameBytes && name.front() != '-' &&
           std::ranges::all_of(name, may_be_in_it);
}

/// Reads the tables and keys of one file.
class Reader {
 public:
    explicit Reader(const std::string& path) : path_{path}, folder_{os::folder_of(path)} {}

    Result<ConfigFile> read(const TomlTable& top) {
        for (const TomlEntry& entry : top.entries) {
            if (auto read = read_top_entry(entry); !read) return std::unexpected(std::move(read.error()));
        }
        for (const TomlTable& table : top.tables) {
            constexpr std::array<std::string_view, 1> kTables{"hosts"};
            if (table.name != kTables.front()) return refuse(table.line, unknown_name("table", table.name, kTables));
            if (auto read = read_hosts(table); !read) return std::unexpected(std::move(read.error()));
        }
        if (auto checked = check_host(); !checked) return std::unexpected(std::move(checked.error()));
        return std::move(file_);
    }

 private:
    [[nodiscard]] std::string place(std::uint32_t line) const {
        return path_ + ": line " + std::to_string(line) + ": ";
    }

    [[nodiscard]] std::unexpected<Failure> refuse(std::uint32_t line, const std::string& sentence) const {
        return usage_error(place(line) + sentence);
    }

    Result<void> read_top_entry(const TomlEntry& entry) {
        constexpr std::array<std::string_view, 2> kKeys{"host", "hosts"};
        if (entry.key == kKeys[1])
            return refuse(entry.line, "hosts is not a key: expected a table for each host, such as [hosts.studio]");
        if (entry.key != kKeys[0]) return refuse(entry.line, unknown_name("key", entry.key, kKeys));
        auto given = read_text(entry);
        if (!given) return std::unexpected(std::move(given.error()));
        file_.host = std::move(*given);
        return {};
    }

    Result<void> read_hosts(const TomlTable& hosts) {
        if (!hosts.entries.empty()) {
            const TomlEntry& entry = hosts.entries.front();
            return refuse(entry.line, "unexpected key " + quoted(entry.key) +
                                          " in [hosts]: expected a table for each host, such as [hosts.studio]");
        }
        for (const TomlTable& table : hosts.tables) {
            auto host = read_host(table);
            if (!host) return std::unexpected(std::move(host.error()));
            file_.hosts.push_back(std::move(*host));
        }
        return {};
    }

    Result<NamedHost> read_host(const TomlTable& table) {
        if (!is_host_name(table.name)) {
            return refuse(table.line, "invalid name of a host, " + quoted(table.name) +
                                          ": expected letters, digits, '.', '_' and '-', not a '-' first");
        }
        if (!table.tables.empty()) {
            const TomlTable& inner = table.tables.front();
            return refuse(inner.line, "unexpected table " + quoted(inner.name) + " in the host " + quoted(table.name) +
                                          ": a name with a dot must be in quotes, such as [hosts.\"studio.lan\"]");
        }
        NamedHost host{.name = table.name, .options = {}};
        for (const TomlEntry& entry : table.entries) {
            if (auto read = read_host_entry(entry, host); !read) return std::unexpected(std::move(read.error()));
        }
        host.options.try_emplace("--host", Given{.value = table.name, .source = place(table.line) + "hosts"});
        // An error in a host that is not used would otherwise be found too late.
        if (auto checked = read_given(host.options); !checked) return std::unexpected(std::move(checked.error()));
        return host;
    }

    Result<void> read_host_entry(const TomlEntry& entry, NamedHost& host) {
        // As in other TOML files, the words of a key may also be separated by underscores.
        std::string name = entry.key;
        std::ranges::replace(name, '_', '-');
        const Option* const option = find_key(name);
        if (name != kAddress && option == nullptr)
            return refuse(entry.line, unknown_name("key", entry.key, host_keys()));
        const bool is_flag = option != nullptr && option->value_name.empty();
        auto given = is_flag ? read_switch(entry) : read_text(entry);
        if (!given) return std::unexpected(std::move(given.error()));
        if (is_flag && given->value == "false") return {};
        if (is_flag) given->value.clear();
        if (option != nullptr && option->expects == Expects::file) given->value = absolute(given->value);
        if (option == nullptr && given->value.find('/') != std::string::npos) given->value = absolute(given->value);
        std::string key = option == nullptr ? std::string{"--host"} : std::string{option->name};
        if (!host.options.try_emplace(std::move(key), std::move(*given)).second) {
            return refuse(entry.line, entry.key + " is given twice");
        }
        return {};
    }

    [[nodiscard]] static const Option* find_key(std::string_view name) {
        const Option* const option = find_option(global_options(), "--" + std::string{name});
        return option == nullptr || !option->of_host ? nullptr : option;
    }

    Result<Given> read_switch(const TomlEntry& entry) const {
        if (entry.is_array || !entry.has_boolean) return refuse(entry.line, entry.key + ": expected true or false");
        return Given{.value = entry.values.front(), .source = place(entry.line) + entry.key};
    }

    Result<Given> read_text(const TomlEntry& entry) const {
        const bool may_be_number = entry.key == "timeout";
        if (entry.is_array || entry.has_boolean || (entry.has_number && !may_be_number)) {
            return refuse(entry.line, entry.key + ": expected text in quotes");
        }
        if (entry.values.front().empty()) {
            return refuse(entry.line, entry.key + " is empty; remove the key to use the default");
        }
        return Given{.value = entry.values.front(), .source = place(entry.line) + entry.key};
    }

    [[nodiscard]] std::string absolute(const std::string& path) const {
        // A token in place of the path of its file is a secret, which read_given() recognises only if it is unchanged.
        if (path.starts_with('/') || is_token(path)) return path;
        if (path.starts_with("~/")) {
            const char* const home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe): nothing changes it
            if (home != nullptr && *home != '\0') return home + path.substr(1);
        }
        return folder_ + "/" + path;
    }

    [[nodiscard]] Result<void> check_host() const {
        if (!file_.host || file_.find(file_.host->value) != nullptr) return {};
        auto checked = read_given({{"--host", *file_.host}});
        if (!checked) return std::unexpected(std::move(checked.error()));
        return {};
    }

    const std::string& path_;
    std::string folder_;
    ConfigFile file_;
};

std::unexpected<Failure> cannot_read(const std::string& path, const std::string& reason) {
    return usage_error("cannot read the configuration " + path + ": " + reason);
}

/// Returns false also if the folder may not be searched, as with the home folder of another user.
bool exists(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0;
}

/// Refuses a file that another user could have written. Call it with the open file, not with the path: another file could
/// take its place in between.
Result<void> check_writers(int file, const std::string& path) {
    constexpr mode_t kWritableByOthers = 0022;
    struct stat status{};
    if (::fstat(file, &status) != 0) return cannot_read(path, os::last_error().message());
    if (status.st_uid != ::getuid() && status.st_uid != 0) {
        return usage_error("the configuration " + path + " belongs to another user: expected one of yours, or of root");
    }
    if ((status.st_mode & kWritableByOthers) != 0) {
        return usage_error("other users may change the configuration " + path +
                           ": expected mode 0644 or less; see chmod(1)");
    }
    return {};
}

}  // namespace

const NamedHost* ConfigFile::find(std::string_view name) const {
    const auto found = std::ranges::find(hosts, name, &NamedHost::name);
    return found == hosts.end() ? nullptr : &*found;
}

std::string default_config_file() {
    const std::string known_hosts = client::default_known_hosts_file();
    return known_hosts.empty() ? std::string{} : os::folder_of(known_hosts) + "/config.toml";
}

Result<ConfigFile> parse_config_file(std::string_view text, const std::string& path) {
    const auto top = read_toml(text);
    if (!top) return usage_error(path + ": " + top.error().sentence);
    return Reader{path}.read(*top);
}

Result<ConfigFile> read_config_file(const std::string& path) {
    if (path.empty()) return ConfigFile{};
    const auto file = os::open_to_read(path);
    if (!file && !exists(path)) return ConfigFile{};
    if (!file) return cannot_read(path, file.error().message());
    if (!os::is_regular_file(file->get())) return cannot_read(path, "not a regular file");
    if (auto checked = check_writers(file->get(), path); !checked) return std::unexpected(std::move(checked.error()));
    const auto text = os::read_to_end(file->get(), kLongestTomlBytes);
    if (!text) return cannot_read(path, text.error().message());
    return parse_config_file(*text, path);
}

}  // namespace rta::rtactl
