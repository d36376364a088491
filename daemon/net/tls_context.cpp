// SPDX-License-Identifier: MIT
#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "tls/openssl.h"

namespace rta::net {
namespace {

using tls::openssl_reason;

std::unexpected<Error> refuse(const std::string& what, const std::string& file, const std::string& expected) {
    return fail(ErrorCode::invalid_argument,
                "cannot use the " + what + " " + file + ": " + openssl_reason() + "; expected " + expected);
}

/// OpenSSL would otherwise ask for the passphrase on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

void set_rules(SSL_CTX& context) {
    SSL_CTX_set_min_proto_version(&context, TLS1_3_VERSION);
    SSL_CTX_set_options(&context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(&context, 0);
    SSL_CTX_set_max_early_data(&context, 0);
    SSL_CTX_set_session_cache_mode(&context, SSL_SESS_CACHE_OFF);
    // An idle session holds no buffers. A write may be repeated with the same bytes at another address.
    SSL_CTX_set_mode(&context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    // A read returns after each record. Otherwise one call would continue for as long as a client sends nothing but new keys,
    // and no other session would be served.
    SSL_CTX_clear_mode(&context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_default_passwd_cb(&context, &no_passphrase);
}

Expected<void> allow_client_certificates(SSL_CTX& context, const std::string& ca_file) {
    STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(ca_file.c_str());
    if (names == nullptr || SSL_CTX_load_verify_file(&context, ca_file.c_str()) != 1) {
        return refuse("certificate authority of clients", ca_file, "certificates in PEM");
    }
    SSL_CTX_set_client_CA_list(&context, names);  // takes ownership
    SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
    return {};
}

}  // namespace

Expected<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsFiles& files, const std::string& client_ca_file) {
    tls::SslContextPointer context{SSL_CTX_new(TLS_server_method())};
    if (!context) return fail(ErrorCode::internal, "cannot set up TLS: " + openssl_reason());
    set_rules(*context);
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
        return refuse("TLS certificate", files.certificate, "a certificate in PEM");
    }
    // The comparison with the certificate is a part of this call.
    if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) {
            ERR_clear_error();
            return fail(ErrorCode::invalid_argument, "the private key " + files.key +
                                                         " does not belong to the TLS certificate " +
                                                         files.certificate + ": expected its own key");
        }
        return refuse("private key", files.key,
                      "a key in PEM without a passphrase, of the certificate " + files.certificate);
    }
    if (!client_ca_file.empty()) {
        if (auto allowed = allow_client_certificates(*context, client_ca_file); !allowed) {
            return std::unexpected(std::move(allowed.error()));
        }
    }
    std::string fingerprint = tls::fingerprint_of(*SSL_CTX_get0_certificate(context.get()));
    return std::shared_ptr<const TlsContext>{new TlsContext{context.release(), std::move(fingerprint)}};
}

TlsContext::TlsContext(ssl_ctx_st* context, std::string fingerprint)
    : context_{context}, fingerprint_{std::move(fingerprint)} {}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

bool TlsContext::expired() const {
    return X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(context_))) <= 0;
}

bool everybody_can_read(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

}  // namespace rta::net
