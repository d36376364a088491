// SPDX-License-Identifier: MIT
// rtad and rtactl over TLS, as their users run them.
#include <arpa/inet.h>
#include <dirent.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>

#include "os/unique_fd.h"
#include "rta/backoff.h"
#include "rta/daemon_client.h"
#include "support/certificates.h"
#include "support/cutting_proxy.h"
#include "support/daemon.h"
#include "support/test_token.h"

namespace rta::test {
namespace {

namespace fs = std::filesystem;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// rtad that listens with TLS on loopback only.
class TlsDaemon {
 public:
    explicit TlsDaemon(std::vector<std::string> arguments, std::uint16_t port = 0) {
        fs::copy_file(test_token().tokens(), directory_ / "tokens");
        arguments.insert(arguments.begin(), {"--device", "null", "--socket", (directory_ / "s").string(), "--listen",
                                             "tls://127.0.0.1:" + std::to_string(port), "--tokens",
                                             (directory_ / "tokens").string(), "--max-clients-per-address", "512"});
        process_ = std::make_unique<Process>(Command{rtad_program().string(), std::move(arguments), {}});
        const auto line = process_->wait_for_line(Process::Stream::error, "with TLS; certificate ");
        if (!line || !process_->wait_for_line(Process::Stream::error, "device: null")) {
            throw std::runtime_error("rtad does not start: " + process_->error());
        }
        fingerprint_ = line->substr(line->find("SHA256:"));
        const std::size_t colon = line->find("127.0.0.1:") + 10;
        port_ = static_cast<std::uint16_t>(std::stoi(line->substr(colon)));
    }

    [[nodiscard]] fs::path socket() const { return directory_ / "s"; }
    [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] Process& process() { return *process_; }
    [[nodiscard]] pid_t pid() const { return process_->pid(); }
    void stop() {
        process_->signal(SIGTERM);
        EXPECT_EQ(process_->wait(), (ExitStatus{0, 0})) << process_->error();
    }

    [[nodiscard]] client::Expected<client::DaemonClient> client() const { return client_at(port_); }
    [[nodiscard]] client::Expected<client::DaemonClient> client(client::TlsOptions tls) const {
        return client_at(port_, std::move(tls));
    }
    /// A client that reaches the daemon at another port.
    [[nodiscard]] client::Expected<client::DaemonClient> client_at(std::uint16_t port) const {
        return client_at(port, {.on_loopback = true, .fingerprint = fingerprint_});
    }
    [[nodiscard]] static client::Expected<client::DaemonClient> client_at(std::uint16_t port, client::TlsOptions tls) {
        const client::Endpoint endpoint = client::TcpEndpoint{.host = "127.0.0.1", .port = port};
        const client::ClientOptions options{
            .client_name = "e2e", .token = test_token().secret(), .tls = std::move(tls), .timeout = kPatience};
        return client::DaemonClient::open(std::span{&endpoint, 1}, options);
    }

 private:
    TemporaryDirectory directory_;
    std::unique_ptr<Process> process_;
    std::string fingerprint_;
    std::uint16_t port_ = 0;
};

class Tls : public testing::Test {
 protected:
    /// rtactl of a user with the folder `home`.
    [[nodiscard]] RunResult ctl(std::vector<std::string> arguments, const std::string& token_file) const {
        return run(Command{rtactl_program().string(),
                           std::move(arguments),
                           {{"HOME", home.string()},
                            {"XDG_CONFIG_HOME", ""},
                            {"RTACTL_HOST", ""},
                            {"RTACTL_TOKEN_FILE", token_file}}});
    }
    [[nodiscard]] RunResult ctl(std::vector<std::string> arguments) const {
        return ctl(std::move(arguments), test_token().file().string());
    }
    [[nodiscard]] RunResult list(const TlsDaemon& daemon, std::vector<std::string> options) const {
        options.insert(options.end(), {"--host", daemon.address(), "list"});
        return ctl(std::move(options));
    }
    [[nodiscard]] std::vector<std::string> with_state() const {
        return {"--state-dir", (directory / "state").string()};
    }
    [[nodiscard]] std::vector<std::string> with_files(const std::string& name) const {
        return {"--tls-cert", (directory / (name + ".pem")).string(), "--tls-key",
                (directory / (name + ".key")).string()};
    }
    [[nodiscard]] fs::path known_hosts() const { return home / ".config/rtactl/known_hosts"; }

    TemporaryDirectory directory;
    fs::path home = directory / "home";
};

void expect_refused(const RunResult& result, const std::vector<std::string>& parts) {
    EXPECT_EQ(result.status, (ExitStatus{3, 0})) << result.error;
    EXPECT_EQ(result.output, "");
    for (const std::string& part : parts) EXPECT_TRUE(has(result.error, part)) << part << "\nin: " << result.error;
}

// ---- trust on first use

TEST_F(Tls, TrustsADaemonOnFirstUseAndRemembersIt) {
    TlsDaemon daemon{with_state()};
    const RunResult first = list(daemon, {"--tls"});
    EXPECT_EQ(first.status, (ExitStatus{0, 0})) << first.error;
    EXPECT_TRUE(has(first.error, daemon.fingerprint())) << first.error;
    EXPECT_TRUE(has(first.error, daemon.address())) << first.error;
    EXPECT_EQ(read_text(known_hosts()), daemon.address() + " " + daemon.fingerprint() + "\n");
    const RunResult second = list(daemon, {"--tls"});
    EXPECT_EQ(second.status, (ExitStatus{0, 0}));
    EXPECT_EQ(second.error, "");
    const RunResult status = ctl({"--tls", "--host", daemon.address(), "--json", "status"});
    EXPECT_TRUE(has(status.output, daemon.fingerprint())) << status.output << status.error;
}

TEST_F(Tls, RefusesACertificateThatHasChanged) {
    std::uint16_t port = 0;
    std::string old_fingerprint;
    {
        TlsDaemon daemon{with_state()};
        EXPECT_EQ(list(daemon, {"--tls"}).status, (ExitStatus{0, 0}));
        port = daemon.port();
        old_fingerprint = daemon.fingerprint();
        daemon.stop();
    }
    {
        TlsDaemon same{with_state(), port};
        EXPECT_EQ(same.fingerprint(), old_fingerprint) << "the certificate is kept";
        EXPECT_EQ(list(same, {"--tls"}).status, (ExitStatus{0, 0}));
        same.stop();
    }
    fs::remove_all(directory / "state/tls");
    TlsDaemon other{with_state(), port};
    ASSERT_NE(other.fingerprint(), old_fingerprint);
    expect_refused(list(other, {"--tls"}), {"CHANGED", old_fingerprint, other.fingerprint(),
                                            known_hosts().string() + ", line 1", "remove this line"});
    EXPECT_TRUE(has(read_text(known_hosts()), old_fingerprint)) << "not replaced";
    write_text(known_hosts(), "# removed\n");
    EXPECT_EQ(list(other, {"--tls"}).status, (ExitStatus{0, 0}));
}

TEST_F(Tls, AcceptsOnlyTheGivenFingerprint) {
    TlsDaemon daemon{with_state()};
    EXPECT_EQ(list(daemon, {"--tls-fingerprint", daemon.fingerprint()}).status, (ExitStatus{0, 0}));
    EXPECT_FALSE(fs::exists(known_hosts()));
    const std::string other = "SHA256:" + std::string(43, 'A');
    expect_refused(list(daemon, {"--tls-fingerprint", other}), {daemon.fingerprint(), other});
    EXPECT_EQ(list(daemon, {"--tls-fingerprint", "SHA256:x"}).status, (ExitStatus{2, 0}));
}

TEST_F(Tls, AHostByNameHasItsFingerprintAndItsToken) {
    TlsDaemon daemon{with_state()};
    const fs::path file = home / ".config/rtactl/config.toml";
    const auto configure = [&](const std::string& fingerprint, const std::string& token) {
        fs::create_directories(file.parent_path());
        write_text(file, "[hosts.studio]\naddress = \"" + daemon.address() + "\"\ntls-fingerprint = \"" + fingerprint +
                             "\"\ntoken-file = \"" + token + "\"\n");
        fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    };
    const std::string token = test_token().file().string();
    configure(daemon.fingerprint(), token);
    const RunResult listed = ctl({"--host", "studio", "list"});
    EXPECT_EQ(listed.status, (ExitStatus{0, 0})) << listed.error;
    EXPECT_EQ(listed.error, "");
    EXPECT_FALSE(fs::exists(known_hosts()));
    EXPECT_EQ(ctl({"--host", "studio", "--token-file", "/nonexistent", "list"}).status, (ExitStatus{2, 0}));
    const std::string other = "SHA256:" + std::string(43, 'A');
    configure(other, token);
    expect_refused(ctl({"--host", "studio", "list"}), {daemon.fingerprint(), other});
    // The token of the environment is that of the daemon, but the host has another one.
    write_text(home / ".config/rtactl/wrong", "rtad_" + std::string(43, 'A') + "\n");
    fs::permissions(home / ".config/rtactl/wrong", fs::perms::owner_read | fs::perms::owner_write);
    configure(daemon.fingerprint(), "wrong");
    EXPECT_EQ(ctl({"--host", "studio", "list"}).status, (ExitStatus{4, 0}));
}

TEST_F(Tls, RefusesAFileOfKnownHostsThatItCannotRead) {
    TlsDaemon daemon{with_state()};
    fs::create_directories(known_hosts().parent_path());
    write_text(known_hosts(), "studio\n");
    expect_refused(list(daemon, {"--tls"}), {known_hosts().string() + ": line 1"});
}

TEST_F(Tls, RefusesAnExpiredCertificate) {
    make_certificate({.last_day = -1}).write(directory.path(), "expired");
    TlsDaemon daemon{with_files("expired")};
    EXPECT_TRUE(has(daemon.process().error(), "expired.pem has expired")) << daemon.process().error();
    expect_refused(list(daemon, {"--tls"}), {"expired on 20"});
    expect_refused(list(daemon, {"--tls-fingerprint", daemon.fingerprint()}), {"expired on 20"});
    expect_refused(list(daemon, {"--tls-ca", (directory / "expired.pem").string()}), {"certificate has expired"});
    EXPECT_FALSE(fs::exists(known_hosts()));
}

// ---- certificate authorities

TEST_F(Tls, AcceptsWhatAnAuthorityHasSignedForTheHost) {
    const Certificate authority = make_certificate({.names = {}, .common_name = "authority", .authority = true});
    authority.write(directory.path(), "authority");
    make_certificate({.names = {"localhost", "127.0.0.1"}, .issuer = &authority}).write(directory.path(), "good");
    make_certificate({.names = {"studio.example"}, .issuer = &authority}).write(directory.path(), "elsewhere");
    make_certificate({.names = {}, .common_name = "other", .authority = true}).write(directory.path(), "other");
    const std::string file = directory / "authority.pem";
    TlsDaemon good{with_files("good")};
    EXPECT_EQ(list(good, {"--tls-ca", file}).status, (ExitStatus{0, 0}));
    EXPECT_EQ(ctl({"--tls-ca", file, "--host", "localhost:" + std::to_string(good.port()), "list"}).status,
              (ExitStatus{0, 0}));
    expect_refused(list(good, {"--tls-ca", (directory / "other.pem").string()}), {"unable to get local issuer"});
    expect_refused(list(good, {"--tls-ca", (directory / "missing.pem").string()}), {"missing.pem", "No such file"});
    TlsDaemon elsewhere{with_files("elsewhere")};
    expect_refused(list(elsewhere, {"--tls-ca", file}), {"IP address mismatch", "127.0.0.1"});
    expect_refused(ctl({"--tls-ca", file, "--host", "localhost:" + std::to_string(elsewhere.port()), "list"}),
                   {"hostname mismatch", "localhost"});
    EXPECT_FALSE(fs::exists(known_hosts()));
}

TEST_F(Tls, ItsOwnCertificateIsAnAuthorityForItself) {
    TlsDaemon daemon{with_state()};
    EXPECT_EQ(list(daemon, {"--tls-ca", (directory / "state/tls/certificate.pem").string()}).status,
              (ExitStatus{0, 0}));
}

TEST_F(Tls, TheLibraryNeverIgnoresAnExpectedCertificate) {
    TlsDaemon daemon{with_state()};
    const std::string own = directory / "state/tls/certificate.pem";
    const std::string other = "SHA256:" + std::string(43, 'A');
    EXPECT_TRUE(daemon.client({.fingerprint = daemon.fingerprint()})) << "on loopback, too";
    EXPECT_TRUE(daemon.client({.ca_file = own}));
    EXPECT_TRUE(daemon.client({.fingerprint = daemon.fingerprint(), .ca_file = own}));
    const auto refused = daemon.client({.fingerprint = other, .ca_file = own});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, client::Error::Kind::untrusted) << refused.error().sentence;
}

TEST_F(Tls, TheLibraryShowsACertificateInsteadOfAToken) {
    const Certificate authority = make_certificate({.names = {}, .common_name = "clients", .authority = true});
    authority.write(directory.path(), "clients");
    make_certificate({.names = {}, .common_name = "e2e", .issuer = &authority}).write(directory.path(), "e2e");
    make_certificate({.names = {}, .common_name = "other", .issuer = &authority}).write(directory.path(), "other");
    auto arguments = with_state();
    arguments.insert(arguments.end(), {"--tls-client-ca", (directory / "clients.pem").string()});
    TlsDaemon daemon{arguments};
    const auto connect = [&](const std::string& certificate, const std::string& key) {
        const client::Endpoint endpoint = client::TcpEndpoint{.host = "127.0.0.1", .port = daemon.port()};
        client::ClientOptions options{.timeout = kPatience};
        options.tls = {.fingerprint = daemon.fingerprint(),
                       .certificate_file = (directory / certificate).string(),
                       .key_file = (directory / key).string()};
        return client::DaemonClient::open(std::span{&endpoint, 1}, options);
    };
    const auto client = connect("e2e.pem", "e2e.key");
    ASSERT_TRUE(client) << client.error().sentence;
    EXPECT_EQ(client->hello().author(), "e2e");
    const auto unknown = connect("other.pem", "other.key");
    ASSERT_FALSE(unknown);
    EXPECT_TRUE(has(unknown.error().sentence, "no access token has the name of the client certificate"))
        << unknown.error().sentence;
    const auto mismatch = connect("e2e.pem", "other.key");
    ASSERT_FALSE(mismatch);
    EXPECT_EQ(mismatch.error().kind, client::Error::Kind::bad_certificate);
    EXPECT_TRUE(has(mismatch.error().sentence, "other.key\" does not belong to the certificate"))
        << mismatch.error().sentence;
    const auto swapped = connect("e2e.key", "e2e.pem");
    ASSERT_FALSE(swapped);
    EXPECT_EQ(swapped.error().kind, client::Error::Kind::bad_certificate);
}

// ---- a certificate instead of a token

/// A daemon that accepts certificates of the authority `clients`, and certificates of that authority and of another one.
class ClientCertificate : public Tls {
 protected:
    ClientCertificate() {
        const auto make = [&](const std::string& name, const std::string& common_name, const Certificate* issuer) {
            Certificate made = make_certificate(
                {.names = {}, .common_name = common_name, .authority = issuer == nullptr, .issuer = issuer});
            made.write(directory.path(), name);
            return made;
        };
        const Certificate clients = make("clients", "clients", nullptr);
        const Certificate others = make("others", "others", nullptr);
        make("desk", "desk", &clients);
        make("unnamed", "unnamed", &clients);
        make("stranger", "desk", &others);
        make_certificate({.names = {}, .common_name = "desk", .last_day = -1, .issuer = &clients})
            .write(directory.path(), "expired");
        auto arguments = with_state();
        arguments.insert(arguments.end(), {"--tls-client-ca", (directory / "clients.pem").string()});
        daemon = std::make_unique<TlsDaemon>(std::move(arguments));
        const RunResult made = local({"token", "new", "--role", "read", "desk"});
        EXPECT_EQ(made.status, (ExitStatus{0, 0})) << made.error;
        token = directory / "desk.token";
        write_text(token, made.output);
        fs::permissions(token, fs::perms::owner_read | fs::perms::owner_write);
    }
    [[nodiscard]] RunResult local(std::vector<std::string> command) const {
        command.insert(command.begin(), {"--socket", daemon->socket().string()});
        return ctl(std::move(command), "");
    }
    [[nodiscard]] RunResult with_certificate(const std::string& name, std::vector<std::string> command,
                                             std::vector<std::string> options = {},
                                             const std::string& token_file = {}) const {
        options.insert(options.end(), {"--tls-fingerprint", daemon->fingerprint(), "--host", daemon->address()});
        for (std::string& option : with_files(name)) options.push_back(std::move(option));
        options.insert(options.end(), command.begin(), command.end());
        return ctl(std::move(options), token_file);
    }

    fs::path token;
    std::unique_ptr<TlsDaemon> daemon;
};

TEST_F(ClientCertificate, HasTheRoleOfTheTokenWithItsName) {
    const RunResult listed = with_certificate("desk", {"list"});
    EXPECT_EQ(listed.status, (ExitStatus{0, 0})) << listed.error;
    const RunResult denied = with_certificate("desk", {"volume", "-6dB"});
    EXPECT_EQ(denied.status, (ExitStatus{4, 0}));
    EXPECT_TRUE(has(denied.error, "role")) << denied.error;
    // The token of the environment, which may do this, is for other hosts.
    EXPECT_EQ(with_certificate("desk", {"volume", "-6dB"}, {}, test_token().file().string()).status,
              (ExitStatus{4, 0}));
    // A token that is given together with the certificate decides.
    EXPECT_EQ(with_certificate("desk", {"volume", "-6dB"}, {"--token-file", test_token().file().string()}).status.code,
              0);
    const RunResult unknown = with_certificate("unnamed", {"list"});
    EXPECT_EQ(unknown.status, (ExitStatus{4, 0}));
    EXPECT_TRUE(has(unknown.error, "no access token has the name of the client certificate, \"unnamed\""))
        << unknown.error;
    EXPECT_EQ(local({"token", "revoke", "desk"}).status, (ExitStatus{0, 0}));
    EXPECT_EQ(with_certificate("desk", {"list"}).status, (ExitStatus{4, 0})) << "its token was revoked";
}

TEST_F(ClientCertificate, OfAHostByNameNeedsNoToken) {
    const fs::path file = home / ".config/rtactl/config.toml";
    fs::create_directories(file.parent_path());
    write_text(file, "[hosts.studio]\naddress = \"" + daemon->address() + "\"\ntls-fingerprint = \"" +
                         daemon->fingerprint() + "\"\ntls-cert = \"" + (directory / "desk.pem").string() +
                         "\"\ntls-key = \"desk.key\"\n");
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
    fs::copy_file(directory / "desk.key", file.parent_path() / "desk.key");
    const RunResult listed = ctl({"--host", "studio", "list"}, "");
    EXPECT_EQ(listed.status, (ExitStatus{0, 0})) << listed.error;
    EXPECT_EQ(ctl({"--host", "studio", "volume", "-6dB"}).status, (ExitStatus{4, 0})) << "the role read, no token";
    // The token of another user on the command line decides.
    EXPECT_EQ(ctl({"--host", "studio", "--token-file", test_token().file().string(), "volume", "-6dB"}).status.code, 0);
}

TEST_F(ClientCertificate, OfAnotherAuthorityIsRefusedWithTheReason) {
    struct Case {
        std::string name;
        std::string reason;
    };
    for (const auto& [name, reason] : {Case{"stranger", "unknown CA"}, Case{"expired", "certificate expired"}}) {
        const RunResult refused = with_certificate(name, {"list"});
        EXPECT_EQ(refused.status, (ExitStatus{4, 0})) << refused.error;
        EXPECT_TRUE(
            has(refused.error, "rtad at " + daemon->address() + " refused the certificate of this client: " + reason +
                                   "; expected a valid one that an authority of its --tls-client-ca has signed"))
            << refused.error;
        // A token does not help: the daemon ends the handshake.
        EXPECT_EQ(with_certificate(name, {"list"}, {"--token-file", token.string()}).status, (ExitStatus{4, 0}));
    }
    EXPECT_EQ(with_certificate("desk", {"list"}).status, (ExitStatus{0, 0}));
    const RunResult json = with_certificate("stranger", {"list"}, {"--json"});
    EXPECT_TRUE(has(json.output, "\"code\":\"UNAUTHENTICATED\"")) << json.output;
}

TEST_F(ClientCertificate, IsIgnoredByADaemonThatWantsNone) {
    TlsDaemon plain{{"--state-dir", (directory / "plain").string()}};
    const std::vector<std::string> files = with_files("stranger");
    std::vector<std::string> options{"--tls-fingerprint", plain.fingerprint(), "--host", plain.address(), "list"};
    options.insert(options.end(), files.begin(), files.end());
    const RunResult refused = ctl(options, "");
    EXPECT_EQ(refused.status, (ExitStatus{4, 0}));
    EXPECT_TRUE(has(refused.error, "an access token is required on TLS")) << refused.error;
}

TEST_F(ClientCertificate, WithAFileThatCannotBeUsedIsAUsageError) {
    const auto expect_unusable = [&](const std::string& name, const std::string& part) {
        const RunResult refused = with_certificate(name, {"list"});
        EXPECT_EQ(refused.status, (ExitStatus{2, 0})) << refused.error;
        EXPECT_TRUE(has(refused.error, part)) << refused.error;
        EXPECT_FALSE(has(refused.error, "PRIVATE KEY")) << refused.error;
    };
    const fs::path key = directory / "desk.key";
    for (const auto mode : {0640U, 0604U, 0620U, 0644U}) {
        fs::permissions(key, fs::perms{mode});
        expect_unusable("desk", "other users may access the private key \"" + key.string() +
                                    "\": expected mode 0600; see chmod(1)");
    }
    for (const auto mode : {0600U, 0400U, 0700U}) {
        fs::permissions(key, fs::perms{mode});
        EXPECT_EQ(with_certificate("desk", {"list"}).status, (ExitStatus{0, 0})) << mode;
    }
    expect_unusable("missing", "missing.pem");
    const auto replace_key = [&](const std::string& name) {
        fs::copy_file(directory / name, key, fs::copy_options::overwrite_existing);
        fs::permissions(key, fs::perms{0600});
    };
    replace_key("unnamed.key");
    expect_unusable("desk", "does not belong to the certificate");
    replace_key("desk.pem");
    expect_unusable("desk", "expected a key in PEM without a passphrase");
    fs::remove(key);
    expect_unusable("desk", "cannot read the private key \"" + key.string() + "\": No such file or directory");
    ASSERT_EQ(::mkfifo(key.c_str(), 0600), 0);
    expect_unusable("desk", "private key");
}

// ---- start

TEST_F(Tls, TheKeyIsSecretAndTheCertificateIsForThisHost) {
    TlsDaemon daemon{with_state()};
    struct stat status{};
    ASSERT_EQ(::stat((directory / "state/tls/key.pem").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    const std::string names = alternative_names(read_text(directory / "state/tls/certificate.pem"));
    for (const char* name : {"DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1"}) {
        EXPECT_TRUE(has(names, name)) << names;
    }
    EXPECT_FALSE(has(daemon.process().error(), "BEGIN")) << "no secret in the log";
}

TEST_F(Tls, AStartThatCannotUseTlsSaysWhatIsMissing) {
    make_certificate().write(directory.path(), "one");
    make_certificate().write(directory.path(), "two");
    const std::string one = directory / "one.pem";
    const std::string one_key = directory / "one.key";
    const std::string two_key = directory / "two.key";
    const std::string socket = directory / "s";
    struct Case {
        std::vector<std::string> arguments;
        std::vector<std::string> parts;
    };
    for (const Case& start : {
             Case{{"--listen", "tls://127.0.0.1:0"}, {"--state-dir", "--tls-cert and --tls-key"}},
             Case{{"--listen", "0.0.0.0:0"}, {"--state-dir", "--tls-cert and --tls-key", "token", "loopback"}},
             Case{{"--listen", "0.0.0.0:0", "--tls-cert", one, "--tls-key", one_key}, {"token"}},
             Case{{"--listen", "tls://127.0.0.1:0", "--tls-cert", one, "--tls-key", two_key}, {one, two_key, "belong"}},
             Case{{"--tls-cert", one, "--tls-key", two_key}, {one, two_key, "belong"}},
             Case{{"--tls-cert", one}, {"--tls-cert and --tls-key", "both or none"}},
             Case{{"--tls-key", one}, {"--tls-cert and --tls-key", "both or none"}},
             Case{{"--tls-cert", one, "--tls-key", (directory / "no").string()}, {(directory / "no").string()}},
         }) {
        std::vector<std::string> arguments{"--device", "null", "--socket", socket};
        arguments.insert(arguments.end(), start.arguments.begin(), start.arguments.end());
        const RunResult refused = run_rtad(arguments);
        EXPECT_EQ(refused.status, (ExitStatus{2, 0})) << refused.error;
        for (const std::string& part : start.parts)
            EXPECT_TRUE(has(refused.error, part)) << part << "\n" << refused.error;
        EXPECT_FALSE(fs::exists(socket));
    }
}

TEST_F(Tls, WarnsAboutAnAuthorityOfClientsWithoutAnAddressThatUsesIt) {
    constexpr std::string_view kWarning = "--tls-client-ca has no effect: no address of --listen or --web uses TLS";
    make_certificate({.names = {}, .common_name = "clients", .authority = true}).write(directory.path(), "clients");
    auto arguments = with_state();
    arguments.insert(arguments.end(), {"--tls-client-ca", (directory / "clients.pem").string()});
    {
        TlsDaemon useful{arguments};
        EXPECT_FALSE(has(useful.process().error(), kWarning)) << useful.process().error();
        useful.stop();
    }
    arguments.insert(arguments.end(), {"--device", "null"});
    Daemon useless{{.arguments = arguments}};
    EXPECT_TRUE(has(useless.process().error(), kWarning)) << useless.process().error();
}

TEST_F(Tls, AHandshakeThatIsCutMayBeTriedAgain) {
    TlsDaemon daemon{with_state()};
    // Each connection is cut some bytes later than the one before: also after the certificate, before its signature.
    CuttingProxy proxy{daemon.port(), [](std::size_t index) {
                           return CuttingProxy::Plan{.to_client = {.cut_after_bytes = 1 + 40 * index}};
                       }};
    for (auto client = daemon.client_at(proxy.port()); !client; client = daemon.client_at(proxy.port())) {
        EXPECT_TRUE(client::is_transient(client.error())) << client.error().sentence;
    }
    EXPECT_GT(proxy.cuts(), 20U);
}

TEST_F(Tls, WarnsAboutAKeyThatEveryUserMayRead) {
    make_certificate().write(directory.path(), "one");
    TlsDaemon careful{with_files("one")};
    EXPECT_FALSE(has(careful.process().error(), "can read the private key")) << careful.process().error();
    fs::permissions(directory / "one.key", fs::perms{0644});
    TlsDaemon careless{with_files("one")};
    EXPECT_TRUE(has(careless.process().error(), "can read the private key")) << careless.process().error();
}

// ---- clients that do not speak TLS

os::UniqueFd connect_tcp(std::uint16_t port) {
    os::UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) socket.reset();
    return socket;
}

TEST_F(Tls, APlainClientIsRefusedAndToldWhatMayBeMissing) {
    TlsDaemon daemon{with_state()};
    expect_refused(ctl({"--host", daemon.address(), "list"}), {"--tls"});
    EXPECT_TRUE(daemon.process().wait_for_line(Process::Stream::error, "TLS handshake with 127.0.0.1:"));
    EXPECT_TRUE(daemon.client());
}

TEST_F(Tls, ATlsClientOfAPlainPortIsToldSo) {
    const Daemon daemon{{.arguments = {"--device", "null"}}};
    expect_refused(ctl({"--tls", "--host", "127.0.0.1:" + std::to_string(daemon.port()), "list"}),
                   {"TLS handshake failed", "expected an rtad that listens with TLS"});
    EXPECT_FALSE(fs::exists(known_hosts()));
}

TEST_F(Tls, TlsNeedsAHost) {
    EXPECT_EQ(ctl({"--tls", "list"}).status, (ExitStatus{2, 0}));
    EXPECT_EQ(ctl({"--tls", "--socket", "/tmp/s", "list"}).status, (ExitStatus{2, 0}));
}

// ---- load

v1::Request status_request() {
    v1::Request request;
    request.mutable_get_status();
    return request;
}

TEST_F(Tls, ManyClientsEditTogether) {
    TlsDaemon daemon{with_state()};
    std::vector<std::future<std::string>> clients;
    for (int i = 0; i < 64; ++i) {
        clients.push_back(std::async(std::launch::async, [&, i]() -> std::string {
            auto client = daemon.client();
            if (!client) return client.error().sentence;
            const auto applied =
                client->call(apply_request(transaction({add_node("sine", "osc_" + std::to_string(i))})));
            if (!applied) return applied.error().sentence;
            return applied->status().message();
        }));
    }
    for (auto& client : clients) EXPECT_EQ(client.get(), "");
    auto client = daemon.client();
    ASSERT_TRUE(client) << client.error().sentence;
    EXPECT_EQ(client->call(status_request())->get_status().engine().node_count(), 64U);
    daemon.stop();
}

TEST_F(Tls, LargeMessagesPassInBothDirections) {
    TlsDaemon daemon{with_state()};
    auto client = daemon.client();
    ASSERT_TRUE(client) << client.error().sentence;
    // A description of 3 MB in a document, which the daemon returns.
    std::string document = R"({"nodes": [)";
    for (int i = 0; i < 2'000; ++i) {
        document += (i == 0 ? "" : ",") + std::string{R"({"name": "n)"} + std::to_string(i) +
                    R"(", "type": "gain", "description": ")" + std::string(1'000, 'x') + "\"}";
    }
    v1::Request request;
    request.mutable_apply_transaction()->set_document(document + "]}");
    const auto applied = client->call(std::move(request));
    ASSERT_TRUE(applied) << applied.error().sentence;
    ASSERT_EQ(applied->status().code(), v1::OK) << applied->status().message();
    v1::Request get;
    get.mutable_get_graph()->set_content(v1::GRAPH_CONTENT_DOCUMENT);
    const auto graph = client->call(std::move(get));
    ASSERT_TRUE(graph) << graph.error().sentence;
    EXPECT_GT(graph->get_graph().document().size(), 2'000'000U) << graph->status().message();
}

std::size_t descriptors_of(pid_t pid) {
    const auto files = fs::directory_iterator{"/proc/" + std::to_string(pid) + "/fd"};
    return static_cast<std::size_t>(std::ranges::count_if(files, [](const auto&) { return true; }));
}

double memory_mb(pid_t pid) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/status"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("VmRSS:")) return std::stod(line.substr(6)) / 1024.0;
    }
    throw std::runtime_error("no VmRSS");
}

/// Opens connections, each with the first half of a handshake, and drops them.
void half_handshakes(const TlsDaemon& daemon, int count) {
    // A ClientHello of which the end is missing.
    std::string half{"\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03", 11};
    half += std::string(100, 'r');
    std::vector<os::UniqueFd> sockets;
    for (int i = 0; i < count; ++i) {
        os::UniqueFd socket = connect_tcp(daemon.port());
        ASSERT_TRUE(socket) << i;
        if (i % 4 != 0) static_cast<void>(::send(socket.get(), half.data(), half.size(), MSG_NOSIGNAL));
        sockets.push_back(std::move(socket));
        if (sockets.size() == 200) sockets.clear();
    }
}

/// Waits until only these two clients are connected. The network thread closes sockets in order, so all others are
/// closed before it returns the response to `client`.
void wait_for_others_to_leave(ProtocolClient& local, client::DaemonClient& client) {
    const Deadline deadline;
    while (local.status().client_count() != 2 && !deadline.passed()) std::this_thread::yield();
    EXPECT_EQ(local.status().client_count(), 2U);
    EXPECT_TRUE(client.call(status_request()));
}

TEST_F(Tls, AThousandHalfHandshakesLeaveNothing) {
    TlsDaemon daemon{with_state()};
    ProtocolClient local = ProtocolClient::connect_unix(daemon.socket());
    local.hello();
    auto client = daemon.client();
    ASSERT_TRUE(client) << client.error().sentence;
    half_handshakes(daemon, 1'000);
    wait_for_others_to_leave(local, *client);
    const std::size_t descriptors = descriptors_of(daemon.pid());
    // The allocator keeps what the most handshakes at one time have needed, which varies. What they leave would add up.
    double least_growth_mb = 1e9;
    for (int round = 0; round < 5 && least_growth_mb >= 4.0; ++round) {
        const double memory = memory_mb(daemon.pid());
        half_handshakes(daemon, 1'000);
        wait_for_others_to_leave(local, *client);
        EXPECT_LE(descriptors_of(daemon.pid()), descriptors);
        least_growth_mb = std::min(least_growth_mb, memory_mb(daemon.pid()) - memory);
    }
#ifdef RTA_MEASURES_MEMORY
    EXPECT_LT(least_growth_mb, 4.0);
#endif
    daemon.stop();
}

}  // namespace
}  // namespace rta::test
