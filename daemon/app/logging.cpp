// SPDX-License-Identifier: MIT
#include "app/logging.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

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

/// Writes to a descriptor whenever it takes a line at once, and counts the lines that it does not.
class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
    explicit DescriptorSink(int descriptor) : descriptor_{descriptor} {}

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
        // One call: a pipe that is ready takes a page of it at once. What a full disk does not take has nowhere to go.
        [[maybe_unused]] const ssize_t written = write(descriptor_, line.data(), line.size());
    }

    int descriptor_;
    std::uint64_t lost_ = 0;
};

/// "warning: " and the like; what is only information needs no label.
class LabelFlag final : public spdlog::custom_flag_formatter {
 public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& destination) override {
        const std::string_view label = [&]() -> std::string_view {
            switch (message.level) {
                case spdlog::level::debug:
                    return "debug: ";
                case spdlog::level::warn:
                    return "warning: ";
                case spdlog::level::err:
                    return "error: ";
                default:
                    return "";
            }
        }();
        destination.append(label.data(), label.data() + label.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<LabelFlag>();
    }
};

/// The journal's own form of a level, syslog's numbers.
class JournalLevelFlag final : public spdlog::custom_flag_formatter {
 public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& destination) override {
        const std::string_view prefix = [&]() -> std::string_view {
            switch (message.level) {
                case spdlog::level::debug:
                    return SD_DEBUG;
                case spdlog::level::warn:
                    return SD_WARNING;
                case spdlog::level::err:
                    return SD_ERR;
                default:
                    return SD_INFO;
            }
        }();
        destination.append(prefix.data(), prefix.data() + prefix.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JournalLevelFlag>();
    }
};

[[nodiscard]] const char* pattern() {
    if (stderr_is_journal()) return "%J%v";
    return isatty(STDERR_FILENO) == 1 ? "%N%v" : "%Y-%m-%d %H:%M:%S.%e %N%v";
}

}  // namespace

void start_logging(net::LogLevel level) {
    const int own = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<LabelFlag>('N').add_flag<JournalLevelFlag>('J').set_pattern(pattern());
    auto logger = std::make_shared<spdlog::logger>("rtad", std::make_shared<DescriptorSink>(own));
    logger->set_formatter(std::move(formatter));
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
