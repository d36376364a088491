// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace rta::test {

/// A temporary directory, removed with its contents. Its path is short, because that of a Unix socket is limited to 107
/// bytes.
class TemporaryDirectory {
 public:
    TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// Returns the path of a file in the directory.
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
    std::filesystem::path path_;
};

/// Returns a TCP port on loopback on which no process listened just now.
[[nodiscard]] std::uint16_t free_tcp_port();

/// Both throw std::runtime_error with the name of the file.
void write_text(const std::filesystem::path& file, std::string_view text);
[[nodiscard]] std::string read_text(const std::filesystem::path& file);

}  // namespace rta::test
