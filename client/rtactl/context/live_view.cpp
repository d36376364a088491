// SPDX-License-Identifier: MIT
#include "rtactl/context/live_view.h"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <random>

#include "rtactl/context/error_report.h"
#include "text/format_number.h"
#include "text/quantity.h"
#include "text/quoting.h"

namespace rta::rtactl {

namespace {

/// Pauses between attempts to connect.
constexpr std::chrono::milliseconds kShortestPause{100};
constexpr std::chrono::milliseconds kLongestPause{2'000};

}  // namespace

LiveView::LiveView(Context& context, Display display)
    : context_{context},
      backoff_{kShortestPause, kLongestPause, std::random_device{}()},
      interrupts_{display == Display::picture ? Interrupts::Scope::end_and_screen : Interrupts::Scope::end},
      output_{context.streams().unescaped(), context.streams().descriptor, interrupts_} {
    if (display == Display::picture)
        picture_.emplace(context.streams().unescaped(), context.streams().terminal, context.streams().styled_out);
}

Result<void> LiveView::run(Context& context, Display display, const std::function<Result<void>(LiveView&)>& body) {
    auto client = context.open();
    if (!client) return std::unexpected(std::move(client.error()));
    if (context.streams().terminal < 0 || context.json()) display = Display::lines;
    LiveView view{context, display};
    view.client_ = std::move(*client);
    Result<void> outcome = body(view);
    return view.ended_ ? Result<void>{} : outcome;
}

Result<void> LiveView::follow(Context& context, const std::function<Result<void>(LiveView&)>& body) {
    LiveView view{context, Display::lines};
    return body(view);
}

Result<void> LiveView::connect(const client::Deadline& deadline) {
    client_.reset();
    if (std::exchange(tried_, true)) {
        if (auto paused = pause(deadline); !paused) return paused;
    }
    auto timeout = context_.timeout();
    if (deadline.moment()) timeout = std::min(timeout, std::chrono::milliseconds{std::max(deadline.poll_timeout(), 1)});
    auto opened = context_.open(timeout);
    if (!opened) return std::unexpected(std::move(opened.error()));
    client_ = std::move(*opened);
    return {};
}

/// Returns at the deadline, if that is earlier.
Result<void> LiveView::pause(const client::Deadline& deadline) {
    const auto length = std::chrono::ceil<std::chrono::milliseconds>(backoff_.next());
    const auto until = deadline.moment()
                           ? client::Deadline::in(std::min(length, std::chrono::milliseconds{deadline.poll_timeout()}))
                           : client::Deadline::in(length);
    while (!until.passed()) {
        while (interrupts_.has_pending()) handle_signal();
        if (ended_) return fail(Exit::done, "interrupted");
        pollfd ready{.fd = interrupts_.descriptor(), .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, until.poll_timeout()) > 0) handle_signal();
    }
    return {};
}

/// Calls `next` again after each signal that does not end the program.
template <class Next>
auto LiveView::receive(const Next& next) -> Result<typename std::invoke_result_t<Next>::value_type> {
    for (;;) {
        while (interrupts_.has_pending()) handle_signal();
        if (ended_) return fail(Exit::done, "interrupted");
        auto received = next();
        if (received) backoff_.reset();
        if (received) return std::move(*received);
        if (received.error().kind != client::Error::Kind::interrupted)
            return std::unexpected(failure_of(std::move(received.error())));
        handle_signal();
    }
}

Result<v1::Response> LiveView::exchange(v1::Request request, bool print) {
    // send() does not block: the request is small and no other is pending.
    const auto id = client_->send(std::move(request));
    if (!id) return std::unexpected(failure_of(id.error()));
    auto response = receive([&] { return client_->receive(*id, interrupts_.descriptor()); });
    if (!response) return response;
    if (response->status().code() != v1::OK) return std::unexpected(failure_of(std::move(*response)));
    if (context_.json() && print) context_.print_json(*response);
    return response;
}

Result<std::optional<v1::Event>> LiveView::wait(const client::Deadline& deadline) {
    return receive([&]() -> client::Expected<std::optional<v1::Event>> {
        auto event = client_->next_event(deadline, interrupts_.descriptor());
        if (event) return std::move(*event);
        if (event.error().kind == client::Error::Kind::timeout) return std::nullopt;
        return std::unexpected(std::move(event.error()));
    });
}

void LiveView::handle_signal() {
    switch (interrupts_.take()) {
        case Interrupts::Signal::end:
            ended_ = true;
            context_.ended = true;
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

Result<float> parse_rate(const Arguments& arguments, float minimum, float maximum, float default_rate) {
    const auto text = arguments.value("--rate");
    if (!text) return default_rate;
    const auto rate = parse_value(*text, ValueUnit::hertz);
    if (!rate) return usage_error("--rate: " + rate.error());
    if (!(*rate >= static_cast<double>(minimum) && *rate <= static_cast<double>(maximum))) {
        return usage_error("--rate: " + quoted(*text) + " is out of range; expected " + format_number(minimum) +
                           " to " + format_number(maximum) + " Hz");
    }
    return static_cast<float>(*rate);
}

Result<std::uint64_t> parse_count(const Arguments& arguments) {
    const auto text = arguments.value("--count");
    if (!text) return std::numeric_limits<std::uint64_t>::max();
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
    if (error != std::errc{} || end != text->data() + text->size() || count == 0)
        return usage_error("--count: invalid count " + quoted(*text) + ": expected a whole number, 1 or more");
    return count;
}

}  // namespace rta::rtactl
