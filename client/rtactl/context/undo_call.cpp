// SPDX-License-Identifier: MIT
#include "rtactl/context/undo_call.h"

#include <charconv>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace rta::rtactl {

namespace {

constexpr std::uint32_t kMostSteps = 1'000;

template <class Message>
void fill(Message& message, std::uint32_t steps, const Context& context, const Arguments& arguments) {
    message.set_steps(steps);
    if (const auto& expected = context.edit_options.expected_revision)
        message.mutable_guard()->set_expected_revision(*expected);
    if (const auto& within_s = context.edit_options.confirm_within_s) message.set_confirm_within_s(*within_s);
    message.set_force(arguments.has("--force"));
    message.set_of_all(arguments.has("--all"));
}

void print_fresh_nodes(Context& context, const v1::UndoResult& result) {
    if (result.fresh_nodes_size() == 0) return;
    context.out() << "(rebuilt, without their previous state:";
    for (const std::string& node : result.fresh_nodes()) context.out() << ' ' << node;
    context.out() << ")\n";
}

/// Names the option with which the daemon would accept the request.
Failure with_hint(Failure failure, const Arguments& arguments) {
    if (!failure.response) return failure;
    const v1::Code code = failure.response->status().code();
    if (code == v1::NOT_FOUND && !arguments.has("--all"))
        failure.sentence += "; with --all, the steps of all authors count";
    if (code == v1::FAILED_PRECONDITION && !arguments.has("--force") && failure.sentence.ends_with("together with it"))
        failure.sentence += ", with --force";
    return failure;
}

}  // namespace

Result<std::uint32_t> parse_steps(std::string_view command, const Arguments& arguments, std::uint32_t usual) {
    if (arguments.words.empty()) return usual;
    const std::string& word = arguments.words[0];
    std::uint32_t steps = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), steps);
    if (error != std::errc{} || end != word.data() + word.size() || steps < 1 || steps > kMostSteps) {
        return usage_error(std::string{command} + ": invalid number of steps \"" + word + "\": expected 1 to " +
                           std::to_string(kMostSteps));
    }
    return steps;
}

Result<void> call_undo(Context& context, const Arguments& arguments, bool redo) {
    const auto steps = parse_steps(redo ? "redo" : "undo", arguments, 1);
    if (!steps) return std::unexpected(steps.error());
    v1::Request request;
    if (redo) {
        fill(*request.mutable_redo(), *steps, context, arguments);
    } else {
        fill(*request.mutable_undo(), *steps, context, arguments);
    }
    auto response = context.change(std::move(request));
    if (!response) return std::unexpected(with_hint(std::move(response.error()), arguments));
    print_undo(context, redo ? response->redo() : response->undo());
    return {};
}

void print_undo(Context& context, const v1::UndoResult& result) {
    if (context.json()) return;
    std::vector<Done> done;
    for (const v1::HistoryStep& step : result.steps()) {
        const std::string number = std::to_string(step.number());
        const std::string what = step.undone() ? "undid step " + number : "applied step " + number + " again";
        done.push_back({what + " of " + step.author() + ": " + step.summary()});
    }
    v1::TransactionResult transaction;
    transaction.set_revision(result.revision());
    if (result.has_frame()) transaction.set_frame(result.frame());
    transaction.set_combs(result.combs());
    if (result.has_confirmation()) *transaction.mutable_confirmation() = result.confirmation();
    if (result.has_durable()) transaction.set_durable(result.durable());
    context.print_done(transaction, done);
    print_fresh_nodes(context, result);
}

}  // namespace rta::rtactl
