// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "app/options.h"
#include "net/tls_context.h"
#include "text/error.h"

namespace rta::app {

/// Returns the certificate for the TLS addresses of --listen and --web: the one of --tls-cert, or the one in the state directory,
/// which is created if it does not exist. Returns null if neither --tls-cert is set nor an address uses TLS. `warn` is
/// called with sentences about a certificate that has expired, a key that every user may read, and certificates of clients
/// that no address asks for.
///
/// Errors: PERMISSION_DENIED if an address that other machines can reach has no certificate, or if `has_tokens` is
/// false, because then every machine could control the daemon; INVALID_ARGUMENT and FAILED_PRECONDITION if a
/// certificate or key cannot be used; NOT_FOUND if a host cannot be resolved. All are configuration errors. UNAVAILABLE
/// is not: the state directory cannot be written.
[[nodiscard]] Expected<std::shared_ptr<const net::TlsContext>> set_up_tls(
    const DaemonOptions& options, bool has_tokens, const std::function<void(const std::string&)>& warn);

/// Checks that there is, or can be, a certificate if an address of --listen or --web uses TLS. Reads no file. Errors:
/// PERMISSION_DENIED, NOT_FOUND.
[[nodiscard]] Expected<void> check_certificate(const DaemonOptions& options);

/// Returns the files that set_up_tls() may write; none without a state directory.
[[nodiscard]] std::vector<std::string> tls_files_in(const std::string& state_directory);

}  // namespace rta::app
