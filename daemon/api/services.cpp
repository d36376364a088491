// SPDX-License-Identifier: MIT
#include "api/services.h"

#include <memory>
#include <utility>

#include "api/client.h"

namespace rta::api {

std::size_t Services::end_sessions(const std::function<std::optional<Error>(const Client&)>& why) {
    struct Ended {
        std::shared_ptr<Client> client;
        Error error;
    };
    // A client whose session ends leaves the list, and may resume others.
    std::vector<Ended> ended;
    for (Client* const client : clients) {
        if (auto error = why(*client)) ended.push_back({client->shared_from_this(), std::move(*error)});
    }
    for (const auto& [client, error] : ended) client->end_access(error);
    return ended.size();
}

}  // namespace rta::api
