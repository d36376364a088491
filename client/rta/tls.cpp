// SPDX-License-Identifier: MIT
#include "rta/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "os/c_object.h"
#include "os/file.h"
#include "rta/known_hosts.h"
#include "text/quoting.h"
#include "tls/openssl.h"

namespace rta::client {

namespace {

constexpr std::size_t kInputBytes = std::size_t{16} << 10U;
/// The most that one TLS record holds.
constexpr std::size_t kRecordBytes = std::size_t{16} << 10U;
/// More than a private key of any kind.
constexpr std::size_t kMostKeyBytes = std::size_t{64} << 10U;

using tls::openssl_reason;
using tls::SslPointer;
using tls::X509Pointer;

/// OpenSSL would otherwise ask for the passphrase on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

/// Returns why the peer does not accept the certificate of this client, if that is the oldest error of this thread.
std::optional<std::string> refusal_of_certificate() {
    const int alert = ERR_GET_REASON(ERR_peek_error()) - SSL_AD_REASON_OFFSET;
    switch (alert) {
        case SSL_AD_BAD_CERTIFICATE:
        case SSL_AD_UNSUPPORTED_CERTIFICATE:
        case SSL_AD_CERTIFICATE_REVOKED:
        case SSL_AD_CERTIFICATE_EXPIRED:
        case SSL_AD_CERTIFICATE_UNKNOWN:
        case SSL_AD_UNKNOWN_CA:
            return SSL_alert_desc_string_long(alert);
        default:
            return std::nullopt;
    }
}

/// TLS over another stream. OpenSSL reads from and writes to memory, and this class moves the bytes.
class TlsStream final : public ByteStream {
 public:
    TlsStream(std::unique_ptr<ByteStream> stream, SslPointer ssl) : stream_{std::move(stream)}, ssl_{std::move(ssl)} {
        BIO* const input = BIO_new(BIO_s_mem());
        BIO* const output = BIO_new(BIO_s_mem());
        SSL_set_bio(ssl_.get(), input, output);
        SSL_set_connect_state(ssl_.get());
    }
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;
    ~TlsStream() override { end(); }

    /// Returns the reason if the handshake fails.
    std::expected<void, std::string> shake_hands(const Deadline& deadline) {
        for (;;) {
            ERR_clear_error();
            const int result = SSL_connect(ssl_.get());
            const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
            const std::string reason = error == SSL_ERROR_SSL ? openssl_reason() : "unexpected end";
            send_output();
            if (error == SSL_ERROR_NONE) return {};
            if (error != SSL_ERROR_WANT_READ) return std::unexpected(reason);
            const Readiness ready = stream_->wait(has_output(), deadline, -1);
            if (!ready.readable && !ready.writable) return std::unexpected("timeout");
            if (ready.readable) {
                const Transfer received = receive_input();
                if (received.closed) return std::unexpected(received.reason);
            }
        }
    }

    Readiness wait(bool for_writing, const Deadline& deadline, int interrupt_descriptor) override {
        // Not SSL_has_pending(), which also counts a part of a record.
        if (SSL_pending(ssl_.get()) > 0 || BIO_pending(SSL_get_rbio(ssl_.get())) > 0) return {.readable = true};
        for (;;) {
            const bool sending = has_output();
            Readiness ready = stream_->wait(for_writing || sending, deadline, interrupt_descriptor);
            const bool progress = ready.writable;
            if (ready.writable) send_output();
            ready.writable = ready.writable && for_writing && !has_output();
            if (ready.readable || ready.writable || ready.interrupted || !progress) return ready;
        }
    }

    Transfer read(std::span<char> into) override {
        for (;;) {
            ERR_clear_error();
            Transfer transfer;
            const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &transfer.count);
            const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl_.get(), result);
            // In TLS 1.3, the handshake of a client ends before the daemon has verified its certificate.
            const auto refusal = error == SSL_ERROR_SSL ? refusal_of_certificate() : std::nullopt;
            const std::string reason = error == SSL_ERROR_SSL ? openssl_reason() : "unexpected end";
            send_output();
            if (error == SSL_ERROR_NONE) return transfer;
            if (refusal) {
                Transfer refused = broken(*refusal);
                refused.refused_certificate = true;
                return refused;
            }
            if (error == SSL_ERROR_ZERO_RETURN) return {.closed = true, .reason = "rtad closed the TLS stream"};
            if (error != SSL_ERROR_WANT_READ) return broken("TLS error: " + reason);
            const Transfer received = receive_input();
            if (received.closed) return broken(received.reason + " without the end of the TLS stream");
            if (received.count == 0) return {};
        }
    }

    Transfer write(std::string_view bytes) override {
        send_output();
        // Bounds what is held here. The caller waits until the stream is writable again.
        if (has_output()) return send_failed_ ? Transfer{.closed = true, .reason = "cannot send"} : Transfer{};
        ERR_clear_error();
        Transfer transfer;
        const std::size_t size = std::min(bytes.size(), kRecordBytes);
        if (SSL_write_ex(ssl_.get(), bytes.data(), size, &transfer.count) != 1) {
            return broken("TLS error: " + openssl_reason());
        }
        send_output();
        return transfer;
    }

    [[nodiscard]] int descriptor() const noexcept override { return stream_->descriptor(); }
    [[nodiscard]] bool holds_output() const noexcept override { return has_output() && !send_failed_; }

    void close() noexcept override { end(); }

    [[nodiscard]] SSL& ssl() { return *ssl_; }

 private:
    [[nodiscard]] bool has_output() const { return BIO_pending(SSL_get_wbio(ssl_.get())) > 0; }

    /// Sends what OpenSSL has written, as far as the stream accepts it.
    void send_output() {
        BIO* const output = SSL_get_wbio(ssl_.get());
        while (!send_failed_) {
            char* data = nullptr;
            const long size = BIO_get_mem_data(output, &data);
            if (size <= 0) return;
            const Transfer sent = stream_->write({data, static_cast<std::size_t>(size)});
            send_failed_ = sent.closed;
            if (sent.count == 0) return;
            for (std::size_t left = sent.count; left > 0;) {
                std::array<char, kInputBytes> discarded{};
                const int count =
                    BIO_read(output, discarded.data(), static_cast<int>(std::min(left, discarded.size())));
                left -= static_cast<std::size_t>(std::max(count, 1));
            }
        }
    }

    /// Gives OpenSSL what has arrived.
    Transfer receive_input() {
        std::array<char, kInputBytes> bytes{};
        Transfer received = stream_->read(bytes);
        if (received.count > 0) {
            BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(received.count));
        }
        return received;
    }

    Transfer broken(std::string reason) {
        broken_ = true;
        return {.closed = true, .reason = std::move(reason)};
    }

    void end() noexcept {
        if (!stream_) return;
        // Sends close_notify if there is room. OpenSSL must not be called after an error.
        if (!broken_ && SSL_is_init_finished(ssl_.get()) == 1) {
            SSL_shutdown(ssl_.get());
            send_output();
        }
        stream_->close();
        broken_ = true;
    }

    std::unique_ptr<ByteStream> stream_;
    SslPointer ssl_;
    bool send_failed_ = false;
    bool broken_ = false;
};

bool is_ip_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

/// "2036-11-01"
std::string date_text(const ASN1_TIME& time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(&time, &parts) != 1) return "an unknown date";
    std::array<char, 16> text{};
    static_cast<void>(std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts));
    return text.data();
}

/// One attempt to connect, with what its errors need.
class Attempt {
 public:
    Attempt(const TcpEndpoint& endpoint, const TlsOptions& options) : endpoint_{endpoint}, options_{options} {}

    Expected<TlsConnection> connect(std::unique_ptr<ByteStream> stream, const Deadline& deadline) {
        auto ssl = new_session();
        if (!ssl) return std::unexpected(std::move(ssl.error()));
        auto tls = std::make_unique<TlsStream>(std::move(stream), std::move(*ssl));
        if (const auto shaken = tls->shake_hands(deadline); !shaken) {
            // Without an authority, a certificate that no authority has signed does not end the handshake.
            const long verified = options_.ca_file.empty() ? X509_V_OK : SSL_get_verify_result(&tls->ssl());
            if (verified != X509_V_OK) return refuse_by_authority(verified);
            return fail(Error::Kind::cannot_connect, "cannot connect to " + daemon() +
                                                         ": TLS handshake failed: " + shaken.error() +
                                                         "; expected an rtad that listens with TLS 1.3");
        }
        const X509Pointer certificate{SSL_get1_peer_certificate(&tls->ssl())};
        if (!certificate) return refuse("it has no certificate");
        auto first_use = verify(*certificate);
        if (!first_use) return std::unexpected(std::move(first_use.error()));
        return TlsConnection{.stream = std::move(tls), .first_use = *first_use};
    }

 private:
    [[nodiscard]] std::string daemon() const { return "rtad at " + to_string(endpoint_); }

    [[nodiscard]] std::unexpected<Error> refuse(const std::string& why) const {
        return fail(Error::Kind::untrusted, "refused to connect to " + daemon() + ": " + why);
    }

    [[nodiscard]] static std::unexpected<Error> bad_certificate(std::string why) {
        return fail(Error::Kind::bad_certificate, std::move(why));
    }

    [[nodiscard]] std::unexpected<Error> refuse_by_authority(long verified) const {
        return refuse("its certificate is not valid: " + std::string{X509_verify_cert_error_string(verified)} +
                      "; expected a certificate for " + endpoint_.host + " that an authority in " + options_.ca_file +
                      " has signed");
    }

    Expected<SslPointer> new_session() const {
        ERR_clear_error();
        const tls::SslContextPointer context{SSL_CTX_new(TLS_client_method())};
        if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1) {
            return refuse("TLS is not available: " + openssl_reason());
        }
        if (!options_.ca_file.empty()) {
            if (SSL_CTX_load_verify_file(context.get(), options_.ca_file.c_str()) != 1) {
                return refuse("cannot read the certificate authority " + options_.ca_file + ": " + openssl_reason() +
                              "; expected certificates in PEM");
            }
            SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
            // A self-signed certificate that the file contains is trusted, too.
            X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()), X509_V_FLAG_PARTIAL_CHAIN);
        }
        if (!options_.certificate_file.empty()) {
            if (auto used = use_own_certificate(*context); !used) return std::unexpected(std::move(used.error()));
        }
        SslPointer ssl{SSL_new(context.get())};
        if (!ssl || !expect_host(*ssl)) return refuse("TLS is not available: " + openssl_reason());
        return ssl;
    }

    Expected<void> use_own_certificate(SSL_CTX& context) const {
        SSL_CTX_set_default_passwd_cb(&context, &no_passphrase);
        if (SSL_CTX_use_certificate_chain_file(&context, options_.certificate_file.c_str()) != 1) {
            return bad_certificate("cannot use the certificate " + quoted(options_.certificate_file) + ": " +
                                   openssl_reason() + "; expected a certificate in PEM");
        }
        const auto key = read_own_key();
        if (!key) return std::unexpected(key.error());
        if (SSL_CTX_use_PrivateKey(&context, key->get()) == 1) return {};
        ERR_clear_error();
        return bad_certificate("the private key " + quoted(options_.key_file) + " does not belong to the certificate " +
                               quoted(options_.certificate_file) + ": expected its own key");
    }

    Expected<tls::KeyPointer> read_own_key() const {
        const std::string& path = options_.key_file;
        const auto cannot_read = [&](const std::error_code& error) {
            return bad_certificate("cannot read the private key " + quoted(path) + ": " + error.message());
        };
        const auto file = os::open_to_read(path);
        if (!file) return cannot_read(file.error());
        const auto exposed = os::others_may_access(file->get());
        if (!exposed) return cannot_read(exposed.error());
        if (*exposed) {
            return bad_certificate("other users may access the private key " + quoted(path) +
                                   ": expected mode 0600; see chmod(1)");
        }
        auto text = os::read_to_end(file->get(), kMostKeyBytes);
        if (!text) return cannot_read(text.error());
        const os::CObject<BIO, &BIO_free_all> input{BIO_new_mem_buf(text->data(), static_cast<int>(text->size()))};
        tls::KeyPointer key{PEM_read_bio_PrivateKey(input.get(), nullptr, &no_passphrase, nullptr)};
        OPENSSL_cleanse(text->data(), text->size());
        if (key) return key;
        return bad_certificate("cannot use the private key " + quoted(path) + ": " + openssl_reason() +
                               "; expected a key in PEM without a passphrase");
    }

    bool expect_host(SSL& ssl) const {
        if (is_ip_address(endpoint_.host)) {
            return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(&ssl), endpoint_.host.c_str()) == 1;
        }
        return SSL_ctrl(&ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                        const_cast<char*>(endpoint_.host.c_str())) == 1 &&
               SSL_set1_host(&ssl, endpoint_.host.c_str()) == 1;
    }

    /// Returns whether the daemon was not known before.
    Expected<bool> verify(const X509& certificate) const {
        const ASN1_TIME* const end = X509_get0_notAfter(&certificate);
        if (X509_cmp_current_time(end) <= 0) {
            return refuse("its certificate expired on " + date_text(*end) + "; expected a certificate that is valid");
        }
        const std::string fingerprint = tls::fingerprint_of(certificate);
        if (!options_.fingerprint.empty() && fingerprint != options_.fingerprint) {
            return refuse("its certificate has the fingerprint " + fingerprint + "; expected " + options_.fingerprint);
        }
        // An authority has been verified during the handshake.
        if (!options_.fingerprint.empty() || !options_.ca_file.empty()) return false;
        return verify_known(fingerprint);
    }

    Expected<bool> verify_known(const std::string& fingerprint) const {
        const std::string& file = options_.known_hosts_file;
        if (file.empty()) {
            return refuse(
                "the known-hosts file has no path, because HOME and XDG_CONFIG_HOME are not set; set one of "
                "them, the expected fingerprint, or a certificate authority");
        }
        const std::string host = known_host_name(endpoint_);
        const auto known = read_known_hosts(file);
        if (!known) return refuse(known.error());
        const auto of_host = [&](const KnownHost& entry) { return entry.host == host; };
        const auto found = std::ranges::find_if(*known, of_host);
        if (found == known->end()) return trust_new(host, fingerprint);
        if (std::ranges::any_of(
                *known, [&](const KnownHost& entry) { return of_host(entry) && entry.fingerprint == fingerprint; })) {
            return false;
        }
        return refuse(
            "ITS CERTIFICATE HAS CHANGED: another machine may be posing as this rtad to intercept the "
            "connection; the fingerprint is " +
            fingerprint + ", but " + file + ", line " + std::to_string(found->line) + " has " + found->fingerprint +
            "; if the certificate was replaced, remove this line and connect again");
    }

    Expected<bool> trust_new(const std::string& host, const std::string& fingerprint) const {
        if (options_.trust && !options_.trust(host, fingerprint)) {
            return refuse("its certificate, with the fingerprint " + fingerprint + ", is not trusted");
        }
        const auto added = add_known_host(options_.known_hosts_file, host, fingerprint);
        if (!added) return refuse("its certificate cannot be remembered: " + added.error());
        return true;
    }

    const TcpEndpoint& endpoint_;
    const TlsOptions& options_;
};

}  // namespace

Expected<TlsConnection> connect_tls(std::unique_ptr<ByteStream> stream, const TcpEndpoint& endpoint,
                                    const TlsOptions& options, const Deadline& deadline) {
    return Attempt{endpoint, options}.connect(std::move(stream), deadline);
}

}  // namespace rta::client
