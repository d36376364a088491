// SPDX-License-Identifier: MIT
#pragma once

// The service that daemons publish on the local network (DNS-SD, RFC 6763), and that clients search for.
namespace rta::discovery {

inline constexpr const char* kServiceType = "_rtad._tcp";

// Keys of its TXT records.
inline constexpr const char* kVersionKey = "version";          ///< of rtad
inline constexpr const char* kInstanceKey = "instance";        ///< the instance id in HelloResult
inline constexpr const char* kTlsKey = "tls";                  ///< "1": clients connect over TLS
inline constexpr const char* kFingerprintKey = "fingerprint";  ///< of the TLS certificate: "SHA256:..."

}  // namespace rta::discovery
