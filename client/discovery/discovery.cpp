// SPDX-License-Identifier: MIT
#include "discovery/discovery.h"

#include <arpa/inet.h>
#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-common/address.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/simple-watch.h>
#include <avahi-common/strlst.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "discovery/sightings.h"
#include "frame/discovery.h"
#include "os/c_object.h"

namespace rta::client {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
/// Daemons publish in the domain of multicast DNS.
constexpr const char* kDomain = "local";

using Result = std::expected<Discovery, std::string>;

/// Limit for what Avahi is asked directly. D-Bus would wait for 25 s.
constexpr milliseconds kAvahiTimeout{5'000};

using Poll = os::CObject<AvahiSimplePoll, avahi_simple_poll_free>;
using Client = os::CObject<AvahiClient, avahi_client_free>;

std::unexpected<std::string> no_avahi(const std::string& reason) {
    return std::unexpected("cannot search the network: no Avahi daemon responds on this machine (" + reason +
                           "); install the package avahi-daemon and start it, for example with `systemctl start "
                           "avahi-daemon`");
}

/// Returns the numeric address as connect() takes it, or "" for a loopback address: that of this machine is of no use to
/// other machines, and that of another machine is wrong.
std::string address_text(AvahiIfIndex interface_index, const AvahiAddress& address) {
    std::array<char, AVAHI_ADDRESS_STR_MAX> buffer{};
    std::string text = avahi_address_snprint(buffer.data(), buffer.size(), &address);
    if (address.proto == AVAHI_PROTO_INET) return text.starts_with("127.") ? std::string{} : text;
    in6_addr ipv6{};
    std::memcpy(&ipv6, address.data.ipv6.address, sizeof ipv6);
    if (IN6_IS_ADDR_LOOPBACK(&ipv6)) return {};
    if (!IN6_IS_ADDR_LINKLOCAL(&ipv6)) return text;
    std::array<char, IF_NAMESIZE> name{};
    // Without the interface, the address is of no use.
    if (::if_indextoname(static_cast<unsigned>(interface_index), name.data()) == nullptr) return {};
    return text + "%" + name.data();
}

std::vector<std::pair<std::string, std::string>> records_of(AvahiStringList* list) {
    std::vector<std::pair<std::string, std::string>> records;
    for (AvahiStringList* entry = list; entry != nullptr; entry = avahi_string_list_get_next(entry)) {
        char* key = nullptr;
        char* value = nullptr;
        if (avahi_string_list_get_pair(entry, &key, &value, nullptr) != 0) continue;
        const os::CObject<char, avahi_free> key_owner{key};
        const os::CObject<char, avahi_free> value_owner{value};
        records.emplace_back(key, value == nullptr ? "" : value);
    }
    return records;
}

/// Searches on the calling thread.
class Browser {
 public:
    [[nodiscard]] Result run(milliseconds time);

 private:
    void browsed(AvahiServiceBrowser* browser, AvahiBrowserEvent event, const Sightings::Key& key);
    void resolve(AvahiClient* client, const Sightings::Key& key);

    Poll poll_;
    Client client_;  ///< declared after poll_, which it uses until it is freed. Owns browsers and resolvers.
    Sightings sightings_;
    std::optional<int> error_;
};

Result Browser::run(milliseconds time) {
    const auto end = Clock::now() + time;
    poll_.reset(avahi_simple_poll_new());
    if (!poll_) return std::unexpected(std::string{"out of memory"});
    const auto changed = [](AvahiClient* client, AvahiClientState state, void* self) {
        if (state == AVAHI_CLIENT_FAILURE) static_cast<Browser*>(self)->error_ = avahi_client_errno(client);
    };
    int error = 0;
    client_.reset(
        avahi_client_new(avahi_simple_poll_get(poll_.get()), static_cast<AvahiClientFlags>(0), changed, this, &error));
    if (!client_) return no_avahi(avahi_strerror(error));
    const auto found = [](AvahiServiceBrowser* browser, AvahiIfIndex interface_index, AvahiProtocol protocol,
                          AvahiBrowserEvent event, const char* name, const char*, const char*, AvahiLookupResultFlags,
                          void* self) {
        static_cast<Browser*>(self)->browsed(
            browser, event,
            {.name = name == nullptr ? "" : name, .interface_index = interface_index, .protocol = protocol});
    };
    if (avahi_service_browser_new(client_.get(), AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, discovery::kServiceType, kDomain,
                                  static_cast<AvahiLookupFlags>(0), found, this) == nullptr) {
        return no_avahi(avahi_strerror(avahi_client_errno(client_.get())));
    }
    while (!error_) {
        const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
        if (left <= milliseconds{0}) return sightings_.discovery();
        if (avahi_simple_poll_iterate(poll_.get(), static_cast<int>(left.count())) < 0) error_ = AVAHI_ERR_FAILURE;
    }
    return no_avahi(avahi_strerror(*error_));
}

void Browser::browsed(AvahiServiceBrowser* browser, AvahiBrowserEvent event, const Sightings::Key& key) {
    AvahiClient* const client = avahi_service_browser_get_client(browser);
    switch (event) {
        case AVAHI_BROWSER_NEW:
            if (sightings_.appeared(key)) resolve(client, key);
            break;
        case AVAHI_BROWSER_REMOVE:
            sightings_.disappeared(key);
            break;
        case AVAHI_BROWSER_FAILURE:
            error_ = avahi_client_errno(client);
            break;
        case AVAHI_BROWSER_ALL_FOR_NOW:
        case AVAHI_BROWSER_CACHE_EXHAUSTED:
            break;
    }
}

/// Asks for host, port, address and TXT records. A daemon that does not answer stays without them.
void Browser::resolve(AvahiClient* client, const Sightings::Key& key) {
    const auto resolved = [](AvahiServiceResolver* resolver, AvahiIfIndex interface_index, AvahiProtocol protocol,
                             AvahiResolverEvent event, const char* name, const char*, const char*, const char* host,
                             const AvahiAddress* address, std::uint16_t port, AvahiStringList* records,
                             AvahiLookupResultFlags, void* self) {
        if (event == AVAHI_RESOLVER_FOUND) {
            static_cast<Browser*>(self)->sightings_.answered(
                {.name = name, .interface_index = interface_index, .protocol = protocol},
                {.host = host,
                 .port = port,
                 .address = address == nullptr ? std::string{} : address_text(interface_index, *address),
                 .records = records_of(records)});
        }
        avahi_service_resolver_free(resolver);
    };
    // The address of the family over which the daemon is announced: the other one may not reach it.
    avahi_service_resolver_new(client, key.interface_index, key.protocol, key.name.c_str(), discovery::kServiceType,
                               kDomain, key.protocol, static_cast<AvahiLookupFlags>(0), resolved, this);
}

}  // namespace

Result discover(milliseconds time) {
    // Calls into Avahi wait for D-Bus without a timeout of ours, so they are made on a thread that can be abandoned.
    std::promise<Result> promise;
    std::future<Result> future = promise.get_future();
    std::thread([promise = std::move(promise), time]() mutable { promise.set_value(Browser{}.run(time)); }).detach();
    if (future.wait_for(time + kAvahiTimeout) != std::future_status::ready) return no_avahi("timeout");
    return future.get();
}

}  // namespace rta::client
