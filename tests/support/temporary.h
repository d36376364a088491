// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace rta::test {

/// A directory of its own that goes away with everything in it. Its path is short: a Unix socket's may have 107 bytes.
class TemporaryDirectory {
 public:
    TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    /// Path of a file in it.
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
    std::filesystem::path path_;
};

/// A TCP port on loopback that nobody listened on a moment ago.
[[nodiscard]] std::uint16_t free_tcp_port();

/// Both throw std::runtime_error, naming the file.
void write_text(const std::filesystem::path& file, std::string_view text);
[[nodiscard]] std::string read_text(const std::filesystem::path& file);

}  // namespace rta::test
