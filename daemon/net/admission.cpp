// SPDX-License-Identifier: MIT
#include "net/admission.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace rta::net {
namespace {

/// Enough for an administrator and a script of each group; the first clients that come take the other places.
constexpr std::size_t kReservedPlaces = 4;

template <class Key>
std::size_t count_of(const std::map<Key, std::size_t>& counts, const Key& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0 : found->second;
}

template <class Key>
void decrement(std::map<Key, std::size_t>& counts, const Key& key) {
    const auto found = counts.find(key);
    if (--found->second == 0) counts.erase(found);
}

}  // namespace

Admission::Group Admission::group_of(const api::Entry& entry) const {
    switch (entry.door) {
        case api::Entry::Door::unix_socket:
            return entry.user_id == 0U || entry.user_id == own_user_id_ ? Group::owner : Group::unix_socket;
        case api::Entry::Door::loopback:
            return Group::loopback;
        case api::Entry::Door::tls:
        case api::Entry::Door::unknown:
            break;
    }
    return Group::other;
}

std::size_t Admission::reserved(Group group) const {
    return group == Group::other ? 0 : std::min(kReservedPlaces, limits_.clients / kGroups);
}

Admission::Place Admission::place_of(const api::Entry& entry) const {
    return {.group = group_of(entry), .network = api::network_of(entry), .user_id = entry.user_id};
}

void Admission::enter(Number number, const api::Entry& entry) {
    Place place = place_of(entry);
    // First all that may run out of memory.
    std::size_t* const network = place.network.empty() ? nullptr : &networks_[place.network];
    std::size_t* const user = place.user_id ? &users_[*place.user_id] : nullptr;
    std::size_t& group = groups_[static_cast<std::size_t>(place.group)];
    clients_.emplace(number, std::move(place));
    ++group;
    if (network != nullptr) ++*network;
    if (user != nullptr) ++*user;
}

void Admission::leave(Number number) {
    const auto found = clients_.find(number);
    if (found == clients_.end()) return;
    const Place& place = found->second;
    --groups_[static_cast<std::size_t>(place.group)];
    if (!place.network.empty()) decrement(networks_, place.network);
    if (place.user_id) decrement(users_, *place.user_id);
    clients_.erase(found);
}

Admission::Answer Admission::ask(const api::Entry& entry, const FindIdle& find_idle) const {
    const Place place = place_of(entry);
    const Limit limit = exceeded_by(place, nullptr);
    if (limit == Limit::none) return {};
    if (const auto displaced = find_displaced(place, find_idle)) return {.refusal = {}, .displaced = displaced};
    return {.refusal = refusal(limit, place), .displaced = {}};
}

/// Returns the limit that the client in `place` would exceed if the client in `without` had left.
Admission::Limit Admission::exceeded_by(const Place& place, const Place* without) const {
    const auto taken = [](std::size_t count, bool one_leaves) { return count - (one_leaves ? 1 : 0); };
    if (!place.network.empty() &&
        taken(count_of(networks_, place.network), without != nullptr && without->network == place.network) >=
            limits_.clients_per_address)
        return Limit::address;
    if (place.user_id && taken(count_of(users_, *place.user_id),
                               without != nullptr && without->user_id == place.user_id) >= limits_.clients_per_user)
        return Limit::user;
    return group_has_room(place.group, without) ? Limit::none : Limit::total;
}

/// A group always gets its reserved places. Of the others, it gets those that no group has taken or could claim.
bool Admission::group_has_room(Group group, const Place* without) const {
    std::size_t claimed = 0;
    for (std::size_t i = 0; i < kGroups; ++i) {
        const auto other = static_cast<Group>(i);
        const std::size_t count = groups_[i] - (without != nullptr && without->group == other ? 1 : 0);
        if (other == group && count < reserved(group)) return true;
        claimed += std::max(count, reserved(other));
    }
    return claimed < limits_.clients;
}

std::optional<Admission::Number> Admission::find_displaced(const Place& place, const FindIdle& find_idle) const {
    std::optional<std::tuple<bool, TimePoint, Number>> best;
    for (const auto& [number, held] : clients_) {
        if (exceeded_by(place, &held) != Limit::none) continue;
        const auto idle = find_idle(number);
        if (!idle) continue;
        const std::tuple candidate{idle->introduced, idle->since, number};
        if (!best || candidate < *best) best = candidate;
    }
    return best ? std::optional{std::get<Number>(*best)} : std::nullopt;
}

Error Admission::refusal(Limit limit, const Place& place) const {
    std::string sentence;
    switch (limit) {
        case Limit::address:
            sentence = "limit of " + std::to_string(limits_.clients_per_address) + " clients from " + place.network +
                       " reached (--max-clients-per-address)";
            break;
        case Limit::user:
            sentence = "limit of " + std::to_string(limits_.clients_per_user) + " clients of user " +
                       std::to_string(place.user_id.value_or(0)) + " reached (--max-clients-per-user)";
            break;
        case Limit::total:
        case Limit::none:
            sentence = "limit of " + std::to_string(limits_.clients) + " clients reached (--max-clients)";
            if (count() < limits_.clients)
                sentence += ", of which " + std::to_string(limits_.clients - count()) +
                            " are reserved for other users and addresses";
            break;
    }
    return Error{ErrorCode::resource_exhausted, sentence + "; try again later", {}};
}

}  // namespace rta::net
