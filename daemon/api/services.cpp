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
    const auto find_ended = [&](const std::vector<Client*>& among) {
        for (Client* const client : among) {
            if (auto error = why(*client)) ended.push_back({client->shared_from_this(), std::move(*error)});
        }
    };
    find_ended(clients);
    const std::size_t sessions = ended.size();
    find_ended(refused);
    for (const auto& [client, error] : ended) client->end_access(error);
    return sessions;
}

}  // namespace rta::api
