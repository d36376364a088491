// SPDX-License-Identifier: MIT
#include "app/logging.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "app/service.h"

namespace rta::app {
namespace {

[[nodiscard]] spdlog::level::level_enum to_spdlog(net::LogLevel level) {
    switch (level) {
        case net::LogLevel::debug:
            return spdlog::level::debug;
        case net::LogLevel::info:
            return spdlog::level::info;
        case net::LogLevel::warning:
            return spdlog::level::warn;
        case net::LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::err;
}

/// Writes to a descriptor that may block. A line that cannot be written immediately is dropped and counted; spdlog's
/// own sinks would block the control thread.
class NonblockingSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
    explicit NonblockingSink(int descriptor) : descriptor_{descriptor} {}

 protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        if (!ready()) {
            ++lost_;
            return;
        }
        if (lost_ > 0) {
            write_line("warning: " + std::to_string(lost_) + " log lines were lost: stderr was not being read\n");
            lost_ = 0;
        }
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        write_line({line.data(), line.size()});
    }
    void flush_() override {}

 private:
    [[nodiscard]] bool ready() const {
        pollfd writable{.fd = descriptor_, .events = POLLOUT, .revents = 0};
        return poll(&writable, 1, 0) == 1 && (writable.revents & POLLOUT) != 0;
    }
    void write_line(std::string_view line) const {
        // A pipe that is ready accepts at least one page without blocking. Errors, such as a full disk, cannot be
        // reported anywhere.
        [[maybe_unused]] const ssize_t written = write(descriptor_, line.data(), line.size());
    }

    int descriptor_;
    std::uint64_t lost_ = 0;
};

/// Prefix of a line at each level. spdlog's own level names are not configurable at run time.
struct LevelPrefixes {
    std::string_view debug;
    std::string_view info;
    std::string_view warning;
    std::string_view error;
};
constexpr LevelPrefixes kWords{.debug = "debug: ", .info = "", .warning = "warning: ", .error = "error: "};
constexpr LevelPrefixes kJournal{.debug = SD_DEBUG, .info = SD_INFO, .warning = SD_WARNING, .error = SD_ERR};

/// The flag %N of the patterns below: the prefix of the level.
class PrefixFlag final : public spdlog::custom_flag_formatter {
 public:
    explicit PrefixFlag(const LevelPrefixes& prefixes) : prefixes_{prefixes} {}

    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& destination) override {
        const std::string_view prefix = message.level == spdlog::level::debug  ? prefixes_.debug
                                        : message.level == spdlog::level::warn ? prefixes_.warning
                                        : message.level == spdlog::level::err  ? prefixes_.error
                                                                               : prefixes_.info;
        destination.append(prefix.data(), prefix.data() + prefix.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<PrefixFlag>(prefixes_);
    }

 private:
    const LevelPrefixes& prefixes_;
};

[[nodiscard]] std::unique_ptr<spdlog::formatter> make_formatter() {
    const bool journal = stderr_is_journal();
    const bool plain = journal || isatty(STDERR_FILENO) == 1;
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<PrefixFlag>('N', journal ? kJournal : kWords);
    formatter->set_pattern(plain ? "%N%v" : "%Y-%m-%d %H:%M:%S.%e %N%v");
    return formatter;
}

}  // namespace

void start_logging(net::LogLevel level) {
    const int descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    auto logger = std::make_shared<spdlog::logger>("rtad", std::make_shared<NonblockingSink>(descriptor));
    logger->set_formatter(make_formatter());
    logger->set_level(to_spdlog(level));
    spdlog::set_default_logger(std::move(logger));
}

void log(net::LogLevel level, std::string_view line) {
    spdlog::default_logger_raw()->log(to_spdlog(level), spdlog::string_view_t{line.data(), line.size()});
}

void print_error(std::string_view sentence) {
    std::fprintf(stderr, "%srtad: %.*s\n", stderr_is_journal() ? SD_ERR : "", static_cast<int>(sentence.size()),
                 sentence.data());
}

}  // namespace rta::app
