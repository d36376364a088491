// SPDX-License-Identifier: MIT
#include "app/listening.h"

#include <asio/post.hpp>
#include <utility>

#include "api/exception_barrier.h"
#include "app/logging.h"
#include "app/page_folder.h"
#include "app/process_setup.h"
#include "app/tls_setup.h"
#include "app/web_urls.h"
#include "net/address.h"
#include "net/tls_certificate.h"

namespace rta::app {
namespace {

/// Returns the names of the machine in addresses of the page. The first one is shown to users: on a loopback address
/// "localhost", because a browser grants a page more rights there than under the name of the machine.
std::vector<std::string> web_hosts(const net::ListenAddress& address) {
    std::vector<std::string> hosts = net::certificate_names(std::vector{address.host});
    if (address.reachable) return hosts;
    const bool usual = address.host == "127.0.0.1" || address.host == "::1";
    hosts.insert(hosts.begin(), usual ? "localhost" : address.host);
    return hosts;
}

}  // namespace

int Listening::set_up_tls(bool has_tokens) {
    auto context = app::set_up_tls(options_, has_tokens,
                                   [](const std::string& sentence) { log(net::LogLevel::warning, sentence); });
    if (!context) {
        log(net::LogLevel::error, context.error().sentence);
        return context.error().code == ErrorCode::unavailable ? kExitFailure : kExitUsage;
    }
    if (*context == nullptr) return kExitClean;
    tls_fingerprint_ = (*context)->fingerprint();
    server_.use_tls(std::move(*context), options_.limits.tls);
    return kExitClean;
}

int Listening::open(bool has_tokens, net::WebHooks hooks) {
    if (const std::string shortage = descriptor_shortage(options_.limits.clients.clients); !shortage.empty())
        log(net::LogLevel::warning, shortage);
    if (const int status = set_up_tls(has_tokens); status != kExitClean) return status;
    if (const auto bound = server_.listen_unix(
            options_.socket, options_.socket_for_group ? net::SocketAccess::group : net::SocketAccess::owner);
        !bound) {
        log(net::LogLevel::error, bound.error().sentence);
        // Another process holds the lock of the folder, possibly only for a moment: a restart may succeed.
        return bound.error().code == ErrorCode::deadline_exceeded ? kExitFailure : kExitUsage;
    }
    for (const std::string& address : options_.listen) {
        if (const auto bound = server_.listen_tcp(address); !bound) {
            log(net::LogLevel::error, bound.error().sentence);
            return kExitUsage;
        } else {
            tcp_addresses_.push_back(*bound);
        }
    }
    if (const auto opened = open_web(std::move(hooks)); !opened) {
        log(net::LogLevel::error, opened.error().sentence);
        return kExitUsage;
    }
    if (!options_.advertise.empty() && !is_advertised()) {
        log(net::LogLevel::warning,
            "--advertise has no effect: other machines cannot reach this daemon, which listens only on loopback "
            "addresses and on a Unix socket; expected --listen with an address of a network interface");
    }
    return kExitClean;
}

Expected<void> Listening::open_web(net::WebHooks hooks) {
    if (options_.web.empty()) return {};
    const auto address = net::resolve_listen_address(options_.web);
    if (!address) return std::unexpected(address.error());
    const std::vector<std::string> hosts = web_hosts(*address);
    auto opened =
        server_.listen_web(options_.web, {.page_folder = options_.web_root.empty() ? page_folder() : options_.web_root,
                                          .hosts = hosts,
                                          .web_names = options_.web_names,
                                          .hooks = std::move(hooks)});
    if (!opened) return std::unexpected(std::move(opened.error()));
    web_urls_ = app::web_urls(*opened, hosts, options_.web_names);
    return {};
}

bool Listening::is_advertised() const { return !options_.advertise.empty() && net::any_reachable(tcp_addresses_); }

void Listening::advertise() {
    if (!is_advertised()) return;
    // Without a thread, such as beyond TasksMax, the daemon works as usual.
    const auto advertised = api::guarded("advertising the daemon", [this] {
        advertisement_.emplace(
            options_.advertise, tcp_addresses_,
            net::AdvertisedFacts{
                .version = RTA_VERSION, .instance = server_.instance_id(), .tls_fingerprint = tls_fingerprint_},
            [this](net::LogLevel level, std::string_view line) {
                asio::post(io_, [level, text = std::string{line}] { log(level, text); });
            });
    });
    if (!advertised) log(net::LogLevel::error, "not advertised on the network: " + advertised.error().sentence);
}

void Listening::withdraw() {
    if (advertisement_) advertisement_->withdraw();
}

}  // namespace rta::app
