// SPDX-License-Identifier: MIT
#include "net/avahi_publisher.h"

#include <avahi-client/client.h>
#include <avahi-client/publish.h>
#include <avahi-common/alternative.h>
#include <avahi-common/domain.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/simple-watch.h>
#include <avahi-common/strlst.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "api/exception_barrier.h"
#include "frame/discovery.h"
#include "net/state_log.h"
#include "os/c_object.h"
#include "text/quoting.h"
#include "text/utf8.h"

namespace rta::net {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Pause before the next attempt to reach D-Bus: the first, doubled after each failure, and the longest. While D-Bus runs
/// without Avahi, no attempts are needed: D-Bus reports the start of Avahi.
constexpr milliseconds kFirstPause{1'000};
constexpr milliseconds kLongestPause{30'000};
constexpr milliseconds kLogInterval{5'000};
/// Names to try for one service. Each further one differs from all before.
constexpr int kMaximumNames = 100;
constexpr std::size_t kMaximumNameBytes = AVAHI_LABEL_MAX - 1;

using Poll = os::CObject<AvahiSimplePoll, avahi_simple_poll_free>;
using Client = os::CObject<AvahiClient, avahi_client_free>;
using Records = os::CObject<AvahiStringList, avahi_string_list_free>;

AvahiProtocol protocol_of(AdvertisedPlace::Family family) {
    switch (family) {
        case AdvertisedPlace::Family::both:
            return AVAHI_PROTO_UNSPEC;
        case AdvertisedPlace::Family::ipv4:
            return AVAHI_PROTO_INET;
        case AdvertisedPlace::Family::ipv6:
            return AVAHI_PROTO_INET6;
    }
    return AVAHI_PROTO_UNSPEC;
}

AvahiIfIndex interface_of(const AdvertisedPlace& place) {
    return place.interface_index == 0 ? AVAHI_IF_UNSPEC : static_cast<AvahiIfIndex>(place.interface_index);
}

Records records_of(const AdvertisedFacts& facts) {
    Records records;
    const auto add = [&](const char* key, const std::string& value) {
        records.reset(avahi_string_list_add_pair(records.release(), key, value.c_str()));
    };
    add(discovery::kVersionKey, facts.version);
    add(discovery::kInstanceKey, facts.instance);
    if (facts.tls_fingerprint.empty()) return records;
    add(discovery::kTlsKey, "1");
    add(discovery::kFingerprintKey, facts.tls_fingerprint);
    return records;
}

/// Replaces kHostNameMark, and cuts the name to the length that DNS allows.
std::string service_name(std::string name, std::string_view host) {
    for (std::size_t at = name.find(kHostNameMark); at != std::string::npos;
         at = name.find(kHostNameMark, at + host.size())) {
        name.replace(at, kHostNameMark.size(), host);
    }
    name.resize(std::min(name.size(), kMaximumNameBytes));
    name.resize(name.size() - incomplete_bytes_at_end(name));
    return name;
}

std::string alternative_name(const std::string& name) {
    const os::CObject<char, avahi_free> alternative{avahi_alternative_service_name(name.c_str())};
    if (!alternative) throw std::bad_alloc{};
    return alternative.get();
}

/// One port and its name. The group is owned by the client.
struct Service {
    AdvertisedPort port;
    std::string name{};  ///< empty: not chosen yet. Kept afterwards, also when Avahi is restarted.
    AvahiEntryGroup* group = nullptr;
    bool established = false;
};

/// Publishes the services. Callbacks of Avahi only set its state and call Avahi; run() frees and creates clients.
class Publisher {
 public:
    Publisher(const Publication& publication, LogSink log)
        : publication_{publication}, log_{std::move(log), kLogInterval} {
        for (const AdvertisedPort& port : publication.ports) services_.push_back({.port = port});
    }

    void run(int stop_descriptor);

 private:
    void connect();
    void disconnect();
    void client_changed(AvahiClient* client, AvahiClientState state);
    void group_changed(AvahiEntryGroup* group, AvahiEntryGroupState state);
    void publish(AvahiClient* client, Service& service);
    [[nodiscard]] int add(const Service& service) const;
    void reset();
    void report();
    void fail(int error) { lost_ = avahi_strerror(error); }
    void fail(const AvahiClient* client) { fail(avahi_client_errno(const_cast<AvahiClient*>(client))); }
    [[nodiscard]] int timeout_ms() const;

    const Publication& publication_;
    StateLog log_;
    std::vector<Service> services_;
    Poll poll_;
    Client client_;  ///< declared after poll_, which it uses until it is freed
    bool stopping_ = false;
    std::optional<std::string> lost_;  ///< why the client must be replaced
    Clock::time_point retry_at_;
    milliseconds pause_ = kFirstPause;
};

/// Runs a callback of Avahi. An exception must not pass through a C library.
template <class Call>
void guard(std::optional<std::string>& lost, const Call& call) noexcept {
    if (const auto done = api::guarded("advertising the daemon", call); !done) lost = done.error().sentence;
}

void Publisher::run(int stop_descriptor) {
    poll_.reset(avahi_simple_poll_new());
    if (!poll_) throw std::bad_alloc{};
    const AvahiPoll* const api = avahi_simple_poll_get(poll_.get());
    const auto stop = [](AvahiWatch*, int, AvahiWatchEvent, void* self) {
        static_cast<Publisher*>(self)->stopping_ = true;
    };
    if (api->watch_new(api, stop_descriptor, AVAHI_WATCH_IN, stop, this) == nullptr) throw std::bad_alloc{};
    while (!stopping_) {
        if (!client_ && Clock::now() >= retry_at_) connect();
        if (lost_) disconnect();
        log_.update(Clock::now());
        if (avahi_simple_poll_iterate(poll_.get(), timeout_ms()) < 0) throw std::bad_alloc{};
    }
    // Withdraws the services.
    client_.reset();
}

/// Returns the time until something must be done without an event, rounded up; -1: never.
int Publisher::timeout_ms() const {
    std::optional<Clock::time_point> next = log_.due();
    if (!client_) next = std::min(next.value_or(retry_at_), retry_at_);
    if (!next) return -1;
    return static_cast<int>(std::max(std::chrono::ceil<milliseconds>(*next - Clock::now()), milliseconds{0}).count());
}

void Publisher::connect() {
    const auto changed = [](AvahiClient* client, AvahiClientState state, void* self) {
        auto* const publisher = static_cast<Publisher*>(self);
        guard(publisher->lost_, [&] { publisher->client_changed(client, state); });
    };
    int error = 0;
    // NO_FAIL: the client waits for the Avahi daemon to be started.
    client_.reset(avahi_client_new(avahi_simple_poll_get(poll_.get()), AVAHI_CLIENT_NO_FAIL, changed, this, &error));
    if (client_ || lost_) return;
    // The client waits for Avahi, so D-Bus is what it lacks. Avahi's texts for that would mislead.
    if (error == AVAHI_ERR_NO_DAEMON || error == AVAHI_ERR_DBUS_ERROR) {
        lost_ = "D-Bus is not running, or does not know the user of rtad";
    } else {
        fail(error);
    }
}

void Publisher::disconnect() {
    client_.reset();
    for (Service& service : services_) {
        service.group = nullptr;
        service.established = false;
    }
    log_.set(LogLevel::warning, "not advertised on the network: " + *lost_ + "; retrying", Clock::now());
    lost_.reset();
    retry_at_ = Clock::now() + pause_;
    pause_ = std::min(2 * pause_, kLongestPause);
}

void Publisher::client_changed(AvahiClient* client, AvahiClientState state) {
    switch (state) {
        case AVAHI_CLIENT_S_RUNNING:
            pause_ = kFirstPause;
            for (Service& service : services_) publish(client, service);
            break;
        case AVAHI_CLIENT_S_COLLISION:
        case AVAHI_CLIENT_S_REGISTERING:
            // The host name changes. The services follow when it is registered.
            reset();
            break;
        case AVAHI_CLIENT_CONNECTING:
            log_.set(LogLevel::warning, "not advertised on the network: Avahi is not running; waiting for its start",
                     Clock::now());
            break;
        case AVAHI_CLIENT_FAILURE:
            fail(client);
            break;
    }
}

void Publisher::reset() {
    for (Service& service : services_) {
        service.established = false;
        if (service.group != nullptr) avahi_entry_group_reset(service.group);
    }
}

void Publisher::group_changed(AvahiEntryGroup* group, AvahiEntryGroupState state) {
    // Avahi calls this for a new group, too, before it returns it.
    const auto service = std::ranges::find(services_, group, &Service::group);
    if (service == services_.end()) return;
    AvahiClient* const client = avahi_entry_group_get_client(group);
    service->established = state == AVAHI_ENTRY_GROUP_ESTABLISHED;
    switch (state) {
        case AVAHI_ENTRY_GROUP_ESTABLISHED:
            report();
            break;
        case AVAHI_ENTRY_GROUP_COLLISION:
            service->name = alternative_name(service->name);
            publish(client, *service);
            break;
        case AVAHI_ENTRY_GROUP_FAILURE:
            fail(client);
            break;
        case AVAHI_ENTRY_GROUP_UNCOMMITED:
        case AVAHI_ENTRY_GROUP_REGISTERING:
            break;
    }
}

/// Publishes the service under its name, or under another one if a service of this host has that name. Other hosts
/// report a collision later.
void Publisher::publish(AvahiClient* client, Service& service) {
    if (service.name.empty()) {
        const char* const host = avahi_client_get_host_name(client);
        if (host == nullptr) return fail(client);
        service.name = service_name(publication_.name, host);
    }
    if (service.group == nullptr) {
        const auto changed = [](AvahiEntryGroup* group, AvahiEntryGroupState state, void* self) {
            auto* const publisher = static_cast<Publisher*>(self);
            guard(publisher->lost_, [&] { publisher->group_changed(group, state); });
        };
        service.group = avahi_entry_group_new(client, changed, this);
        if (service.group == nullptr) return fail(client);
    }
    int error = AVAHI_ERR_COLLISION;
    for (int tried = 0; error == AVAHI_ERR_COLLISION && tried < kMaximumNames; ++tried) {
        if (tried > 0) service.name = alternative_name(service.name);
        avahi_entry_group_reset(service.group);
        error = add(service);
    }
    if (error == AVAHI_OK) error = avahi_entry_group_commit(service.group);
    if (error != AVAHI_OK) fail(error);
}

int Publisher::add(const Service& service) const {
    const Records records = records_of(publication_.facts);
    for (const AdvertisedPlace& place : service.port.places) {
        const int error = avahi_entry_group_add_service_strlst(
            service.group, interface_of(place), protocol_of(place.family), static_cast<AvahiPublishFlags>(0),
            service.name.c_str(), discovery::kServiceType, nullptr, nullptr, service.port.port, records.get());
        if (error != AVAHI_OK) return error;
    }
    return AVAHI_OK;
}

void Publisher::report() {
    std::string line;
    for (const Service& service : services_) {
        if (!service.established) return;
        line += (line.empty() ? "advertised on the network as " : ", ") + quoted(service.name) + ", port " +
                std::to_string(service.port.port);
    }
    log_.set(LogLevel::info, std::move(line), Clock::now());
}

}  // namespace

void publish_through_avahi(const Publication& publication, int stop_descriptor, LogSink log) {
    Publisher{publication, std::move(log)}.run(stop_descriptor);
}

}  // namespace rta::net
