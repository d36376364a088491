// SPDX-License-Identifier: MIT
#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/redirect_error.hpp>
#include <asio/ssl/error.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <cerrno>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tls/openssl.h"

namespace rta::net {
namespace {

using tls::SslPointer;
using tls::X509Pointer;

/// The most that one TLS record holds.
constexpr std::size_t kRecordBytes = std::size_t{16} << 10U;

/// The outcome of a call of OpenSSL that does not block.
struct Step {
    std::size_t count = 0;                             ///< bytes moved
    std::optional<StreamSocket::wait_type> awaited{};  ///< the call must be repeated when the socket is ready for this
    asio::error_code error{};
};

/// Returns the oldest error of OpenSSL on this thread.
asio::error_code openssl_error() {
    const unsigned long code = ERR_get_error();
    if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return asio::ssl::error::stream_truncated;
    return {static_cast<int>(code), asio::error::get_ssl_category()};
}

/// Calls `call(count)`, which returns the result of an OpenSSL function.
template <class Call>
Step step(SSL& ssl, const Call& call) {
    ERR_clear_error();
    errno = 0;
    std::size_t count = 0;
    const int result = call(count);
    const int error = errno;
    if (result > 0) return {.count = count};
    switch (SSL_get_error(&ssl, result)) {
        case SSL_ERROR_WANT_READ:
            return {.awaited = StreamSocket::wait_read};
        case SSL_ERROR_WANT_WRITE:
            return {.awaited = StreamSocket::wait_write};
        case SSL_ERROR_ZERO_RETURN:
            return {.error = asio::error::eof};
        case SSL_ERROR_SYSCALL:
            if (error != 0) return {.error = {error, asio::error::get_system_category()}};
            return {.error = asio::ssl::error::stream_truncated};
        default:
            return {.error = openssl_error()};
    }
}

asio::awaitable<Step> accept_step(SSL* ssl) {
    co_return step(*ssl, [&](std::size_t&) { return SSL_accept(ssl); });
}

/// Returns the common name of a certificate that the client has presented and that was verified.
std::string certificate_name_of(SSL& ssl) {
    constexpr std::size_t kLongest = 128;
    const X509Pointer certificate{SSL_get1_peer_certificate(&ssl)};
    if (!certificate || SSL_get_verify_result(&ssl) != X509_V_OK) return {};
    X509_NAME* const subject = X509_get_subject_name(certificate.get());
    const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0) return {};
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (size < 0) return {};
    const auto release = [](unsigned char* bytes) { OPENSSL_free(bytes); };
    const std::unique_ptr<unsigned char, decltype(release)> owner{text, release};
    if (static_cast<std::size_t>(size) > kLongest || std::find(text, text + size, '\0') != text + size) return {};
    return {text, text + size};
}

/// The encrypted connection of one client, shared by its stream and its pending operations. [network thread]
class Connection : public std::enable_shared_from_this<Connection> {
 public:
    struct Transfer {
        std::size_t count = 0;
        asio::error_code error{};
        bool in_handshake = false;  ///< the error ended the handshake
    };

    /// [any]
    Connection(StreamSocket socket, std::shared_ptr<TlsNetwork> network, std::string address)
        : network_{std::move(network)},
          address_{std::move(address)},
          socket_{network_->executor()},
          limit_{network_->executor()},
          handshake_ended_{network_->executor(), asio::steady_timer::time_point::max()} {
        asio::error_code error;
        const auto protocol = socket.local_endpoint(error).protocol();
        const int descriptor = error ? -1 : socket.release(error);
        if (!error) socket_.assign(protocol, descriptor, error);
        if (!error) socket_.native_non_blocking(true, error);
        failure_ = error;
    }

    [[nodiscard]] TlsNetwork& network() const { return *network_; }
    /// Constant after the handshake.
    [[nodiscard]] const std::string& certificate_name() const { return certificate_name_; }
    /// Returns the number of bytes that the socket has accepted, before encryption. [any]
    [[nodiscard]] std::uint64_t bytes_taken() const { return bytes_taken_.load(std::memory_order_relaxed); }

    static asio::awaitable<Transfer> read(std::shared_ptr<Connection> self, std::span<char> into);
    static asio::awaitable<Transfer> write(std::shared_ptr<Connection> self, std::vector<asio::const_buffer> buffers);
    static asio::awaitable<Transfer> finish_writing(std::shared_ptr<Connection> self);
    void stop_reading();
    void close();

 private:
    enum class State : std::uint8_t { connected, handshake, established, failed };

    static asio::awaitable<void> shake_hands(std::shared_ptr<Connection> self);
    asio::awaitable<asio::error_code> try_handshake();
    asio::awaitable<asio::error_code> accept();
    asio::awaitable<asio::error_code> establish();
    asio::awaitable<asio::error_code> ready_for(StreamSocket::wait_type what);
    void start_handshake();
    void end_handshake(const asio::error_code& error);
    [[nodiscard]] Transfer failed() const { return {.error = failure_, .in_handshake = true}; }

    std::shared_ptr<TlsNetwork> network_;
    const std::string address_;  ///< of the client
    StreamSocket socket_;
    SslPointer ssl_;  ///< null until the client has sent a byte
    asio::steady_timer limit_;
    asio::steady_timer handshake_ended_;
    std::optional<TlsNetwork::Turn> turn_;  ///< during the handshake
    State state_ = State::connected;
    asio::error_code failure_;  ///< of the handshake
    std::string certificate_name_;
    std::atomic<std::uint64_t> bytes_taken_{0};
    bool busy_ = false;           ///< the handshake thread uses the socket
    bool closed_ = false;         ///< the owner has closed the stream, or the handshake took too long
    bool input_stopped_ = false;  ///< by the owner
    bool broken_ = false;         ///< an error after which OpenSSL must not be called
};

void Connection::start_handshake() {
    state_ = State::handshake;
    limit_.expires_after(network_->limits().handshake_time);
    limit_.async_wait([weak = weak_from_this()](const asio::error_code& cancelled) {
        const auto self = weak.lock();
        if (cancelled || !self || self->state_ != State::handshake) return;
        self->failure_ = asio::error::timed_out;
        self->close();
    });
    asio::co_spawn(network_->executor(), shake_hands(shared_from_this()),
                   [self = shared_from_this()](const std::exception_ptr& thrown) {
                       if (thrown) self->end_handshake(asio::error::no_memory);
                   });
}

asio::awaitable<void> Connection::shake_hands(std::shared_ptr<Connection> self) {
    self->turn_.emplace(*self->network_, self->address_);
    self->end_handshake(co_await self->try_handshake());
}

asio::awaitable<asio::error_code> Connection::try_handshake() {
    // A client that sends nothing costs a descriptor only.
    if (const asio::error_code error = co_await ready_for(StreamSocket::wait_read)) co_return error;
    co_await turn_->wait();
    if (closed_) co_return asio::error::operation_aborted;
    // An end without a byte is not a failed handshake.
    char first = 0;
    if (::recv(socket_.native_handle(), &first, 1, MSG_PEEK) == 0) co_return asio::error::eof;
    ssl_.reset(SSL_new(network_->context().handle()));
    if (!ssl_ || SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) co_return asio::error::no_memory;
    co_return co_await accept();
}

asio::awaitable<asio::error_code> Connection::accept() {
    for (;;) {
        busy_ = true;
        asio::awaitable<Step> accepting = accept_step(ssl_.get());
        const Step done =
            co_await asio::co_spawn(network_->handshake_executor(), std::move(accepting), asio::use_awaitable);
        busy_ = false;
        if (closed_) {
            asio::error_code ignored;
            socket_.close(ignored);
            co_return asio::error::operation_aborted;
        }
        if (done.error) co_return done.error;
        if (!done.awaited) break;
        if (const asio::error_code error = co_await ready_for(*done.awaited)) co_return error;
    }
    certificate_name_ = certificate_name_of(*ssl_);
    co_return asio::error_code{};
}

void Connection::end_handshake(const asio::error_code& error) {
    limit_.cancel();
    turn_.reset();
    if (error && !failure_) failure_ = error;
    state_ = failure_ ? State::failed : State::established;
    broken_ = state_ == State::failed;
    handshake_ended_.cancel();
}

/// Performs the handshake, or waits until it has ended.
asio::awaitable<asio::error_code> Connection::establish() {
    if (state_ == State::connected && !failure_ && !closed_) start_handshake();
    asio::error_code ignored;
    while (state_ == State::handshake) {
        co_await handshake_ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (state_ == State::established) co_return asio::error_code{};
    co_return failure_ ? failure_ : asio::error::operation_aborted;
}

asio::awaitable<asio::error_code> Connection::ready_for(StreamSocket::wait_type what) {
    asio::error_code error;
    if (!closed_) co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, error));
    if (closed_) error = asio::error::operation_aborted;
    co_return error;
}

asio::awaitable<Connection::Transfer> Connection::read(std::shared_ptr<Connection> self, std::span<char> into) {
    if (const asio::error_code error = co_await self->establish()) {
        co_return Transfer{.error = error, .in_handshake = true};
    }
    for (;;) {
        if (self->closed_ || self->broken_) co_return Transfer{.error = asio::error::operation_aborted};
        const Step done = step(*self->ssl_, [&](std::size_t& count) {
            return SSL_read_ex(self->ssl_.get(), into.data(), into.size(), &count);
        });
        if (done.error == asio::ssl::error::stream_truncated && self->input_stopped_) {
            co_return Transfer{.error = asio::error::eof};
        }
        if (done.error && done.error != asio::error::eof) self->broken_ = true;
        if (done.error || !done.awaited) co_return Transfer{.count = done.count, .error = done.error};
        if (const asio::error_code error = co_await self->ready_for(*done.awaited)) co_return Transfer{.error = error};
    }
}

asio::awaitable<Connection::Transfer> Connection::write(std::shared_ptr<Connection> self,
                                                        std::vector<asio::const_buffer> buffers) {
    if (const asio::error_code error = co_await self->establish()) {
        co_return Transfer{.error = error, .in_handshake = true};
    }
    // Many short messages become one record.
    std::vector<char> record(std::min(asio::buffer_size(buffers), kRecordBytes));
    std::size_t written = 0;
    auto buffer = buffers.begin();
    for (;;) {
        std::size_t filled = 0;
        for (; buffer != buffers.end() && filled < record.size(); buffer += buffer->size() == 0 ? 1 : 0) {
            const std::size_t copied = asio::buffer_copy(asio::buffer(record) + filled, *buffer);
            filled += copied;
            *buffer += copied;
        }
        if (filled == 0) co_return Transfer{.count = written};
        for (std::size_t sent = 0; sent < filled;) {
            if (self->closed_ || self->broken_) {
                co_return Transfer{.count = written, .error = asio::error::operation_aborted};
            }
            const Step done = step(*self->ssl_, [&](std::size_t& count) {
                return SSL_write_ex(self->ssl_.get(), record.data() + sent, filled - sent, &count);
            });
            if (done.error) {
                self->broken_ = true;
                co_return Transfer{.count = written, .error = done.error};
            }
            sent += done.count;
            written += done.count;
            self->bytes_taken_.fetch_add(done.count, std::memory_order_relaxed);  // only a count
            if (!done.awaited) continue;
            if (const asio::error_code error = co_await self->ready_for(*done.awaited)) {
                co_return Transfer{.count = written, .error = error};
            }
        }
    }
}

asio::awaitable<Connection::Transfer> Connection::finish_writing(std::shared_ptr<Connection> self) {
    if (const asio::error_code error = co_await self->establish()) {
        co_return Transfer{.error = error, .in_handshake = true};
    }
    for (;;) {
        if (self->closed_ || self->broken_) co_return Transfer{.error = asio::error::operation_aborted};
        // 0: close_notify was sent; that of the client has not arrived.
        const Step done = step(*self->ssl_, [&](std::size_t&) { return SSL_shutdown(self->ssl_.get()) >= 0 ? 1 : -1; });
        if (done.error) {
            self->broken_ = true;
            co_return Transfer{.error = done.error};
        }
        if (!done.awaited) break;
        if (const asio::error_code error = co_await self->ready_for(*done.awaited)) co_return Transfer{.error = error};
    }
    Transfer finished;
    self->socket_.shutdown(StreamSocket::shutdown_send, finished.error);
    co_return finished;
}

void Connection::stop_reading() {
    input_stopped_ = true;
    asio::error_code ignored;
    socket_.shutdown(StreamSocket::shutdown_receive, ignored);
}

void Connection::close() {
    if (std::exchange(closed_, true)) return;
    limit_.cancel();
    if (turn_) turn_->end();
    // While the handshake thread uses the descriptor, the system must not give it to another socket.
    if (busy_) return;
    asio::error_code ignored;
    socket_.close(ignored);
}

class TlsStream final : public ByteStream {
 public:
    TlsStream(StreamSocket socket, std::shared_ptr<TlsNetwork> network, std::string address,
              std::function<void(const asio::error_code&)> handshake_failed)
        : connection_{std::make_shared<Connection>(std::move(socket), std::move(network), std::move(address))},
          handshake_failed_{std::move(handshake_failed)} {}
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;
    ~TlsStream() override { close(); }

    std::uint64_t bytes_taken() const override { return connection_->bytes_taken(); }

    asio::awaitable<std::size_t> read_some(std::span<char> into, asio::error_code& error) override {
        asio::awaitable<Connection::Transfer> reading = Connection::read(connection_, into);
        const Connection::Transfer read = co_await run(std::move(reading));
        co_return taken(read, error);
    }

    asio::awaitable<std::size_t> write(std::span<const asio::const_buffer> buffers, asio::error_code& error) override {
        asio::awaitable<Connection::Transfer> writing =
            Connection::write(connection_, std::vector(buffers.begin(), buffers.end()));
        const Connection::Transfer written = co_await run(std::move(writing));
        co_return taken(written, error);
    }

    asio::awaitable<void> finish_writing(asio::error_code& error) override {
        asio::awaitable<Connection::Transfer> finishing = Connection::finish_writing(connection_);
        const Connection::Transfer finished = co_await run(std::move(finishing));
        taken(finished, error);
    }

    void stop_reading() override {
        network().post([connection = connection_] { connection->stop_reading(); });
    }

    void close() override {
        if (!std::exchange(open_, false)) return;
        network().post([connection = connection_] { connection->close(); });
    }

    [[nodiscard]] bool is_open() const override { return open_; }
    [[nodiscard]] std::string certificate_name() const override { return connection_->certificate_name(); }

 private:
    [[nodiscard]] TlsNetwork& network() const { return connection_->network(); }

    /// Runs an operation on the network thread. The caller continues on the control thread.
    asio::awaitable<Connection::Transfer> run(asio::awaitable<Connection::Transfer> operation) {
        if (!open_ || !network().running()) co_return Connection::Transfer{.error = asio::error::operation_aborted};
        co_return co_await asio::co_spawn(network().executor(), std::move(operation), asio::use_awaitable);
    }

    std::size_t taken(const Connection::Transfer& transfer, asio::error_code& error) {
        error = transfer.error;
        // The end of the input is reported once the stream is established; before, it is an error.
        if (transfer.in_handshake && error == asio::error::eof) error = asio::error::connection_reset;
        if (transfer.in_handshake && open_ && !std::exchange(failure_reported_, true)) {
            handshake_failed_(transfer.error);
        }
        return transfer.count;
    }

    std::shared_ptr<Connection> connection_;
    std::function<void(const asio::error_code&)> handshake_failed_;
    bool open_ = true;
    bool failure_reported_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> make_tls_stream(StreamSocket socket, std::shared_ptr<TlsNetwork> network,
                                            std::string address,
                                            std::function<void(const asio::error_code&)> handshake_failed) {
    return std::make_unique<TlsStream>(std::move(socket), std::move(network), std::move(address),
                                       std::move(handshake_failed));
}

}  // namespace rta::net
