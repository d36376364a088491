// SPDX-License-Identifier: MIT
#pragma once

#include <asio/io_context.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/options.h"
#include "net/advertisement.h"
#include "net/server.h"

namespace rta::app {

/// The addresses at which clients reach rtad: its sockets and its page, their certificate, and their advertisement on the network.
/// [control]
class Listening {
 public:
    /// Keeps the references.
    Listening(const DaemonOptions& options, net::Server& server, asio::io_context& io)
        : options_{options}, server_{server}, io_{io} {}

    /// Opens the sockets. `hooks` are for --web. Returns the exit status; errors have been logged.
    [[nodiscard]] int open(bool has_tokens, net::WebHooks hooks);
    /// Publishes the addresses that other machines can reach, if the options want that.
    void advertise();
    /// Starts to withdraw the advertisement.
    void withdraw();
    /// Ends the advertisement.
    void end_advertisement() { advertisement_.reset(); }

    /// The fingerprint of the certificate; empty: no TLS.
    [[nodiscard]] const std::string& tls_fingerprint() const { return tls_fingerprint_; }
    /// The addresses of the page, such as "http://localhost:8080/", the preferred one first; empty: no --web.
    [[nodiscard]] const std::vector<std::string>& web_urls() const { return web_urls_; }

 private:
    [[nodiscard]] int set_up_tls(bool has_tokens);
    [[nodiscard]] Expected<void> open_web(net::WebHooks hooks);
    [[nodiscard]] bool is_advertised() const;

    const DaemonOptions& options_;
    net::Server& server_;
    asio::io_context& io_;
    std::vector<std::string> tcp_addresses_;
    std::optional<net::Advertisement> advertisement_;
    std::string tls_fingerprint_;
    std::vector<std::string> web_urls_;
};

}  // namespace rta::app
