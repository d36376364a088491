// SPDX-License-Identifier: MIT
#include "wasm/page_engine.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/renderer.h"

namespace rta::wasm {

PageEngine::PageEngine(const EngineConfig& config, std::uint32_t channels_in, std::uint32_t channels_out)
    : engine_{builtin_nodes(), config}, device_{engine_, channels_in, channels_out} {}

// ---------------------------------------------------------------------------------------------------------------------
// Commands

std::span<const PageEngine::Named> PageEngine::commands() {
    static constexpr std::array kCommands{
        Named{"apply_transaction", &PageEngine::apply_transaction},
        Named{"check_graph", &PageEngine::check_graph},
        Named{"check_scene", &PageEngine::check_scene},
        Named{"get_frequency_response", &PageEngine::get_frequency_response},
        Named{"get_graph", &PageEngine::get_graph},
        Named{"get_history", &PageEngine::get_history},
        Named{"get_state", &PageEngine::get_state},
        Named{"list_node_types", &PageEngine::list_node_types},
        Named{"mute_output", &PageEngine::mute_output},
        Named{"panic", &PageEngine::panic},
        Named{"publish", &PageEngine::publish},
        Named{"read_scene", &PageEngine::read_scene},
        Named{"recall_scene", &PageEngine::recall_scene},
        Named{"redo", &PageEngine::redo},
        Named{"reset_meters", &PageEngine::reset_meters},
        Named{"scene_document", &PageEngine::scene_document},
        Named{"set_parameters", &PageEngine::set_parameters},
        Named{"set_volume", &PageEngine::set_volume},
        Named{"undo", &PageEngine::undo},
        Named{"watch", &PageEngine::watch},
    };
    return kCommands;
}

namespace {

/// As in a daemon.
constexpr std::size_t kLongestClientName = 128;

std::string expected_commands(const auto& commands) {
    std::string text;
    for (const auto& command : commands) text += (text.empty() ? "" : ", ") + std::string{command.name};
    return text;
}

void write_error(JsonWriter& out, const Error& error) {
    out.member("code", error_code_name(error.code));
    out.member("message", error.sentence);
    if (error.edit_index) out.member("edit_index", *error.edit_index);
}

}  // namespace

std::string PageEngine::execute(std::string_view text) {
    std::string reply;
    auto command = read_json(text);
    if (command) {
        run(*command, reply);
        return reply;
    }
    JsonWriter out{reply};
    out.object([&] { out.key("error").object([&] { write_error(out, command.error()); }); });
    return reply;
}

void PageEngine::run(const JsonValue& command, std::string& reply) {
    Fields envelope{&command, "the command"};
    origin_ = {.client_name = envelope.text("client_name"),
               .utc_us = envelope.integer<std::int64_t>("utc_us").value_or(0),
               .now_ms = envelope.number("now_ms").value_or(0.0)};
    instance_ = envelope.text("instance_id");
    const bool has_order = envelope.has("pipelined");
    const bool pipelined = envelope.flag("pipelined");
    std::string result;
    Reply extras;
    Expected<void> outcome = envelope.check();
    if (outcome && origin_.client_name.size() > kLongestClientName)
        outcome = fail(ErrorCode::invalid_argument,
                       "client_name is too long: expected at most " + std::to_string(kLongestClientName) + " bytes");
    const Named* found = nullptr;
    for (const Named& known : commands()) {
        if (envelope.has(known.name)) found = &known;
    }
    if (outcome && found == nullptr)
        outcome = fail(ErrorCode::unimplemented, "unknown command: expected one of " + expected_commands(commands()));
    if (outcome && pipelined && must_repeat_) {
        extras.retry = true;
        outcome = fail(ErrorCode::resource_exhausted, "the engine has no room for an earlier command");
    }
    if (outcome) {
        Fields fields{envelope.member(found->name), found->name};
        JsonWriter out{result};
        Command wanted{fields, out, extras};
        out.object([&] {
            outcome = fields.check();
            if (outcome) outcome = (this->*found->handler)(wanted);
            if (outcome) outcome = fields.check();
        });
    }
    if (has_order) must_repeat_ = !outcome && extras.retry;
    JsonWriter out{reply};
    out.object([&] {
        if (outcome) {
            out.key("result").raw(result);
            if (extras.serial) out.member("serial", *extras.serial);
        } else {
            out.key("error").object([&] {
                write_error(out, outcome.error());
                if (!extras.conflict) return;
                out.key("conflict").object([&] {
                    out.member("revision", engine_.revision());
                    out.member("change_number", change_number_);
                    write_origin(out, latest_client_);
                });
            });
            if (extras.retry) out.member("retry", true);
        }
        out.member("revision", engine_.revision());
        out.member("change_number", change_number_);
    });
}

// ---------------------------------------------------------------------------------------------------------------------
// Events

/// A host that reads no events loses the earliest.
void PageEngine::add_event(std::string event) {
    constexpr std::size_t kMostEvents = 4'096;
    constexpr std::size_t kMostBytes = std::size_t{32} << 20U;
    events_bytes_ += event.size();
    events_.push_back(std::move(event));
    while (events_.size() > kMostEvents || (events_bytes_ > kMostBytes && events_.size() > 1))
        static_cast<void>(take_event());
}

std::string PageEngine::take_event() {
    std::string event = std::move(events_.front());
    events_.pop_front();
    events_bytes_ -= event.size();
    return event;
}

void PageEngine::discard_events() {
    events_.clear();
    events_bytes_ = 0;
}

void PageEngine::write_origin(JsonWriter& out, std::string_view client_name) const {
    out.member("client_name", client_name);
    out.member("author", kAuthor);
}

void PageEngine::applied(std::uint64_t serial, std::uint64_t frame) {
    std::string event;
    JsonWriter out{event};
    out.object([&] {
        out.key("applied").object([&] {
            out.member("serial", serial);
            out.member("frame", frame);
        });
    });
    add_event(std::move(event));
    if (!panic_ || !panic_->serial || *panic_->serial > serial) return;
    announce([&](JsonWriter& writer) {
        writer.key("panicked").object([&] {
            writer.member("frame", frame);
            write_origin(writer, panic_->client_name);
        });
    });
    panic_.reset();
}

void PageEngine::transaction_heard(std::uint64_t revision, std::uint64_t frame) {
    heard_.push_back(revision);
    const auto follows = [&](std::uint64_t later) {
        if (later > heard_revision_ + 1) return false;
        heard_revision_ = std::max(heard_revision_, later);
        return true;
    };
    while (std::erase_if(heard_, follows) != 0) continue;
    announce([&](JsonWriter& out) {
        out.key("transaction_heard").object([&] {
            out.member("revision", revision);
            out.member("frame", frame);
        });
    });
}

void PageEngine::node_faulted(const std::string& node, std::uint64_t frame) {
    if (!faults_.empty()) faults_ += "; ";
    faults_ += "node " + node + " produced NaN or infinity at frame " + std::to_string(frame) +
               " and is muted until it has been rebuilt";
    announce([&](JsonWriter& out) {
        out.key("node_faulted").object([&] {
            out.member("node", node);
            out.member("frame", frame);
        });
    });
}

/// Sends the new processors once the output is silent.
void PageEngine::advance_panic() {
    if (!panic_ || panic_->serial || !engine_.output_silent()) return;
    const auto ticket = panic_->reset.try_complete();
    if (!ticket) return;
    if (*ticket) {
        panic_->serial = (*ticket)->serial;
        return;
    }
    Error error = ticket->error();
    error.sentence = "the output is muted, but nothing was reset: " + error.sentence;
    std::string event;
    JsonWriter out{event};
    out.object([&] { out.key("panic_failed").object([&] { write_error(out, error); }); });
    add_event(std::move(event));
    panic_.reset();
}

void PageEngine::poll() {
    engine_.poll(*this);
    advance_panic();
}

std::string PageEngine::next_event() {
    if (events_.empty()) poll();
    if (!events_.empty()) return take_event();
    std::string event;
    telemetry_.poll(event);
    return event;
}

}  // namespace rta::wasm
