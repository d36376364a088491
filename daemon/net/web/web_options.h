// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "net/web/web_hooks.h"

namespace rta::net {

/// What Server::listen_web() serves.
struct WebOptions {
    std::string page_folder{};             ///< of the files of the page
    std::vector<std::string> hosts{};      ///< names and addresses of this machine, see certificate_names()
    std::vector<std::string> web_names{};  ///< further names, see check_web_name()
    WebHooks hooks{};
};

}  // namespace rta::net
