// SPDX-License-Identifier: MIT
#include "net/tls_certificate.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "os/file.h"
#include "os/file_lock.h"
#include "os/file_replacement.h"
#include "text/quoting.h"
#include "tls/openssl.h"

namespace rta::net {
namespace {

constexpr mode_t kTlsFolderMode = 0700;
constexpr mode_t kKeyMode = 0600;
constexpr mode_t kCertificateMode = 0644;
constexpr long kDayS = 24L * 60 * 60;
constexpr long kValidS = 3'652 * kDayS;
/// 2026-11-01. A board without a battery starts with its clock in the past; the certificate must not have expired when
/// the clock has been set.
constexpr std::time_t kEarliest = 1'793'491'200;

using tls::KeyPointer;
using tls::X509Pointer;
using BioPointer = os::CObject<BIO, &BIO_free_all>;
using ExtensionPointer = os::CObject<X509_EXTENSION, &X509_EXTENSION_free>;

std::unexpected<Error> unavailable(const std::string& what, const std::error_code& error) {
    return fail(ErrorCode::unavailable, "cannot create " + what + ": " + error.message());
}

bool exists(const std::string& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0;
}

bool is_ip_address(const std::string& name) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

bool is_wildcard(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

/// Returns whether OpenSSL's syntax for extensions, in which commas separate values, can hold the name.
bool is_valid_name(const std::string& name) {
    return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
               c == ':' || c == '_';
    });
}

std::string host_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return {};
    return name.data();
}

std::vector<std::string> interface_addresses() {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{list, &::freeifaddrs};
    std::vector<std::string> addresses;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr) continue;
        std::array<char, INET6_ADDRSTRLEN> text{};
        const void* bytes = nullptr;
        if (entry->ifa_addr->sa_family == AF_INET) {
            bytes = &reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr;
        } else if (entry->ifa_addr->sa_family == AF_INET6) {
            const auto* address = &reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr;
            // Valid on one link only, and only with the name of an interface.
            if (IN6_IS_ADDR_LINKLOCAL(address)) continue;
            bytes = address;
        }
        if (bytes != nullptr &&
            ::inet_ntop(entry->ifa_addr->sa_family, bytes, text.data(), static_cast<socklen_t>(text.size()))) {
            addresses.emplace_back(text.data());
        }
    }
    return addresses;
}

std::string alternative_names(std::span<const std::string> names) {
    std::string text;
    for (const std::string& name : names) {
        if (!is_valid_name(name)) continue;
        text += (text.empty() ? "" : ",") + std::string{is_ip_address(name) ? "IP:" : "DNS:"} + name;
    }
    return text;
}

bool add_extension(X509& certificate, int id, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
    const ExtensionPointer extension{X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())};
    return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

bool set_serial_number(X509& certificate) {
    std::array<unsigned char, 16> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
    bytes[0] = (bytes[0] & 0x3FU) | 0x40U;  // positive, without a leading zero
    const os::CObject<BIGNUM, &BN_free> number{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)};
    return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_times(X509& certificate) {
    const std::time_t now = std::time(nullptr);
    const std::time_t begin = std::min(now, kEarliest) - kDayS;
    const std::time_t end = std::max(now, kEarliest) + kValidS;
    return ASN1_TIME_set(X509_getm_notBefore(&certificate), begin) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(&certificate), end) != nullptr;
}

X509Pointer self_signed(EVP_PKEY& key, std::span<const std::string> names) {
    X509Pointer certificate{X509_new()};
    if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1) return nullptr;
    X509_NAME* const subject = X509_get_subject_name(certificate.get());
    // The field holds up to 64 characters; clients compare the alternative names.
    const std::string common_name = names.empty() ? "rtad" : names.front().substr(0, 64);
    const bool good =
        set_serial_number(*certificate) && set_times(*certificate) && X509_set_pubkey(certificate.get(), &key) == 1 &&
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0) == 1 &&
        X509_set_issuer_name(certificate.get(), subject) == 1 &&
        add_extension(*certificate, NID_subject_alt_name, alternative_names(names)) &&
        add_extension(*certificate, NID_basic_constraints, "critical,CA:FALSE") &&
        add_extension(*certificate, NID_key_usage, "critical,digitalSignature") &&
        add_extension(*certificate, NID_ext_key_usage, "serverAuth") &&
        add_extension(*certificate, NID_subject_key_identifier, "hash") &&
        X509_sign(certificate.get(), &key, EVP_sha256()) != 0;
    return good ? std::move(certificate) : nullptr;
}

std::string text_of(const BioPointer& memory) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &data);
    return {data, static_cast<std::size_t>(std::max(size, 0L))};
}

struct PemTexts {
    std::string certificate;
    std::string key;
};

std::optional<PemTexts> generate(std::span<const std::string> names) {
    const KeyPointer key{EVP_EC_gen("P-256")};
    if (!key) return std::nullopt;
    const X509Pointer certificate = self_signed(*key, names);
    const BioPointer certificate_text{BIO_new(BIO_s_mem())};
    const BioPointer key_text{BIO_new(BIO_s_mem())};
    if (!certificate || !certificate_text || !key_text) return std::nullopt;
    if (PEM_write_bio_X509(certificate_text.get(), certificate.get()) != 1 ||
        PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        return std::nullopt;
    }
    return PemTexts{.certificate = text_of(certificate_text), .key = text_of(key_text)};
}

os::Result<void> write_file(int folder, const std::string& path, const std::string& text, mode_t mode) {
    const std::string name = path.substr(path.rfind('/') + 1);
    // A file that a crash left may have another mode.
    ::unlinkat(folder, (name + ".new").c_str(), 0);
    auto file = os::FileReplacement::create_in(folder, name + ".new", name, mode);
    if (!file) return std::unexpected(file.error());
    if (auto written = os::write_all(file->fd(), text); !written) return written;
    if (auto flushed = file->flush(); !flushed) return flushed;
    if (auto renamed = file->rename(); !renamed) return renamed;
    return os::sync(folder);
}

}  // namespace

TlsFiles TlsFiles::in(const std::string& state_directory) {
    return {.certificate = state_directory + "/tls/certificate.pem", .key = state_directory + "/tls/key.pem"};
}

Expected<void> create_certificate(const TlsFiles& files, std::span<const std::string> names) {
    if (exists(files.certificate) && exists(files.key)) return {};
    const std::string folder_path = os::folder_of(files.certificate);
    if (::mkdir(folder_path.c_str(), kTlsFolderMode) != 0 && errno != EEXIST) {
        return unavailable("folder " + quoted(folder_path) + " for the TLS certificate", os::last_error());
    }
    const auto folder = os::lock_folder(folder_path);
    if (!folder) return unavailable("a TLS certificate in " + folder_path, folder.error());
    // Another process may have created them before the lock was taken.
    if (exists(files.certificate)) {
        if (exists(files.key)) return {};
        return fail(ErrorCode::failed_precondition, "the private key " + files.key + " of the TLS certificate " +
                                                        files.certificate +
                                                        " is missing: restore it, or remove the certificate to create "
                                                        "a new one, whose fingerprint clients must then accept");
    }
    const auto texts = generate(names);
    if (!texts) return fail(ErrorCode::internal, "cannot create a TLS certificate: OpenSSL failed");
    // The key first: after a crash in between, the next start creates both again.
    for (const auto& [path, text, mode] : {std::tuple{files.key, texts->key, kKeyMode},
                                           std::tuple{files.certificate, texts->certificate, kCertificateMode}}) {
        if (const auto written = write_file(folder->get(), path, text, mode); !written) {
            return unavailable(path, written.error());
        }
    }
    return {};
}

std::vector<std::string> certificate_names(std::span<const std::string> hosts) {
    std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
    if (const std::string host = host_name(); is_valid_name(host)) names.insert(names.begin(), host);
    for (const std::string& host : hosts) {
        const std::vector<std::string> more = is_wildcard(host) ? interface_addresses() : std::vector{host};
        for (const std::string& name : more) {
            if (std::ranges::find(names, name) == names.end()) names.push_back(name);
        }
    }
    return names;
}

}  // namespace rta::net
