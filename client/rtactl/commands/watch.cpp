// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <ostream>

#include "rtactl/context/live_view.h"
#include "rtactl/drawing/print.h"
#include "rtactl/language/command.h"
#include "text/names.h"

namespace rta::rtactl {

namespace {

struct TopicName {
    std::string_view name;
    v1::Topic topic;
};

constexpr std::array kTopics{TopicName{"changes", v1::TOPIC_CHANGES}, TopicName{"levels", v1::TOPIC_LEVELS},
                             TopicName{"load", v1::TOPIC_LOAD}, TopicName{"xruns", v1::TOPIC_XRUNS},
                             TopicName{"node_loads", v1::TOPIC_NODE_LOADS}};

Result<v1::Subscribe> subscription(const Arguments& arguments) {
    v1::Subscribe subscribe;
    for (const std::string& word : arguments.words) {
        const auto* found = std::ranges::find(kTopics, word, &TopicName::name);
        if (found == kTopics.end()) return usage_error(no_such("topic", word, topic_names()));
        subscribe.add_topics(found->topic);
    }
    if (arguments.words.empty()) subscribe.add_topics(v1::TOPIC_CHANGES);
    if (arguments.has("--rate")) {
        const auto rate = parse_rate(arguments, 1, 100, 10);
        if (!rate) return std::unexpected(rate.error());
        subscribe.set_telemetry_rate_hz(*rate);
    }
    return subscribe;
}

Result<void> print_events(Live& live, v1::Subscribe wanted, std::uint64_t count) {
    v1::Request request;
    *request.mutable_subscribe() = std::move(wanted);
    if (auto subscribed = live.ask(std::move(request), true); !subscribed)
        return std::unexpected(std::move(subscribed.error()));
    Session& session = live.session();
    for (std::uint64_t seen = 0; seen < count; ++seen) {
        const auto event = live.wait();
        if (!event) return std::unexpected(event.error());
        if (session.json()) {
            session.print_json(**event);
        } else {
            session.out() << describe(**event) << '\n' << std::flush;  // whoever reads the pipe must see it now
        }
        // Nobody reads any more, or the disk is full: the caller of all commands says so.
        if (!session.out()) return {};
    }
    return {};
}

}  // namespace

std::vector<std::string_view> topic_names() {
    std::vector<std::string_view> names;
    names.reserve(kTopics.size());
    for (const TopicName& topic : kTopics) names.push_back(topic.name);
    return names;
}

Result<void> run_watch(Session& session, const Arguments& arguments) {
    auto wanted = subscription(arguments);
    if (!wanted) return std::unexpected(std::move(wanted.error()));
    const auto count = parse_count(arguments);
    if (!count) return std::unexpected(count.error());
    return Live::run(session, false, [&](Live& live) { return print_events(live, std::move(*wanted), *count); });
}

}  // namespace rta::rtactl
