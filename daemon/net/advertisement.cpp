// SPDX-License-Identifier: MIT
#include "net/advertisement.h"

#include <pthread.h>
#include <sys/eventfd.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

#include "api/exception_barrier.h"
#include "net/advertised_ports.h"
#include "net/avahi_publisher.h"
#include "os/unique_fd.h"
#include "text/quoting.h"

namespace rta::net {

/// What the control thread and the thread of the advertisement share.
struct Advertisement::Shared {
    os::UniqueFd stop{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};  ///< readable after withdraw()
    std::mutex mutex{};
    std::condition_variable changed{};
    LogSink log{};       ///< empty after the destructor of the Advertisement
    bool ended = false;  ///< the advertisement is withdrawn

    void write(LogLevel level, std::string_view line) {
        const std::lock_guard lock{mutex};
        if (log) log(level, line);
    }
    void run(const Publication& publication) {
        pthread_setname_np(pthread_self(), "rtad-avahi");
        const auto published = api::guarded("advertising the daemon", [&] {
            publish_through_avahi(publication, stop.get(),
                                  [this](LogLevel level, std::string_view line) { write(level, line); });
        });
        if (!published) write(LogLevel::error, "no longer advertised on the network: " + published.error().sentence);
        const std::lock_guard lock{mutex};
        ended = true;
        changed.notify_all();
    }
};

Expected<void> check_service_name(std::string_view name) {
    constexpr std::size_t kMaximumBytes = 63;  // of a DNS label
    if (!name.empty() && name.size() <= kMaximumBytes && is_printable(name)) return {};
    return fail(ErrorCode::invalid_argument,
                "invalid name " + quoted(name) + ": expected 1 to 63 bytes of printable text");
}

bool any_reachable(std::span<const std::string> addresses) {
    return !advertised_ports(addresses, [](const asio::ip::address&) { return 0U; }).empty();
}

Advertisement::Advertisement(std::string name, std::span<const std::string> addresses, AdvertisedFacts facts,
                             LogSink log)
    : shared_{std::make_shared<Shared>()} {
    shared_->log = std::move(log);
    Publication publication{
        .name = std::move(name), .ports = advertised_ports(addresses, &interface_of), .facts = std::move(facts)};
    thread_ = std::thread{[shared = shared_, publication = std::move(publication)] { shared->run(publication); }};
}

void Advertisement::withdraw() {
    constexpr std::uint64_t kOne = 1;
    // Fails only if it is readable already.
    [[maybe_unused]] const auto written = ::write(shared_->stop.get(), &kOne, sizeof kOne);
}

Advertisement::~Advertisement() {
    withdraw();
    std::unique_lock lock{shared_->mutex};
    const bool ended = shared_->changed.wait_for(lock, kWithdrawLimit, [this] { return shared_->ended; });
    shared_->log = nullptr;
    lock.unlock();
    if (ended) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

}  // namespace rta::net
