// SPDX-License-Identifier: MIT
#include "app/tls_setup.h"

#include <algorithm>
#include <utility>

#include "net/address.h"
#include "net/web/web_names.h"

namespace rta::app {
namespace {

constexpr const char* kGetCertificate =
    "set --state-dir, in which rtad creates a certificate, or --tls-cert and --tls-key";
constexpr const char* kGetToken =
    "create a token with `rtad token new --role control NAME` and the same --state-dir or --tokens";

Expected<void> check_access(const net::ListenAddress& address, bool has_certificate, bool has_tokens) {
    if (!address.tls || (has_certificate && (has_tokens || !address.reachable))) return {};
    const std::string refused = "refused to listen on " + address.name + ": ";
    if (!address.reachable) {
        return fail(ErrorCode::permission_denied, refused + "TLS requires a certificate: " + kGetCertificate);
    }
    const bool both = !has_certificate && !has_tokens;
    return fail(ErrorCode::permission_denied,
                refused + "other machines can reach this address, so it requires TLS and a token: " +
                    (has_certificate ? "" : kGetCertificate) + (both ? ", and " : "") + (has_tokens ? "" : kGetToken) +
                    "; or use a loopback address, such as 127.0.0.1:7340");
}

Expected<std::vector<net::ListenAddress>> addresses_of(const DaemonOptions& options) {
    std::vector<net::ListenAddress> addresses;
    std::vector<std::string> texts = options.listen;
    if (!options.web.empty()) texts.push_back(options.web);
    for (const std::string& text : texts) {
        auto address = net::resolve_listen_address(text);
        if (!address) return std::unexpected(std::move(address.error()));
        addresses.push_back(std::move(*address));
    }
    return addresses;
}

bool has_certificate(const DaemonOptions& options) {
    return !options.tls_certificate.empty() || !options.state_directory.empty();
}

Expected<void> create_own(const net::TlsFiles& files, const std::vector<net::ListenAddress>& addresses,
                          const std::vector<std::string>& web_names) {
    std::vector<std::string> hosts;
    for (const net::ListenAddress& address : addresses) {
        if (address.tls) hosts.push_back(address.host);
    }
    for (const std::string& name : web_names) hosts.push_back(net::host_of_web_name(name));
    return net::create_certificate(files, net::certificate_names(hosts));
}

}  // namespace

Expected<std::shared_ptr<const net::TlsContext>> set_up_tls(const DaemonOptions& options, bool has_tokens,
                                                            const std::function<void(const std::string&)>& warn) {
    const auto addresses = addresses_of(options);
    if (!addresses) return std::unexpected(addresses.error());
    for (const net::ListenAddress& address : *addresses) {
        if (const auto allowed = check_access(address, has_certificate(options), has_tokens); !allowed) {
            return std::unexpected(allowed.error());
        }
    }
    const bool given = !options.tls_certificate.empty();
    const bool needed = std::ranges::any_of(*addresses, &net::ListenAddress::tls);
    if (!needed && !options.tls_client_ca.empty()) {
        warn(
            "--tls-client-ca has no effect: no address of --listen or --web uses TLS; expected an address of a network interface, "
            "or the prefix tls://");
    }
    if (!needed && !given) return nullptr;

    const net::TlsFiles files =
        given ? net::TlsFiles{options.tls_certificate, options.tls_key} : net::TlsFiles::in(options.state_directory);
    if (!given) {
        if (const auto created = create_own(files, *addresses, options.web_names); !created)
            return std::unexpected(created.error());
    }
    auto context = net::TlsContext::load(files, options.tls_client_ca);
    if (context && net::everybody_can_read(files.key)) {
        warn("every user of this machine can read the private key " + files.key + "; \"chmod 600 " + files.key +
             "\" changes that");
    }
    if (context && (*context)->expired()) {
        warn("the TLS certificate " + files.certificate + " has expired: clients refuse it");
    }
    return context;
}

Expected<void> check_certificate(const DaemonOptions& options) {
    if (has_certificate(options)) return {};
    const auto addresses = addresses_of(options);
    if (!addresses) return std::unexpected(addresses.error());
    for (const net::ListenAddress& address : *addresses) {
        if (auto allowed = check_access(address, false, false); !allowed) return allowed;
    }
    return {};
}

std::vector<std::string> tls_files_in(const std::string& state_directory) {
    if (state_directory.empty()) return {};
    const net::TlsFiles files = net::TlsFiles::in(state_directory);
    return {files.certificate, files.key};
}

}  // namespace rta::app
