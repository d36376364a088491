// SPDX-License-Identifier: MIT
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>

namespace rta::net {

template <class T, void (*kFree)(T*)>
struct OpensslDeleter {
    void operator()(T* object) const noexcept { kFree(object); }
};
template <class T, void (*kFree)(T*)>
using OpensslPointer = std::unique_ptr<T, OpensslDeleter<T, kFree>>;

using SslPointer = OpensslPointer<SSL, &SSL_free>;
using SslContextPointer = OpensslPointer<SSL_CTX, &SSL_CTX_free>;
using X509Pointer = OpensslPointer<X509, &X509_free>;
using KeyPointer = OpensslPointer<EVP_PKEY, &EVP_PKEY_free>;

}  // namespace rta::net
