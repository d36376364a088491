// SPDX-License-Identifier: MIT
// PortWatches without clients' connections: what subscribers share, and random watches against a simple model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "api/events/port_watches.h"
#include "script.h"

namespace rta::api::test {
namespace {

using Watch = PortWatches::Watch;

class Subscriber final : public Telemetry::Subscriber {
 public:
    void deliver_telemetry(const SharedTelemetry& event) override { events.push_back(event); }
    [[nodiscard]] std::vector<v1::PortLevels> take() {
        std::vector<v1::PortLevels> levels;
        for (const SharedTelemetry& bytes : std::exchange(events, {})) {
            v1::Event event;
            EXPECT_TRUE(event.ParseFromString(*bytes));
            EXPECT_TRUE(event.has_port_levels());
            levels.push_back(event.port_levels());
        }
        return levels;
    }
    std::vector<SharedTelemetry> events;
};

class PortViewsTest : public ::testing::Test {
 protected:
    PortViewsTest() { script.play("hello a\n"); }

    v1::Response edit(const std::string& edits) {
        script.send('a', request("id: 9 apply_transaction { edits { " + edits + " } }"));
        for (int blocks = 0; blocks < 1'000; ++blocks) {
            if (const auto message = script.receive('a')) return message->response();
            script.block();
        }
        ADD_FAILURE() << "no response to " << edits;
        return {};
    }
    /// A constant of 1/2^k has a peak and an RMS of -6.02 k dB.
    static std::string constant(const std::string& name, int k) {
        return "edits { add_node { name: \"" + name +
               "\" type: \"constant\" parameters { key: \"value\" value: " + std::to_string(std::ldexp(1.0, -k)) +
               " } } } ";
    }
    void block(int steps = 1'000) {
        script.block();
        watches.poll([&] { return --steps <= 0; });
    }

    const ClientLimits limits{};
    Script script;
    PortWatches watches{script.engine, limits};
};

TEST_F(PortViewsTest, ClientsWithTheSamePortsAndRateShareTheirEvents) {
    edit(constant("c0", 0) + constant("c1", 1));
    std::vector<Subscriber> all(5);
    const std::vector<Watch> both{{.port = "c0"}, {.port = "c1"}};
    const std::vector<Watch> other{{.port = "c1"}, {.port = "c0"}};
    ASSERT_TRUE(watches.subscribe(all[0], both, 20.0F));
    ASSERT_TRUE(watches.subscribe(all[1], both, 20.0F));
    ASSERT_TRUE(watches.subscribe(all[2], other, 20.0F));
    ASSERT_TRUE(watches.subscribe(all[3], both, 50.0F));
    for (int i = 0; i < 750; ++i) block();
    ASSERT_GE(all[0].events.size(), 18U);
    EXPECT_EQ(all[0].events, all[1].events) << "the same memory";
    EXPECT_EQ(all[0].events.size(), all[2].events.size());
    EXPECT_NE(*all[0].events.back(), *all[2].events.back()) << "another order of the ports";
    EXPECT_GE(all[3].events.size(), 45U);
    // The last one that leaves takes its measurements with it; the next one starts again.
    for (Subscriber& subscriber : all) watches.unsubscribe(subscriber);
    EXPECT_FALSE(watches.interval());
    for (int i = 0; i < 10; ++i) block();
    EXPECT_EQ(script.engine.statistics().plans_alive, 1U);
}

/// However many clients: a step is the encoding of one port, or the delivery to some of them.
TEST_F(PortViewsTest, APollHasAsManyStepsAsItsCallerAllows) {
    std::string edits;
    for (int i = 0; i < 64; ++i) edits += constant("c" + std::to_string(i), 0);
    edit(edits);
    std::vector<Subscriber> all(100);
    for (std::size_t i = 0; i < all.size(); ++i) {
        std::vector<Watch> ports;
        for (std::size_t k = 0; k < 64; ++k) ports.push_back({.port = "c" + std::to_string((k + i % 4) % 64)});
        ASSERT_TRUE(watches.subscribe(all[i], ports, 10.0F));
    }
    const auto delivered = [&] {
        std::size_t count = 0;
        for (const Subscriber& subscriber : all) count += subscriber.events.size();
        return count;
    };
    while (watches.interval() != std::chrono::microseconds{0}) {
        script.block();
        watches.poll([] { return true; });
        ASSERT_LT(script.engine.renderer().frames(), 48'000U) << "an event is due after 0.1 s";
    }
    // Four lists of 64 ports, and the delivery to 25 clients of each, of which one step has been done.
    std::size_t steps = 1;
    for (std::size_t before = delivered(); watches.interval() == std::chrono::microseconds{0}; before = delivered()) {
        watches.poll([] { return true; });
        EXPECT_LE(delivered() - before, PortWatches::kDeliveredInStep);
        ASSERT_LE(++steps, 4U * 65U);
    }
    EXPECT_EQ(steps, 4U * 65U);
    EXPECT_EQ(delivered(), all.size());
}

/// Random subscriptions, edits and lengths of polls. What a client gets must be what its list and the constants say.
TEST_F(PortViewsTest, RandomWatchesGetWhatTheyWatch) {
    struct Model {
        std::vector<std::string> ports;
        std::uint64_t frame = 0;  ///< end of the latest event
        bool fresh = true;        ///< the first event may begin earlier
        std::uint64_t since = 0;  ///< frame of the subscription
    };
    std::mt19937 random{20'261'130};
    const auto below = [&](std::size_t count) {
        return std::uniform_int_distribution<std::size_t>{0, count - 1}(random);
    };
    std::map<std::string, int> nodes;  ///< k of constant()
    std::map<std::string, std::uint64_t> changed;
    std::vector<Subscriber> subscribers(8);
    std::map<Subscriber*, Model> models;
    std::size_t events = 0;
    std::size_t levels_checked = 0;
    const auto check = [&](Subscriber& subscriber) {
        Model& model = models.at(&subscriber);
        for (const v1::PortLevels& event : subscriber.take()) {
            ++events;
            if (!std::exchange(model.fresh, false)) {
                EXPECT_EQ(event.frame() - event.frame_count(), model.frame);
            }
            model.frame = event.frame();
            // In the order of the list, without those that did not exist.
            auto next = model.ports.begin();
            for (const v1::PortLevel& port : event.ports()) {
                next = std::find(next, model.ports.end(), port.port());
                ASSERT_NE(next, model.ports.end()) << port.port();
                ++next;
                const std::uint64_t begin = std::max(event.frame() - event.frame_count(), model.since);
                const auto node = nodes.find(port.port());
                // Steady: added before what the event measures, with time to start, and not removed since.
                if (node == nodes.end() || changed.at(port.port()) + 2'048 > begin) continue;
                ASSERT_EQ(port.channels_size(), 1);
                EXPECT_NEAR(port.channels(0).peak_db(), -6.0206F * static_cast<float>(node->second), 0.01F);
                EXPECT_NEAR(port.channels(0).rms_db(), -6.0206F * static_cast<float>(node->second), 0.01F);
                ++levels_checked;
            }
        }
    };
    const float rates[] = {10.0F, 25.0F, 100.0F};
    for (int i = 0; i < 600; ++i) {
        const std::uint64_t now = script.engine.renderer().frames();
        Subscriber& subscriber = subscribers[below(subscribers.size())];
        switch (below(8)) {
            case 0:
            case 1: {
                if (models.contains(&subscriber)) check(subscriber);
                Model model{.ports = {}, .since = now};
                std::vector<Watch> list;
                std::set<std::string> names;
                for (std::size_t k = below(12); k > 0; --k) {
                    list.push_back({.port = "c" + std::to_string(below(20)), .spectrum = below(10) == 0});
                    if (names.insert(list.back().port).second) model.ports.push_back(list.back().port);
                }
                ASSERT_TRUE(watches.subscribe(subscriber, list, rates[below(3)]));
                subscriber.events.clear();
                models.insert_or_assign(&subscriber, model);
                break;
            }
            case 2:
                watches.unsubscribe(subscriber);
                subscriber.events.clear();
                models.insert_or_assign(&subscriber, Model{});
                break;
            case 3: {
                const std::string name = "c" + std::to_string(below(20));
                const int k = static_cast<int>(below(6));
                const bool there = nodes.contains(name);
                ASSERT_EQ(edit(there ? "edits { remove_node { name: \"" + name + "\" } }" : constant(name, k))
                              .status()
                              .code(),
                          v1::OK);
                there ? static_cast<void>(nodes.erase(name)) : static_cast<void>(nodes.emplace(name, k));
                changed[name] = script.engine.renderer().frames();
                break;
            }
            default:
                for (std::size_t blocks = 1 + below(40); blocks > 0; --blocks) block(static_cast<int>(below(30)));
        }
        for (auto& [one, model] : models) check(*one);
    }
    EXPECT_GT(events, 1'000U);
    EXPECT_GT(levels_checked, 1'000U);
    for (Subscriber& subscriber : subscribers) watches.unsubscribe(subscriber);
    EXPECT_FALSE(watches.interval());
}

}  // namespace
}  // namespace rta::api::test
