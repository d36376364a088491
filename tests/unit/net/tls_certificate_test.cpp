// SPDX-License-Identifier: MIT
#include "net/tls_certificate.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "net/tls_context.h"
#include "support/certificates.h"
#include "support/temporary.h"

namespace rta::net {
namespace {

using test::read_text;
using test::TemporaryDirectory;
using test::write_text;

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

mode_t mode_of(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
}

class TlsCertificate : public testing::Test {
 protected:
    [[nodiscard]] Expected<std::shared_ptr<const TlsContext>> create_and_load() const {
        const auto created = create_certificate(files, names);
        if (!created) return std::unexpected(created.error());
        return TlsContext::load(files);
    }

    TemporaryDirectory directory;
    TlsFiles files = TlsFiles::in(directory.path().string());
    std::vector<std::string> names{"studio", "studio.example", "192.0.2.7", "2001:db8::7"};
};

TEST_F(TlsCertificate, IsCreatedOnceAndKept) {
    const auto first = create_and_load();
    ASSERT_TRUE(first) << first.error().sentence;
    EXPECT_EQ((*first)->fingerprint().size(), 50U) << (*first)->fingerprint();
    EXPECT_TRUE((*first)->fingerprint().starts_with("SHA256:"));
    EXPECT_EQ(mode_of(files.key), 0600U);
    EXPECT_EQ(mode_of(directory / "tls"), 0700U);
    EXPECT_FALSE(everybody_can_read(files.key));
    const std::string text = read_text(files.certificate);
    EXPECT_EQ(test::alternative_names(text),
              "DNS:studio, DNS:studio.example, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7");
    EXPECT_GT(test::days_left(text), 3'640);
    names = {"other"};
    const auto second = create_and_load();
    ASSERT_TRUE(second);
    EXPECT_EQ((*second)->fingerprint(), (*first)->fingerprint());
    for (const auto& file : std::filesystem::directory_iterator{directory / "tls"}) {
        EXPECT_TRUE(file.path() == files.key || file.path() == files.certificate) << file.path();
    }
}

TEST_F(TlsCertificate, TwoAreDifferent) {
    const auto first = create_and_load();
    std::filesystem::remove_all(directory / "tls");
    const auto second = create_and_load();
    ASSERT_TRUE(first && second);
    EXPECT_NE((*first)->fingerprint(), (*second)->fingerprint());
}

TEST_F(TlsCertificate, IsCreatedAgainAfterACrashBetweenTheTwoFiles) {
    std::filesystem::create_directory(directory / "tls");
    write_text(files.key, "half of a key");
    write_text(files.key + ".new", "the rest");
    const auto context = create_and_load();
    ASSERT_TRUE(context) << context.error().sentence;
    EXPECT_EQ(mode_of(files.key), 0600U);
    EXPECT_FALSE(std::filesystem::exists(files.key + ".new"));
}

TEST_F(TlsCertificate, AMissingKeyIsNotReplaced) {
    ASSERT_TRUE(create_and_load());
    std::filesystem::remove(files.key);
    const auto refused = create_and_load();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::failed_precondition);
    EXPECT_TRUE(has(refused.error().sentence, files.key)) << refused.error().sentence;
    EXPECT_TRUE(std::filesystem::exists(files.certificate));
}

TEST_F(TlsCertificate, AFolderThatCannotBeWrittenIsNamed) {
    files = TlsFiles::in((directory / "missing").string());
    const auto refused = create_and_load();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_TRUE(has(refused.error().sentence, "missing/tls")) << refused.error().sentence;
}

TEST_F(TlsCertificate, NamesThatOpensslWouldMisreadAreLeftOut) {
    names = {"studio", "a,DNS:evil.example", "b;c", "", std::string(300, 'x')};
    ASSERT_TRUE(create_and_load());
    EXPECT_EQ(test::alternative_names(read_text(files.certificate)), "DNS:studio");
}

TEST_F(TlsCertificate, NamesOfAWildcardAreThoseOfTheInterfaces) {
    const std::vector<std::string> hosts{"0.0.0.0"};
    const auto all = certificate_names(hosts);
    for (const char* name : {"localhost", "127.0.0.1", "::1"}) {
        EXPECT_EQ(std::ranges::count(all, name), 1) << name;
    }
    EXPECT_EQ(std::ranges::count(all, "0.0.0.0"), 0);
    const std::vector<std::string> one{"192.0.2.7"};
    EXPECT_EQ(std::ranges::count(certificate_names(one), "192.0.2.7"), 1);
}

TEST_F(TlsCertificate, AKeyOfAnotherCertificateIsRefused) {
    test::make_certificate().write(directory.path(), "one");
    test::make_certificate().write(directory.path(), "two");
    const auto refused = TlsContext::load({directory / "one.pem", directory / "two.key"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(has(refused.error().sentence, "two.key does not belong to")) << refused.error().sentence;
    EXPECT_TRUE(has(refused.error().sentence, "one.pem")) << refused.error().sentence;
    EXPECT_TRUE(TlsContext::load({directory / "one.pem", directory / "one.key"}));
}

TEST_F(TlsCertificate, FilesThatAreNotPemAreRefused) {
    test::make_certificate().write(directory.path(), "good");
    const std::string good = directory / "good.pem";
    const std::string key = directory / "good.key";
    write_text(directory / "noise", "-----BEGIN NOISE-----\n");
    // A passphrase must not be asked for on the terminal.
    write_text(directory / "locked",
               "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
               "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAi6SRA4xW9TmQICCAAw\n"
               "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFqk2rCMCpRvNQkXBdPkV9sEgZBz\n"
               "-----END ENCRYPTED PRIVATE KEY-----\n");
    for (const auto& [certificate, private_key, named] :
         {std::tuple{directory / "missing", directory / "good.key", "missing"},
          std::tuple{directory / "noise", directory / "good.key", "noise"},
          std::tuple{directory / "good.pem", directory / "missing", "missing"},
          std::tuple{directory / "good.pem", directory / "noise", "noise"},
          std::tuple{directory / "good.pem", directory / "locked", "locked"},
          std::tuple{directory / "good.pem", directory / "good.pem", "good.pem"}}) {
        const auto refused = TlsContext::load({certificate, private_key});
        ASSERT_FALSE(refused) << named;
        EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
        EXPECT_TRUE(has(refused.error().sentence, (directory / named).string())) << refused.error().sentence;
        EXPECT_TRUE(has(refused.error().sentence, "expected")) << refused.error().sentence;
    }
    EXPECT_FALSE(TlsContext::load({good, key}, directory / "noise"));
    EXPECT_TRUE(TlsContext::load({good, key}, good));
}

}  // namespace
}  // namespace rta::net
