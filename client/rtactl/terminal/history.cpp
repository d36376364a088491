// SPDX-License-Identifier: MIT
#include "rtactl/terminal/history.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "os/file.h"
#include "rtactl/terminal/file.h"

namespace rta::rtactl {

namespace {

/// Limit of the file; well above what the kept lines need.
constexpr std::size_t kMaximumBytes = 16 * History::kMaximumLines * History::kMaximumLineBytes;
constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kFolderOfOwner = 0700;

void make_folders(const std::string& path) {
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
        ::mkdir(path.substr(0, slash).c_str(), kFolderOfOwner);
}

/// Reads a variable that names a folder. The XDG base directory specification ignores relative paths.
std::string folder_from(const char* variable) {
    const char* const folder = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): the environment does not change
    return folder != nullptr && *folder == '/' ? folder : "";
}

}  // namespace

std::vector<std::string> History::load() const {
    std::vector<std::string> lines;
    std::error_code error;
    if (path_.empty() || !std::filesystem::is_regular_file(path_, error)) return lines;
    const auto text = read_file(path_, kMaximumBytes);
    if (!text) return lines;
    std::istringstream stream{*text};
    for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
    const bool too_long = lines.size() > 2 * kMaximumLines;
    if (lines.size() > kMaximumLines)
        lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kMaximumLines));
    if (too_long) {
        std::string kept;
        for (const std::string& line : lines) kept.append(line).append("\n");
        // On failure, the next load tries again.
        [[maybe_unused]] const auto replaced = replace_file(path_, kept);
    }
    return lines;
}

void History::add(std::string_view line) {
    if (path_.empty() || line.empty() || line == last_ || line.size() > kMaximumLineBytes) return;
    last_ = line;
    make_folders(path_);
    // O_NONBLOCK: the file may be a pipe without a reader.
    const os::UniqueFd file{
        ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, kOwnerOnly)};
    if (file && os::is_regular_file(file.get()) && ::fchmod(file.get(), kOwnerOnly) == 0) {
        // In one write: another shell may append at the same time.
        const std::string text = last_ + "\n";
        [[maybe_unused]] const ssize_t written = ::write(file.get(), text.data(), text.size());
    }
}

std::string history_path() {
    if (const std::string state = folder_from("XDG_STATE_HOME"); !state.empty()) return state + "/rtactl/history";
    const std::string home = folder_from("HOME");
    return home.empty() ? "" : home + "/.local/state/rtactl/history";
}

}  // namespace rta::rtactl
