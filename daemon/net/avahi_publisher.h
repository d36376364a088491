// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "net/advertised_ports.h"
#include "net/advertisement.h"
#include "net/log.h"

namespace rta::net {

struct Publication {
    std::string name;  ///< may contain kHostNameMark
    std::vector<AdvertisedPort> ports;
    AdvertisedFacts facts;
};

/// Publishes through Avahi until `stop_descriptor` becomes readable, and then withdraws. Blocks the calling thread in
/// the meantime, and calls `log` on it.
void publish_through_avahi(const Publication& publication, int stop_descriptor, LogSink log);

}  // namespace rta::net
