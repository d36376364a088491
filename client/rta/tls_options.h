// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace rta::client {

/// Returns `rtactl/known_hosts` in $XDG_CONFIG_HOME if that is an absolute path, else in ~/.config; empty without HOME.
[[nodiscard]] std::string default_known_hosts_file();

/// How a client encrypts its connection, and which certificates it accepts. TCP addresses that are not loopback
/// addresses always use TLS 1.3; Unix sockets never do.
///
/// By default, the certificate of a daemon is trusted on first use, as ssh does: its fingerprint is added to a file, and
/// a daemon at the same address with another certificate is refused. `fingerprint` or `ca_file` replaces this file; with
/// both, both must agree. Expired certificates are always refused. Loopback addresses use TLS if an option asks for a
/// certificate.
struct TlsOptions {
    bool on_loopback = false;   ///< use TLS at loopback addresses, too
    std::string fingerprint{};  ///< of the only certificate to accept, "SHA256:..."; empty: any of known_hosts_file
    /// Certificate authorities in PEM. If not empty, the certificate must be signed by one of them, and be valid for the
    /// host that was connected to.
    std::string ca_file{};
    std::string known_hosts_file = default_known_hosts_file();
    /// Certificate of this client, in PEM, with intermediate certificates behind it, and its private key; empty: none. A
    /// daemon with `tls-client-ca` takes it instead of the token that has its common name. As ssh does, the library refuses
    /// a key of this user that other users may access.
    std::string certificate_file{};
    std::string key_file{};
    /// Decides whether to trust a daemon on first use. `host` is HOST:PORT. May take any time: the client connects again
    /// afterwards. Must not throw. A subscription and AsyncClient call it on another thread, and may call it after they
    /// were destroyed, so it must own what it uses. If not set, every daemon is trusted on first use.
    std::function<bool(const std::string& host, const std::string& fingerprint)> trust{};
};

}  // namespace rta::client
