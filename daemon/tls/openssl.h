// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>

#include "os/c_object.h"

namespace rta::tls {

using SslPointer = os::CObject<SSL, &SSL_free>;
using SslContextPointer = os::CObject<SSL_CTX, &SSL_CTX_free>;
using X509Pointer = os::CObject<X509, &X509_free>;
using KeyPointer = os::CObject<EVP_PKEY, &EVP_PKEY_free>;

/// Returns the reason of the oldest error of this thread, which is the cause of the others, and clears them.
[[nodiscard]] std::string openssl_reason();

/// Returns the SHA-256 of a certificate in DER, as ssh prints it: "SHA256:" and 43 characters of base64.
[[nodiscard]] std::string fingerprint_of(const X509& certificate);

}  // namespace rta::tls
