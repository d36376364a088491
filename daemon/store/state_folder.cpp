// SPDX-License-Identifier: MIT
#include "store/state_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "document/document_size.h"
#include "os/file.h"
#include "os/file_lock.h"
#include "store/confirmation_file.h"
#include "store/disk_error.h"
#include "store/journal.h"
#include "store/token_file.h"

namespace rta::store {
namespace {

constexpr const char* kGraph = "graph.json";
constexpr const char* kOutput = "output.json";
constexpr const char* kHistory = "history";
constexpr const char* kNextHistory = "history.next";
constexpr const char* kJournal = "journal";
constexpr const char* kNextJournal = "journal.next";
constexpr const char* kNew = ".new";
constexpr const char* kKept = ".kept-";
constexpr const char* kLock = "lock";
constexpr const char* kRestoring = "restoring";
/// More than any version of rtad writes: the names of two devices, of which every byte may need an escape.
constexpr std::size_t kLongestOutputBytes = 65'536;
/// More than any version of rtad writes: a history takes less than its memory, 32 MiB, and the graph before its last step.
constexpr std::size_t kLongestHistoryBytes = std::size_t{256} << 20U;
/// More than any version of rtad writes: see Journal::kMaximumBytes.
constexpr std::size_t kLongestJournalBytes = std::size_t{256} << 20U;
constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

}  // namespace

void StateFolder::close() {
    lock_.reset();
    folder_.reset();
}

Expected<void> StateFolder::open() {
    if (is_open()) return {};
    close();
    if (auto opened = open_folder(); !opened) return opened;
    if (auto locked = lock(); !locked) return locked;
    clear_names();
    return {};
}

/// The readers of the other files rename what is odd.
void StateFolder::clear_names() {
    const auto keep_odd = [this](const std::string& name) {
        if (!is_odd_file(folder_.get(), name.c_str())) return;
        const auto renamed = rename(name.c_str());
        notes_.push_back(path_ + "/" + name + " is not a regular file; " +
                         (renamed ? "renamed to " + *renamed : renamed.error().sentence));
    };
    for (const char* const name : {kGraph, kOutput, kNextHistory}) {
        const std::string temporary = std::string{name} + kNew;
        if (::unlinkat(folder_.get(), temporary.c_str(), 0) != 0) keep_odd(temporary);
    }
    for (const char* const name : {kHistory, kNextHistory, kJournal, kNextJournal, ConfirmationFile::kNewName})
        keep_odd(name);
}

bool StateFolder::is_open() const { return folder_ && lock_ && os::is_still_at(folder_.get(), path_); }

Expected<void> StateFolder::open_folder() {
    const bool created = ::mkdir(path_.c_str(), kFolderMode) == 0;
    if (!created && errno != EEXIST) {
        // On a read-only file system mkdir() fails with EROFS even if the folder exists.
        const std::error_code error = os::last_error();
        struct stat status{};
        if (::stat(path_.c_str(), &status) != 0) return cannot("create the state directory", path_, error);
    }
    auto opened = os::open_folder(path_);
    if (!opened) return cannot("open the state directory", path_, opened.error());
    folder_ = std::move(*opened);
    if (created) {
        const auto parent = os::open_folder(std::filesystem::path{path_}.parent_path());
        if (parent) static_cast<void>(os::sync(parent->get()));
    }
    return {};
}

Expected<void> StateFolder::lock() {
    const std::string path = path_ + "/" + kLock;
    // A separate file: the daemon locks the folder itself while it creates a socket there.
    os::UniqueFd file{
        ::openat(folder_.get(), kLock, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, kFileMode)};
    if (!file) return cannot("open the lock", path, os::last_error());
    // `rtad token` may be the first to open the folder, as root.
    os::give_to_owner_of(file.get(), path_ + "/" + kGraph);
    if (const auto locked = os::lock(file.get()); !locked) {
        if (locked.error() != std::errc::operation_would_block) return cannot("lock", path, locked.error());
        return fail(ErrorCode::already_exists, "the state directory " + path_ +
                                                   " is in use by another rtad; stop that one, or give this one its "
                                                   "own --state-dir");
    }
    lock_ = std::move(file);
    return {};
}

Expected<std::optional<StateFile>> StateFolder::read(const char* name, std::size_t longest_bytes) const {
    const std::string path = path_ + "/" + name;
    if (!folder_) {
        struct stat status{};
        if (::stat(path_.c_str(), &status) == 0) return fail(ErrorCode::unavailable, "cannot read " + path);
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        return cannot("read", path, os::last_error());
    }
    return read_state_file(folder_.get(), name, path, longest_bytes);
}

Expected<std::optional<std::string>> StateFolder::read_graph() {
    auto contents = read(kGraph, kLongestDocument);
    if (!contents) return std::unexpected(std::move(contents.error()));
    if (!*contents) return std::nullopt;
    own_ = (*contents)->version;
    return std::move((*contents)->text);
}

Expected<std::optional<std::string>> StateFolder::read_output() const {
    auto contents = read(kOutput, kLongestOutputBytes);
    if (!contents) return std::unexpected(std::move(contents.error()));
    if (!*contents) return std::nullopt;
    return std::move((*contents)->text);
}

Expected<StateFolder::Histories> StateFolder::read_histories() const {
    Histories histories;
    for (const auto& [name, text] :
         {std::pair{kNextHistory, &histories.next}, std::pair{kHistory, &histories.current}}) {
        auto contents = read(name, kLongestHistoryBytes);
        if (!contents) return std::unexpected(std::move(contents.error()));
        if (*contents) *text = std::move((*contents)->text);
    }
    return histories;
}

Expected<StateFolder::Journals> StateFolder::read_journals() const {
    Journals journals;
    for (const auto& [name, text] : {std::pair{kNextJournal, &journals.next}, std::pair{kJournal, &journals.current}}) {
        auto contents = read(name, kLongestJournalBytes);
        if (!contents) return std::unexpected(std::move(contents.error()));
        if (*contents) *text = std::move((*contents)->text);
    }
    return journals;
}

Expected<void> StateFolder::create_next_journal(Journal& journal, const JournalBase& base) {
    if (auto opened = open(); !opened) return opened;
    return journal.create(folder_.get(), kNextJournal, path_ + "/" + kNextJournal, base);
}

Expected<void> StateFolder::accept_next_journal() const {
    const auto renamed = files_.rename(folder_.get(), kNextJournal, kJournal);
    if (!renamed) return cannot("replace", journal_path(), renamed.error());
    const auto synced = files_.sync_folder(folder_.get());
    if (!synced) return cannot("write", path_, synced.error());
    return {};
}

void StateFolder::remove_next_journal() const {
    if (folder_) ::unlinkat(folder_.get(), kNextJournal, 0);
}

void StateFolder::remove_journal() const {
    if (folder_) ::unlinkat(folder_.get(), kJournal, 0);
}

Expected<std::string> StateFolder::rename_journal() const { return rename(kJournal); }

Expected<std::string> StateFolder::copy_journal() const {
    constexpr int kMost = 10'000;
    for (int number = 1; number <= kMost; ++number) {
        const std::string name = std::string{kJournal} + kKept + std::to_string(number);
        if (::linkat(folder_.get(), kJournal, folder_.get(), name.c_str(), 0) == 0) return path_ + "/" + name;
        if (errno != EEXIST) break;
    }
    return cannot("copy", journal_path(), os::last_error());
}

unsigned StateFolder::begin_restore() {
    if (!lock_) return 0;
    // Not synced: the note must survive the process, not the machine.
    const os::UniqueFd file{
        ::openat(folder_.get(), kRestoring, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, kFileMode)};
    if (!file || !os::is_regular_file(file.get())) return 0;
    char text[16];
    const ssize_t got = os::retried([&] { return ::pread(file.get(), text, sizeof text, 0); });
    unsigned begun = 0;
    if (got > 0) std::from_chars(text, text + got, begun);
    const bool noted =
        ::ftruncate(file.get(), 0) == 0 && os::write_all(file.get(), std::to_string(begun + 1) + "\n").has_value();
    return noted ? begun : 0;
}

void StateFolder::end_restore() {
    if (folder_) ::unlinkat(folder_.get(), kRestoring, 0);
}

std::vector<std::string> StateFolder::files_in(const std::string& path) {
    std::vector<std::string> files;
    for (const char* const name : {kLock, kRestoring}) files.push_back(path + "/" + name);
    files.push_back(token_file_in(path));
    for (const char* const name : {kGraph, kOutput, kNextHistory}) {
        files.push_back(path + "/" + name);
        files.push_back(files.back() + kNew);
    }
    for (const char* const name :
         {kHistory, kJournal, kNextJournal, ConfirmationFile::kName, ConfirmationFile::kNewName})
        files.push_back(path + "/" + name);
    return files;
}

Expected<std::string> StateFolder::rename_graph() {
    own_.reset();
    return rename(kGraph);
}

Expected<std::string> StateFolder::rename_output() const { return rename(kOutput); }

Expected<std::string> StateFolder::rename(const char* name) const {
    const std::string path = path_ + "/" + name;
    const auto renamed = os::rename_to_free_name(folder_.get(), name, kKept);
    if (renamed) return path_ + "/" + *renamed;
    if (renamed.error() != std::errc::file_exists) return cannot("rename", path, renamed.error());
    return fail(ErrorCode::resource_exhausted,
                "cannot rename " + path + " to " + name + kKept + "N: every such name is in use");
}

Expected<std::optional<std::string>> StateFolder::write_graph(std::string_view text) {
    replaced_graph_ = false;
    if (auto opened = open(); !opened) return std::unexpected(std::move(opened.error()));
    auto renamed = rename_foreign_graph();
    if (!renamed) return renamed;
    const auto before = std::exchange(own_, std::nullopt);
    auto replaced = replace(kGraph, text, own_);
    replaced_graph_ = own_.has_value();
    if (!own_) own_ = before;
    if (!replaced) return std::unexpected(std::move(replaced.error()));
    return renamed;
}

Expected<void> StateFolder::write_output(std::string_view text) {
    if (auto opened = open(); !opened) return opened;
    std::optional<os::FileVersion> version;
    return replace(kOutput, text, version);
}

Expected<void> StateFolder::write_next_history(std::string_view text) {
    if (auto opened = open(); !opened) return opened;
    std::optional<os::FileVersion> version;
    return replace(kNextHistory, text, version);
}

Expected<void> StateFolder::accept_next_history() const {
    // Not synced: after a crash of the machine, either name will do.
    const auto renamed = files_.rename(folder_.get(), kNextHistory, kHistory);
    if (renamed) return {};
    return cannot("replace", history_path(), renamed.error());
}

void StateFolder::remove_history() const {
    if (folder_) ::unlinkat(folder_.get(), kHistory, 0);
}

Expected<std::string> StateFolder::rename_histories() const {
    Expected<std::string> renamed = fail(ErrorCode::not_found, "no history is saved in " + path_);
    for (const char* const name : {kNextHistory, kHistory}) {
        if (::faccessat(folder_.get(), name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) renamed = rename(name);
    }
    return renamed;
}

Expected<std::string> StateFolder::rename_next_history() const { return rename(kNextHistory); }

Expected<std::optional<std::string>> StateFolder::rename_foreign_graph() {
    struct stat status{};
    if (::fstatat(folder_.get(), kGraph, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return std::nullopt;
        return cannot("examine", graph_path(), os::last_error());
    }
    if (own_ == os::FileVersion::of(status)) return std::nullopt;
    auto renamed = rename_graph();
    if (!renamed) return std::unexpected(std::move(renamed.error()));
    return std::move(*renamed);
}

Expected<void> StateFolder::replace(const char* name, std::string_view text,
                                    std::optional<os::FileVersion>& version) const {
    const std::string path = path_ + "/" + name;
    const std::string new_name = std::string{name} + kNew;
    auto file = files_.create(folder_.get(), new_name, kFileMode);
    if (!file) return cannot("write", path + kNew, file.error());
    const auto discard = [&](const char* what, const std::string& of, std::error_code error) {
        ::unlinkat(folder_.get(), new_name.c_str(), 0);
        return cannot(what, of, error);
    };
    auto written = files_.write_at(file->get(), text, 0);
    if (written) written = files_.sync_data(file->get());
    // Some file systems report a full disk only here.
    if (written) written = os::close(std::move(*file));
    if (!written) return discard("write", path + kNew, written.error());

    struct stat status{};
    if (::fstatat(folder_.get(), new_name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return discard("replace", path, os::last_error());
    const auto renamed = files_.rename(folder_.get(), new_name, name);
    if (!renamed) return discard("replace", path, renamed.error());
    version = os::FileVersion::of(status);
    if (const auto synced = files_.sync_folder(folder_.get()); !synced) return cannot("write", path_, synced.error());
    return {};
}

}  // namespace rta::store
