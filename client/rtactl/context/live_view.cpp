// SPDX-License-Identifier: MIT
#include "rtactl/context/live_view.h"

#include <charconv>
#include <limits>

#include "document/document.h"
#include "rtactl/language/values.h"
#include "text/format_number.h"
#include "text/names.h"

namespace rta::rtactl {

Live::Live(Session& session, client::DaemonClient connection, bool picture)
    : session_{session},
      connection_{std::move(connection)},
      interrupts_{picture},
      output_{session.streams().unescaped(), session.streams().descriptor, interrupts_} {
    if (picture) picture_.emplace(session.streams().unescaped(), session.streams().terminal);
}

Result<void> Live::run(Session& session, bool picture, const std::function<Result<void>(Live&)>& body) {
    auto connection = session.open();
    if (!connection) return std::unexpected(std::move(connection.error()));
    const bool drawn = picture && session.streams().terminal >= 0 && !session.json();
    Live live{session, std::move(*connection), drawn};
    Result<void> outcome = body(live);
    return live.ended_ ? Result<void>{} : outcome;
}

/// Calls `next` again after each signal that is not the end.
template <class Next>
auto Live::receive(const Next& next) -> Result<typename std::invoke_result_t<Next>::value_type> {
    for (;;) {
        while (interrupts_.holds_back()) heed_signal();
        if (ended_) return fail(Exit::done, "interrupted");
        auto received = next();
        if (received) return std::move(*received);
        if (received.error().kind != client::Error::Kind::interrupted)
            return fail(exit_of(received.error()), std::move(received.error().sentence));
        heed_signal();
    }
}

Result<v1::Response> Live::ask(v1::Request request, bool print) {
    // Small, and nothing before it is unanswered: the sending itself cannot have to wait.
    const auto id = connection_.send(std::move(request));
    if (!id) return fail(exit_of(id.error()), id.error().sentence);
    auto response = receive([&] { return connection_.receive(*id, interrupts_.descriptor()); });
    if (!response) return response;
    const v1::Status& status = response->status();
    if (session_.json() && (print || status.code() != v1::OK)) session_.print_json(*response);
    if (status.code() != v1::OK) return fail(exit_of(status.code()), status.message());
    return response;
}

Result<std::optional<v1::Event>> Live::wait(const client::Deadline& deadline) {
    return receive([&]() -> client::Expected<std::optional<v1::Event>> {
        auto event = connection_.next_event(deadline, interrupts_.descriptor());
        if (event) return std::move(*event);
        if (event.error().kind == client::Error::Kind::timeout) return std::nullopt;
        return std::unexpected(std::move(event.error()));
    });
}

void Live::heed_signal() {
    switch (interrupts_.take()) {
        case Interrupts::Signal::end:
            ended_ = true;
            break;
        case Interrupts::Signal::suspend:
            if (picture_) picture_->suspend();
            break;
        case Interrupts::Signal::resize:
            if (picture_) picture_->redraw();
            break;
        case Interrupts::Signal::none:
            break;
    }
}

Result<float> parse_rate(const Arguments& arguments, float lowest, float highest, float unless_given) {
    const auto text = arguments.value("--rate");
    if (!text) return unless_given;
    const auto rate = parse_value(*text, ValueUnit::hertz);
    if (!rate) return usage_error("--rate: " + rate.error());
    if (!(*rate >= static_cast<double>(lowest) && *rate <= static_cast<double>(highest))) {
        return usage_error("--rate: " + quoted(*text) + " is out of range; write " + format_number(lowest) + " to " +
                           format_number(highest) + " Hz");
    }
    return static_cast<float>(*rate);
}

Result<std::uint64_t> parse_count(const Arguments& arguments) {
    const auto text = arguments.value("--count");
    if (!text) return std::numeric_limits<std::uint64_t>::max();
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
    if (error != std::errc{} || end != text->data() + text->size() || count == 0)
        return usage_error("--count: " + quoted(*text) + " is no number from 1 on");
    return count;
}

}  // namespace rta::rtactl
