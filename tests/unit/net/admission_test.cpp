// SPDX-License-Identifier: MIT
#include "net/admission.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "support/effort.h"

namespace rta::net {
namespace {

using Door = api::Entry::Door;
using Group = Admission::Group;

constexpr std::uint32_t kOwnUser = 500;

api::Entry over_unix(std::uint32_t user) { return {.door = Door::unix_socket, .address = "/run/s", .user_id = user}; }
api::Entry over_loopback() { return {.door = Door::loopback, .address = "127.0.0.1:40000"}; }
api::Entry over_tls(const std::string& address) { return {.door = Door::tls, .address = address}; }

std::optional<Admission::Idle> nobody_is_idle(Admission::Number) { return std::nullopt; }

TEST(Admission, EachUserAndEachAddressHasALimit) {
    Admission admission{{.clients = 100, .clients_per_address = 3, .clients_per_user = 2}, kOwnUser};
    Admission::Number number = 0;
    const auto enter = [&](const api::Entry& entry, int times) {
        for (int i = 0; i < times; ++i) {
            EXPECT_FALSE(admission.ask(entry, nobody_is_idle).refusal) << i;
            admission.enter(++number, entry);
        }
    };
    const auto refusal = [&](const api::Entry& entry) {
        const auto answer = admission.ask(entry, nobody_is_idle);
        return answer.refusal ? answer.refusal->sentence : "";
    };
    enter(over_unix(7), 2);
    EXPECT_EQ(refusal(over_unix(7)), "limit of 2 clients of user 7 reached (--max-clients-per-user); try again later");
    EXPECT_EQ(refusal(over_unix(8)), "");
    enter(over_tls("[2001:db8::1]:1"), 1);
    enter(over_tls("[2001:db8::2]:1"), 2);
    EXPECT_EQ(refusal(over_tls("[2001:db8::3]:9")),
              "limit of 3 clients from 2001:db8::/64 reached (--max-clients-per-address); try again later");
    EXPECT_EQ(refusal(over_tls("[2001:db8:0:1::3]:9")), "");
    enter(over_loopback(), 3);
    EXPECT_NE(refusal({.door = Door::loopback, .address = "127.0.0.2:1"}), "") << "anyone can use these addresses";
    admission.leave(number);
    EXPECT_EQ(refusal(over_loopback()), "");
    admission.leave(number);
    EXPECT_EQ(admission.count(), static_cast<std::size_t>(number) - 1) << "leaving twice does nothing";
}

/// Lets clients of this group in until one is refused. Returns their number.
std::size_t fill(Admission& admission, Group group, Admission::Number& number) {
    std::size_t entered = 0;
    while (true) {
        api::Entry entry;
        const auto user = static_cast<std::uint32_t>(1'000 + number);
        switch (group) {
            case Group::owner:
                entry = over_unix(number % 2 == 0 ? 0 : kOwnUser);
                break;
            case Group::unix_socket:
                entry = over_unix(user);
                break;
            case Group::loopback:
                entry = over_loopback();
                break;
            case Group::other:
                entry = over_tls("192.0." + std::to_string(number % 200) + "." + std::to_string(number / 200) + ":1");
                break;
        }
        EXPECT_EQ(admission.group_of(entry), group);
        if (admission.ask(entry, nobody_is_idle).refusal) return entered;
        admission.enter(++number, entry);
        ++entered;
    }
}

TEST(Admission, NoGroupsTogetherCanTakeTheReservedPlacesOfAnother) {
    constexpr Group kAll[] = {Group::other, Group::owner, Group::unix_socket, Group::loopback};
    for (const std::size_t clients : {4U, 7U, 16U, 512U}) {
        for (const Group last : kAll) {
            Admission admission{{.clients = clients, .clients_per_address = 9'999, .clients_per_user = 9'999},
                                kOwnUser};
            Admission::Number number = 0;
            for (const Group group : kAll) {
                if (group != last) fill(admission, group, number);
            }
            EXPECT_EQ(fill(admission, last, number), admission.reserved(last)) << clients;
            EXPECT_EQ(admission.reserved(last), last == Group::other ? 0 : std::min<std::size_t>(4, clients / 4));
            EXPECT_EQ(admission.count(), clients) << "no place is left empty";
        }
    }
}

TEST(Admission, SmallLimitsReserveNothing) {
    Admission admission{{.clients = 2}, kOwnUser};
    Admission::Number number = 0;
    EXPECT_EQ(fill(admission, Group::loopback, number), 2U);
    const auto answer = admission.ask(over_unix(0), nobody_is_idle);
    ASSERT_TRUE(answer.refusal);
    EXPECT_EQ(answer.refusal->code, ErrorCode::resource_exhausted);
    EXPECT_EQ(answer.refusal->sentence, "limit of 2 clients reached (--max-clients); try again later");
}

TEST(Admission, TheRefusalSaysThatPlacesAreReserved) {
    Admission admission{{.clients = 16, .clients_per_address = 16}, kOwnUser};
    Admission::Number number = 0;
    EXPECT_EQ(fill(admission, Group::loopback, number), 8U);
    const auto answer = admission.ask(over_loopback(), nobody_is_idle);
    ASSERT_TRUE(answer.refusal);
    EXPECT_EQ(answer.refusal->sentence,
              "limit of 16 clients reached (--max-clients), of which 8 are reserved for other users and addresses; "
              "try again later");
}

TEST(Admission, AnIdleClientMakesRoomFirstOfAllOneWithoutHello) {
    const Admission::TimePoint now{std::chrono::hours{1}};
    Admission admission{{.clients = 3}, kOwnUser};
    for (Admission::Number number = 2; number <= 4; ++number) admission.enter(number, over_tls("192.0.2.1:1"));
    std::map<Admission::Number, Admission::Idle> idle{{2, {.introduced = true, .since = now}},
                                                      {3, {.introduced = true, .since = now - std::chrono::seconds{5}}},
                                                      {4, {.introduced = false, .since = now}}};
    const auto displaced = [&] {
        return admission
            .ask(over_tls("192.0.2.2:1"),
                 [&](Admission::Number number) -> std::optional<Admission::Idle> {
                     const auto found = idle.find(number);
                     return found == idle.end() ? std::nullopt : std::optional{found->second};
                 })
            .displaced;
    };
    EXPECT_EQ(displaced(), 4U);
    idle.erase(4);
    EXPECT_EQ(displaced(), 3U);
    idle.erase(3);
    EXPECT_EQ(displaced(), 2U);
    idle.erase(2);
    EXPECT_EQ(displaced(), std::nullopt);
}

// ---- random comings and goings, compared with a reference that counts again for each question

struct Held {
    Admission::Number number;
    api::Entry entry;
    std::optional<Admission::Idle> idle;
};

class Reference {
 public:
    Reference(const ServerLimits& limits, std::uint32_t own_user) : limits_{limits}, own_user_{own_user} {}

    [[nodiscard]] bool fits(const api::Entry& entry, const std::vector<Held>& held) const {
        std::vector<api::Entry> all{entry};
        for (const Held& one : held) all.push_back(one.entry);
        const auto count = [&](const auto& same) { return static_cast<std::size_t>(std::ranges::count_if(all, same)); };
        const std::string network = network_of(entry);
        if (!network.empty() &&
            count([&](const auto& other) { return network_of(other) == network; }) > limits_.clients_per_address)
            return false;
        if (entry.user_id &&
            count([&](const auto& other) { return other.user_id == entry.user_id; }) > limits_.clients_per_user)
            return false;
        // Whatever the others do later, each group must still be able to fill its reserved places.
        std::size_t needed = 0;
        for (int group = 0; group < 4; ++group) {
            const std::size_t reserved = group == 0 ? 0 : std::min<std::size_t>(4, limits_.clients / 4);
            needed += std::max(reserved, count([&](const auto& other) { return group_of(other) == group; }));
        }
        return needed <= limits_.clients;
    }

    [[nodiscard]] std::optional<Admission::Number> displaced(const api::Entry& entry,
                                                             const std::vector<Held>& held) const {
        std::vector<std::tuple<bool, Admission::TimePoint, Admission::Number>> candidates;
        for (std::size_t i = 0; i < held.size(); ++i) {
            std::vector<Held> without = held;
            without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
            if (held[i].idle && fits(entry, without))
                candidates.emplace_back(held[i].idle->introduced, held[i].idle->since, held[i].number);
        }
        if (candidates.empty()) return std::nullopt;
        return std::get<Admission::Number>(*std::ranges::min_element(candidates));
    }

 private:
    [[nodiscard]] int group_of(const api::Entry& entry) const {
        if (entry.door == Door::loopback) return 3;
        if (entry.door != Door::unix_socket) return 0;
        return entry.user_id == 0U || entry.user_id == own_user_ ? 1 : 2;
    }

    ServerLimits limits_;
    std::uint32_t own_user_;
};

TEST(Admission, AnswersLikeAReferenceThatCountsEachTime) {
    for (std::uint32_t seed = 0; seed < test::cases(300U, 30U); ++seed) {
        std::mt19937 random{seed};
        const auto below = [&](std::size_t end) { return static_cast<std::size_t>(random() % end); };
        const ServerLimits limits{
            .clients = 1 + below(24), .clients_per_address = 1 + below(8), .clients_per_user = 1 + below(8)};
        Admission admission{limits, kOwnUser};
        const Reference reference{limits, kOwnUser};
        std::vector<Held> held;
        Admission::Number number = 0;
        const auto find_idle = [&](Admission::Number wanted) {
            return std::ranges::find(held, wanted, &Held::number)->idle;
        };
        const auto leave = [&](Admission::Number gone) {
            admission.leave(gone);
            std::erase_if(held, [&](const Held& one) { return one.number == gone; });
        };
        const auto random_entry = [&]() -> api::Entry {
            switch (below(4)) {
                case 0:
                    return over_unix(std::vector{0U, kOwnUser, 7U, 8U, 9U}[below(5)]);
                case 1:
                    return over_loopback();
                case 2:
                    return over_tls("192.0.2." + std::to_string(below(3)) + ":1");
                default:
                    return over_tls("[2001:db8:0:" + std::to_string(below(3)) + "::" + std::to_string(below(99)) +
                                    "]:1");
            }
        };
        for (int step = 0; step < 200; ++step) {
            for (Held& one : held) {
                if (below(8) == 0) {
                    one.idle = below(2) == 0 ? std::nullopt
                                             : std::optional{Admission::Idle{
                                                   .introduced = below(3) != 0,
                                                   .since = Admission::TimePoint{std::chrono::seconds{below(5)}}}};
                }
            }
            if (!held.empty() && below(4) == 0) leave(held[below(held.size())].number);
            const api::Entry entry = random_entry();
            const auto answer = admission.ask(entry, find_idle);
            const bool fits = reference.fits(entry, held);
            const auto displaced = fits ? std::nullopt : reference.displaced(entry, held);
            ASSERT_EQ(answer.displaced, displaced) << "seed " << seed << ", step " << step;
            ASSERT_EQ(answer.refusal.has_value(), !fits && !displaced) << "seed " << seed << ", step " << step;
            if (answer.displaced) leave(*answer.displaced);
            if (answer.refusal) continue;
            held.push_back({.number = ++number, .entry = entry, .idle = std::nullopt});
            admission.enter(number, entry);
            ASSERT_EQ(admission.count(), held.size());
            ASSERT_LE(held.size(), limits.clients);
        }
    }
}

}  // namespace
}  // namespace rta::net
