// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "net/tls_certificate.h"
#include "text/error.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace rta::net {

/// The certificate of a server, and the rules of its TLS sessions: TLS 1.3, without resumption, early data and
/// renegotiation. Immutable, thread-safe.
class TlsContext {
 public:
    /// Reads the certificate, with intermediate certificates behind it, and its key. If `client_ca_file` is not empty,
    /// clients may present a certificate that a CA in this PEM file signed. Errors: INVALID_ARGUMENT, whose sentences
    /// name the file: it cannot be read, is not PEM, or the key does not belong to the certificate.
    [[nodiscard]] static Expected<std::shared_ptr<const TlsContext>> load(const TlsFiles& files,
                                                                          const std::string& client_ca_file = {});
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    ~TlsContext();

    /// The SHA-256 of the certificate in DER, as ssh prints it: "SHA256:" and 43 characters of base64.
    [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }
    /// Returns whether the certificate has expired. Clients refuse it then.
    [[nodiscard]] bool expired() const;
    [[nodiscard]] ssl_ctx_st* handle() const { return context_; }

 private:
    TlsContext(ssl_ctx_st* context, std::string fingerprint);

    ssl_ctx_st* context_;
    std::string fingerprint_;
};

/// Returns whether every user may read the file, such as a private key.
[[nodiscard]] bool everybody_can_read(const std::string& path);

}  // namespace rta::net
