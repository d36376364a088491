// SPDX-License-Identifier: MIT
#include "support/certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <stdexcept>

#include "os/c_object.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

using X509Owner = os::CObject<X509, &X509_free>;
using KeyOwner = os::CObject<EVP_PKEY, &EVP_PKEY_free>;
using BioOwner = os::CObject<BIO, &BIO_free_all>;

void check(bool good) {
    if (!good) throw std::runtime_error("OpenSSL cannot create a test certificate");
}

std::string contents(const BioOwner& memory) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

BioOwner reader(const std::string& text) {
    return BioOwner{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

X509Owner read_certificate(const std::string& text) {
    return X509Owner{PEM_read_bio_X509(reader(text).get(), nullptr, nullptr, nullptr)};
}

void add_extension(X509& certificate, int id, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
    const os::CObject<X509_EXTENSION, &X509_EXTENSION_free> extension{
        X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())};
    check(extension && X509_add_ext(&certificate, extension.get(), -1) == 1);
}

std::string names_text(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        const bool address = name.find_first_not_of("0123456789.") == std::string::npos || name.contains(':');
        text += (text.empty() ? "" : ",") + std::string{address ? "IP:" : "DNS:"} + name;
    }
    return text;
}

}  // namespace

void Certificate::write(const std::filesystem::path& folder, const std::string& name) const {
    write_text(folder / (name + ".pem"), certificate);
    write_text(folder / (name + ".key"), key);
    ::chmod((folder / (name + ".key")).c_str(), 0600);
}

Certificate make_certificate(const CertificateRequest& request) {
    constexpr long kDayS = 86'400;
    const KeyOwner key{EVP_EC_gen("P-256")};
    const X509Owner certificate{X509_new()};
    check(key && certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), (request.last_day - 365) * kDayS);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), request.last_day * kDayS);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* const subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(request.common_name.c_str()), -1, -1, 0);
    if (!request.names.empty()) add_extension(*certificate, NID_subject_alt_name, names_text(request.names));
    add_extension(*certificate, NID_basic_constraints, request.authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (request.issuer == nullptr) {
        check(X509_set_issuer_name(certificate.get(), subject) == 1);
        check(X509_sign(certificate.get(), key.get(), EVP_sha256()) != 0);
    } else {
        const X509Owner issuer = read_certificate(request.issuer->certificate);
        const KeyOwner issuer_key{
            PEM_read_bio_PrivateKey(reader(request.issuer->key).get(), nullptr, nullptr, nullptr)};
        check(issuer && issuer_key);
        check(X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get())) == 1);
        check(X509_sign(certificate.get(), issuer_key.get(), EVP_sha256()) != 0);
    }
    const BioOwner certificate_text{BIO_new(BIO_s_mem())};
    const BioOwner key_text{BIO_new(BIO_s_mem())};
    check(PEM_write_bio_X509(certificate_text.get(), certificate.get()) == 1);
    check(PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return {.certificate = contents(certificate_text), .key = contents(key_text)};
}

std::string alternative_names(const std::string& certificate) {
    const X509Owner read = read_certificate(certificate);
    check(read != nullptr);
    const int index = X509_get_ext_by_NID(read.get(), NID_subject_alt_name, -1);
    check(index >= 0);
    const BioOwner text{BIO_new(BIO_s_mem())};
    check(X509V3_EXT_print(text.get(), X509_get_ext(read.get(), index), 0, 0) == 1);
    return contents(text);
}

int days_left(const std::string& certificate) {
    const X509Owner read = read_certificate(certificate);
    check(read != nullptr);
    int days = 0;
    int seconds = 0;
    check(ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(read.get())) == 1);
    return days;
}

}  // namespace rta::test
