// SPDX-License-Identifier: MIT
#include "net/connection_log.h"

#include <utility>

#include "text/format_number.h"

namespace rta::net {
namespace {

std::string name_of(const api::Entry& entry, const std::string& listener) {
    if (entry.user_id) return "user " + std::to_string(*entry.user_id) + " on " + listener;
    if (entry.address.empty() || entry.address == listener) return "a client on " + listener;
    return entry.address + " on " + listener;
}

std::string seconds(std::chrono::milliseconds time) {
    return format_number(std::chrono::duration<double>{time}.count()) + " s";
}

}  // namespace

std::string ConnectionLog::text_of(ClosedFor reason) const {
    switch (reason) {
        case ClosedFor::first_message:
            return "its first message is not a Hello of at most 4 KiB";
        case ClosedFor::http:
            return "it sent an HTTP request; this address serves only the protocol of rtad";
        case ClosedFor::tls:
            return "it started TLS, but this address is plain: connect without TLS";
        case ClosedFor::hello_time:
            return "it sent no Hello within " + seconds(limits_.hello_time) + " (--hello-timeout)";
        case ClosedFor::write_time:
            return "it read nothing of its output for " + seconds(limits_.write_time) + " (--write-timeout)";
    }
    return {};
}

void ConnectionLog::closed(ClosedFor reason, const api::Entry& entry, const std::string& listener) {
    warn(closings_[static_cast<std::size_t>(reason)],
         "closed the connection of " + name_of(entry, listener) + ": " + text_of(reason));
}

void ConnectionLog::refused(const Error& refusal, const api::Entry& entry, const std::string& listener) {
    warn(refusals_, "refused a client, " + name_of(entry, listener) + ": " + refusal.sentence);
}

void ConnectionLog::warn(LogLimiter& limiter, const std::string& line) {
    const auto unlogged = limiter.due(std::chrono::steady_clock::now());
    if (!unlogged || !log_) return;
    log_(LogLevel::warning, line + (*unlogged == 0 ? "" : " (and " + std::to_string(*unlogged) + " more before it)"));
}

}  // namespace rta::net
