// SPDX-License-Identifier: MIT
// The commands of PageEngine. Their content and results are those of the requests of the protocol.
#include <algorithm>
#include <complex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "dsp/simd.h"
#include "engine/latency_list.h"
#include "engine/renderer.h"
#include "graph/difference.h"
#include "graph/document_values.h"
#include "graph/edit_checks.h"
#include "graph/frequency_response.h"
#include "graph/fresh_nodes.h"
#include "graph/graph_part.h"
#include "graph/recall.h"
#include "graph/response_values.h"
#include "plan/signal_path.h"
#include "wasm/edit_reader.h"
#include "wasm/edit_writer.h"
#include "wasm/page_engine.h"
#include "wasm/type_writer.h"

namespace rta::wasm {
namespace {

/// Graphs with a larger difference_size() are not compared for an event.
constexpr std::size_t kMostCompared = 2'000;
constexpr std::size_t kMostFreshNodes = 256;

/// Members of a document that are numbered by the reader of a graph have no index for the client.
Error without_index(Error error) {
    error.edit_index.reset();
    return error;
}

void write_ticket(JsonWriter& out, const Ticket& ticket) {
    out.member("revision", ticket.revision);
    if (ticket.starts_within_ms != 0) out.member("starts_within_ms", ticket.starts_within_ms);
    if (ticket.combs) out.member("combs", true);
}

void write_relative(JsonWriter& out, std::span<const SetParameter> changes) {
    if (changes.empty()) return;
    out.key("relative_changes").array([&] {
        for (const SetParameter& change : changes) write_change(out, change);
    });
}

SetParameter with_value(SetParameter change, float value) {
    change.kind = SetParameter::Kind::set;
    change.value = value;
    return change;
}

/// The nodes of a replaced graph that the engine has drawn settings for: whether each had fewer settings before.
std::vector<std::size_t> counts_of_settings(const std::vector<Edit>& edits) {
    std::vector<std::size_t> counts;
    if (edits.empty()) return counts;
    if (const auto* const replace = std::get_if<ReplaceGraph>(&edits.front())) {
        for (const auto& node : replace->document.nodes) counts.push_back(node.settings.size());
    }
    return counts;
}

/// Sets the settings that were drawn to those in the graph: nodes that stay keep theirs.
void report_draws(const AudioGraph& graph, std::span<const std::size_t> given, std::vector<Edit>& edits) {
    for (std::size_t i = 0; i < given.size(); ++i) {
        GraphDocument::Node& node = std::get<ReplaceGraph>(edits.front()).document.nodes[i];
        const GraphNode* const committed = graph.find(node.name);
        if (node.settings.size() == given[i] || committed == nullptr) continue;
        for (const SettingSpec& spec : committed->description->type->settings) {
            if (spec.drawn)
                node.settings.insert_or_assign(std::string{spec.name},
                                               committed->description->settings.number(spec.name));
        }
    }
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------------
// Reading

Expected<void> PageEngine::list_node_types(Command& command) {
    const std::string name = command.fields.text("type");
    const double sample_rate_hz = engine_.config().sample_rate_hz;
    std::vector<const NodeType*> types;
    if (name.empty()) {
        types.assign(engine_.registry().types().begin(), engine_.registry().types().end());
    } else {
        const auto type = engine_.registry().require(name);
        if (!type) return std::unexpected(type.error());
        types.push_back(*type);
    }
    command.result.key("types").array([&] {
        for (const NodeType* const type : types) write_type(command.result, *type, sample_rate_hz);
    });
    return {};
}

Expected<void> PageEngine::get_graph(Command& command) {
    Fields& fields = command.fields;
    const auto content = fields.integer<std::int32_t>("content").value_or(0);
    const std::vector<std::string> nodes = fields.texts("nodes");
    if (auto good = fields.check(); !good) return good;
    if (auto good = check_content(content, !nodes.empty()); !good) return good;
    GraphDocument document = engine_.graph().document();
    if (!nodes.empty()) {
        auto part = part_of(document, nodes);
        if (!part) return std::unexpected(std::move(part.error()));
        document = std::move(*part);
    }
    JsonWriter& out = command.result;
    if (content != 2) write_graph(out.key("graph"), document);
    if (fields.flag("with_origin")) document.origin = {.revision = engine_.revision(), .instance = instance_};
    if (content != 1 && nodes.empty()) out.member("document", write_document(document));
    out.member("revision", engine_.revision());
    out.member("change_number", change_number_);
    return {};
}

/// The EngineState, and the device.
Expected<void> PageEngine::get_state(Command& command) {
    constexpr std::size_t kMostLatencies = 256;
    JsonWriter& out = command.result;
    const EngineStatistics statistics = engine_.statistics();
    const LatencyReport latency = engine_.latency();
    out.key("engine").object([&] {
        out.member("block_size_frames", engine_.config().block_size);
        out.member("frame", engine_.renderer().frames());
        out.member("revision", engine_.revision());
        out.member("change_number", change_number_);
        out.member("node_count", engine_.graph().node_count());
        out.member("connection_count", engine_.graph().connection_count());
        out.member("plans_made", statistics.plans_made);
        out.member("plans_freed", statistics.plans_freed);
        out.member("plans_alive", statistics.plans_alive);
        out.member("telemetry_dropped", statistics.telemetry_dropped);
        out.member("output_muted", engine_.output_muted());
        out.member("simd_target", dsp::simd_target());
        out.member("latency_frames", latency.output_frames);
        out.key("node_latencies").array([&] {
            for (const LatencyReport::Node& node : longest_latencies(latency, kMostLatencies)) {
                out.object([&] {
                    out.member("node", engine_.graph().find(node.node)->name());
                    out.member("latency_frames", node.own_frames);
                    out.member("output_latency_frames", node.output_frames);
                });
            }
        });
        out.member("latency_compensation", engine_.graph().latency_compensation());
        out.member("output_volume_db", engine_.output_volume_db());
        out.member("heard_revision", heard_revision_);
    });
    out.key("device").object([&] {
        out.member("sample_rate_hz", engine_.config().sample_rate_hz);
        out.member("channels_in", device_.inputs().count());
        out.member("channels_out", device_.outputs().count());
    });
    return {};
}

Expected<void> PageEngine::get_frequency_response(Command& command) {
    Fields& fields = command.fields;
    const std::string node = fields.text("node");
    const std::string from = fields.text("from");
    const std::string to = fields.text("to");
    const auto from_channel = fields.integer<std::uint32_t>("from_channel").value_or(0);
    const auto to_channel = fields.integer<std::uint32_t>("to_channel").value_or(0);
    std::vector<float> frequencies_hz = fields.numbers32("frequencies_hz");
    if (auto good = fields.check(); !good) return good;
    if (auto good = check_response(frequencies_hz.size(), {.node = !node.empty(),
                                                           .from = !from.empty(),
                                                           .to = !to.empty(),
                                                           .channel = from_channel != 0 || to_channel != 0});
        !good)
        return good;
    const double sample_rate_hz = engine_.config().sample_rate_hz;
    JsonWriter& out = command.result;
    const auto write_values = [&](std::string_view name, const auto& values, auto value_of) {
        out.key(name).array([&] {
            for (const auto& value : values) out.value(value_of(value));
        });
    };
    const auto write_output = [&](const std::string& port, const std::vector<std::complex<double>>& values) {
        out.member("port", port);
        write_values("magnitude_db", values, magnitude_db);
        write_values("phase_deg", values, phase_deg);
    };
    const auto write_head = [&] {
        out.member("sample_rate_hz", sample_rate_hz);
        write_values("frequencies_hz", frequencies_hz, [](float value) { return value; });
    };
    if (from.empty()) {
        if (frequencies_hz.empty()) frequencies_hz = audible_frequencies(sample_rate_hz, kAudibleCount);
        const auto responses =
            frequency_response(engine_.graph(), engine_.registry(), node, frequencies_hz, sample_rate_hz);
        if (!responses) return std::unexpected(responses.error());
        write_head();
        out.key("outputs").array([&] {
            for (const FrequencyResponse& response : *responses)
                out.object([&] { write_output(response.port, response.values); });
        });
        return {};
    }
    if (auto good = check_frequencies(frequencies_hz, sample_rate_hz); !good) return good;
    const auto continues = [] { return true; };
    const auto own_latencies = engine_.own_latencies();
    const auto path = SignalPath::find(
        engine_.graph(), *own_latencies,
        {.from = from, .to = to, .from_channel = std::max(from_channel, 1U), .to_channel = std::max(to_channel, 1U)},
        continues);
    if (!path) return std::unexpected(path.error());
    if (frequencies_hz.empty()) frequencies_hz = audible_frequencies(sample_rate_hz, frequency_count(path->cost()));
    const std::vector<double> all_hz{frequencies_hz.begin(), frequencies_hz.end()};
    const auto outputs = path->response(all_hz, sample_rate_hz, continues);
    if (!outputs) return std::unexpected(outputs.error());
    write_head();
    out.key("outputs").array([&] {
        for (const SignalPath::Output& output : *outputs) {
            out.object([&] {
                write_output(output.port, output.values);
                write_values("group_delay_ms", output.group_delays_s,
                             [](double delay_s) { return static_cast<float>(1e3 * delay_s); });
            });
        }
    });
    write_texts(out, "notes", path->notes());
    return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Transactions

Expected<void> PageEngine::check_guard(Command& command) {
    const JsonValue* const given = command.fields.member("guard");
    if (given == nullptr) return {};
    Fields fields{given, "the guard"};
    const std::string instance = fields.text("expected_instance");
    const std::string why = guard_violation({.instance = instance_,
                                             .revision = engine_.revision(),
                                             .change = change_number_,
                                             .latest_edit = latest_edit_,
                                             .author = kAuthor,
                                             .client_name = latest_client_},
                                            {.revision = fields.integer<std::uint64_t>("expected_revision"),
                                             .change = fields.integer<std::uint64_t>("expected_change"),
                                             .instance = instance});
    if (auto good = fields.check(); !good) return good;
    if (why.empty()) return {};
    command.reply.conflict = true;
    return fail(ErrorCode::aborted, why + "; nothing has changed; read the graph again");
}

Expected<PageEngine::Content> PageEngine::take_content(Fields& fields) const {
    Content content;
    if (const JsonValue* const list = fields.member("edits")) {
        Fields edit_list{list, "edits"};
        auto edits = read_edits(edit_list.array("edits"));
        if (edits) {
            if (auto good = edit_list.check(); !good) edits = std::unexpected(std::move(good.error()));
        }
        if (!edits) return std::unexpected(std::move(edits.error()));
        content.transaction.edits = std::move(*edits);
        return content;
    }
    content.whole_graph = true;
    if (const JsonValue* const graph = fields.member("graph")) {
        auto document = read_graph(*graph);
        if (!document) return std::unexpected(std::move(document.error()));
        content.transaction.edits.emplace_back(ReplaceGraph{std::move(*document)});
        return content;
    }
    const auto text = fields.optional_text("document");
    if (!text) return std::unexpected(empty_transaction());
    auto loaded = load_document(*text, engine_.registry(), engine_.config().sample_rate_hz);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    content.warnings = std::move(loaded->warnings);
    if (std::string comments = comment_warning(loaded->document); !comments.empty())
        content.warnings.push_back(std::move(comments));
    content.transaction.edits.emplace_back(ReplaceGraph{std::move(loaded->document)});
    return content;
}

Expected<PageEngine::Committed> PageEngine::commit(Command& command, Content content) {
    constexpr int kMostBuilds = 16;
    const std::vector<std::size_t> settings = counts_of_settings(content.transaction.edits);
    const auto refuse = [&](Error error) {
        return std::unexpected(content.whole_graph ? without_index(std::move(error)) : std::move(error));
    };
    if (auto good = command.fields.check(); !good) return std::unexpected(std::move(good.error()));
    // The errors of prepare() do not depend on the graph.
    auto prepared = engine_.prepare(std::move(content.transaction));
    if (!prepared) return refuse(std::move(prepared.error()));
    if (auto good = check_guard(command); !good) return std::unexpected(std::move(good.error()));
    AudioGraph before;
    auto ticket = engine_.commit(*prepared, &before);
    for (int build = 0; !ticket && ticket.error().code == ErrorCode::aborted && build < kMostBuilds; ++build) {
        if (auto built = engine_.build(*prepared); !built) return refuse(std::move(built.error()));
        ticket = engine_.commit(*prepared, &before);
    }
    if (!ticket) {
        const bool full = ticket.error().code == ErrorCode::resource_exhausted && !ticket.error().edit_index;
        command.reply.retry = full || engine_.refused_until_progress();
        return refuse(std::move(ticket.error()));
    }
    std::vector<Edit> edits = prepared->transaction().edits;
    report_draws(engine_.graph(), settings, edits);
    command.reply.serial = ticket->serial;
    return Committed{*ticket, std::move(*prepared), std::move(edits), std::move(before)};
}

/// Reports a transaction.
void PageEngine::report(const Committed& committed) {
    const AudioGraph& after = engine_.graph();
    std::vector<Edit> inverse;
    if (difference_size(committed.before, after) <= kMostCompared) inverse = difference(after, committed.before);
    announce_edit([&](JsonWriter& out) {
        out.key("graph_changed").object([&] {
            out.member("revision", committed.ticket.revision);
            write_edits(out, "edits", committed.edits);
            write_origin(out, origin_.client_name);
            write_edits(out, "inverse", inverse);
        });
    });
}

Expected<void> PageEngine::apply_transaction(Command& command) {
    auto content = take_content(command.fields);
    if (!content) return std::unexpected(std::move(content.error()));
    const std::vector<std::string> warnings = content->warnings;
    auto committed = commit(command, std::move(*content));
    if (!committed) return std::unexpected(std::move(committed.error()));
    std::vector<SetParameter> relative;
    for (const RelativeChange& change : committed->prepared.relative_changes()) {
        auto& edit = std::get<SetParameter>(committed->edits[change.edit_index]);
        edit = with_value(std::move(edit), change.value);
        relative.push_back(edit);
    }
    write_ticket(command.result, committed->ticket);
    write_texts(command.result, "warnings", warnings);
    write_relative(command.result, relative);
    history_.record(origin_, committed->ticket.revision, committed->before, engine_.graph(), {});
    report(*committed);
    return {};
}

Expected<void> PageEngine::check_graph(Command& command) {
    auto content = take_content(command.fields);
    if (!content) return std::unexpected(std::move(content.error()));
    if (auto good = check_guard(command); !good) return good;
    const auto refuse = [&](Error error) {
        return std::unexpected(content->whole_graph ? without_index(std::move(error)) : std::move(error));
    };
    const auto snapshot = engine_.snapshot();
    auto prepared = engine_.prepare(std::move(content->transaction), snapshot);
    if (!prepared) return refuse(std::move(prepared.error()));
    auto graph = Engine::result(*prepared);
    if (!graph) return refuse(std::move(graph.error()));
    JsonWriter& out = command.result;
    out.member("node_count", graph->node_count());
    out.member("connection_count", graph->connection_count());
    write_texts(out, "warnings", content->warnings);
    if (command.fields.flag("with_graph")) write_graph(out.key("graph"), graph->document());
    out.member("revision", engine_.revision());
    out.member("change_number", change_number_);
    if (command.fields.flag("with_diff")) write_edits(out, "diff", difference(snapshot->graph, *graph));
    return {};
}

Expected<void> PageEngine::set_parameters(Command& command) {
    const JsonValue::Array& list = command.fields.array("changes");
    if (auto fits = engine_.check_changes_count(list.size()); !fits) return fits;
    if (list.empty()) return std::unexpected(no_changes());
    auto changes = read_changes(list);
    if (!changes) return std::unexpected(std::move(changes.error()));
    if (auto good = command.fields.check(); !good) return good;
    if (auto good = check_guard(command); !good) return good;
    std::vector<float> results(changes->size());
    std::vector<float> previous(changes->size());
    const auto ticket = engine_.set_parameters(*changes, results, previous);
    if (!ticket) {
        command.reply.retry = ticket.error().code == ErrorCode::resource_exhausted;
        return std::unexpected(ticket.error());
    }
    command.reply.serial = ticket->serial;
    std::vector<SetParameter> relative;
    history_.record(origin_, ticket->revision, engine_.graph(), *changes, previous, results);
    for (std::size_t i = 0; i < changes->size(); ++i) {
        SetParameter& change = (*changes)[i];
        if (!change.is_relative()) continue;
        change = with_value(std::move(change), results[i]);
        relative.push_back(change);
    }
    write_relative(command.result, relative);
    announce_edit([&](JsonWriter& out) {
        out.key("parameters_changed").object([&] {
            out.member("revision", ticket->revision);
            out.key("changes").array([&] {
                for (const SetParameter& change : *changes) write_change(out, change);
            });
            write_origin(out, origin_.client_name);
            out.key("previous").array([&] {
                for (const float value : previous) out.value(value);
            });
        });
    });
    return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// History

void PageEngine::write_step(JsonWriter& out, const StepHistory::Step& step, bool with_edits) const {
    out.object([&] {
        out.member("number", step.number);
        out.member("revision", step.revision);
        write_origin(out, step.client_name);
        out.member("utc_us", static_cast<double>(step.utc_us));
        out.member("summary", step.summary());
        if (step.undone) {
            out.member("undone", true);
            out.member("undone_by", kAuthor);
        }
        if (!with_edits) return;
        write_edits(out, "edits", step.edits);
        write_edits(out, "inverse", step.inverse);
    });
}

Expected<void> PageEngine::undo_or_redo(Command& command, bool redo) {
    const auto steps = command.fields.integer<std::uint32_t>("steps").value_or(1);
    if (auto good = command.fields.check(); !good) return good;
    if (auto good = check_steps(steps); !good) return good;
    const std::string_view author = command.fields.flag("of_all") ? std::string_view{} : kAuthor;
    const auto target = history_.target(redo, steps, author);
    if (!target) return std::unexpected(target.error());
    Content content{.whole_graph = true};  // the client has not numbered the edits
    content.transaction.edits = difference(engine_.graph(), **target, Pairs::by_identity);
    content.transaction.restores = true;
    std::vector<std::string> fresh = fresh_nodes(content.transaction.edits, engine_.graph(), engine_.registry());
    auto committed = commit(command, std::move(content));
    if (!committed) return std::unexpected(std::move(committed.error()));
    JsonWriter& out = command.result;
    write_ticket(out, committed->ticket);
    const std::vector<const StepHistory::Step*> carried_out = history_.carried_out(redo, steps);
    out.key("steps").array([&] {
        for (const StepHistory::Step* const step : carried_out) write_step(out, *step, false);
    });
    fresh.resize(std::min(fresh.size(), kMostFreshNodes));
    const auto kept = committed->prepared.kept_nodes();
    std::erase_if(fresh, [&](const std::string& node) { return std::ranges::find(kept, node) != kept.end(); });
    write_texts(out, "fresh_nodes", fresh);
    report(*committed);
    return {};
}

Expected<void> PageEngine::undo(Command& command) { return undo_or_redo(command, false); }
Expected<void> PageEngine::redo(Command& command) { return undo_or_redo(command, true); }

Expected<void> PageEngine::get_history(Command& command) {
    constexpr std::uint32_t kDefaultSteps = 20;
    const auto wanted = command.fields.integer<std::uint32_t>("steps").value_or(kDefaultSteps);
    const auto before = command.fields.integer<std::uint64_t>("before");
    if (auto good = command.fields.check(); !good) return good;
    if (auto good = check_steps(wanted); !good) return good;
    const bool with_edits = command.fields.flag("with_edits");
    JsonWriter& out = command.result;
    out.key("steps").array([&] {
        std::uint32_t count = 0;
        const auto& steps = history_.steps();
        for (auto step = steps.rbegin(); step != steps.rend() && count < wanted; ++step) {
            if (before && step->number >= *before) continue;
            write_step(out, *step, with_edits);
            ++count;
        }
    });
    return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Scenes, which the host keeps as documents

/// Checks the name of a scene against the names of all. With `exists`, it must be one of them; with `new`, it must not. Also
/// the time of its recall.
Expected<void> PageEngine::check_scene(Command& command) {
    const std::string name = command.fields.text("name");
    const std::vector<std::string> names = command.fields.texts("names");
    const bool known = std::ranges::find(names, name) != names.end();
    const std::vector<std::string_view> all{names.begin(), names.end()};
    if (const auto fade_ms = command.fields.number32("fade_ms")) {
        if (auto good = check_fade(*fade_ms); !good) return good;
    }
    if (command.fields.flag("exists")) return known ? Expected<void>{} : std::unexpected(unknown_scene(name, all));
    if (auto good = check_scene_name(name); !good) return good;
    if (known && command.fields.flag("new")) return std::unexpected(scene_exists(name));
    return {};
}

/// Returns the document of the graph, or of some of its nodes.
Expected<void> PageEngine::scene_document(Command& command) {
    const auto document = rta::scene_document(engine_.graph(), command.fields.texts("nodes"));
    if (!document) return std::unexpected(document.error());
    command.result.member("document", write_document(*document));
    command.result.member("node_count", document->nodes.size());
    return {};
}

/// Returns the edits of a recall.
Expected<std::vector<Edit>> PageEngine::recall_plan(Fields& fields) {
    const auto loaded = load_document(fields.text("document"), engine_.registry(), engine_.config().sample_rate_hz);
    if (!loaded) return std::unexpected(loaded.error());
    const auto scene =
        graph_of(loaded->document, engine_.registry(), engine_.config().sample_rate_hz, engine_.config().block_size);
    if (!scene) return std::unexpected(scene.error());
    const auto snapshot = engine_.snapshot();
    const auto result = recalled(snapshot->graph, snapshot->next_id, *scene, fields.flag("partial"));
    if (!result) return std::unexpected(result.error());
    return recall_edits(snapshot->graph, *result, snapshot->next_id, fields.number32("fade_ms"));
}

/// Returns the graph of a scene, and what its recall would change.
Expected<void> PageEngine::read_scene(Command& command) {
    JsonWriter& out = command.result;
    if (command.fields.flag("with_graph")) {
        const auto loaded =
            load_document(command.fields.text("document"), engine_.registry(), engine_.config().sample_rate_hz);
        if (!loaded) return std::unexpected(loaded.error());
        write_graph(out.key("graph"), loaded->document);
    }
    if (!command.fields.flag("with_diff")) return {};
    auto edits = recall_plan(command.fields);
    if (!edits) return std::unexpected(std::move(edits.error()));
    Transaction transaction{.edits = *edits};
    transaction.restores = true;
    auto prepared = engine_.prepare(std::move(transaction), engine_.snapshot());
    if (!prepared) return std::unexpected(without_index(std::move(prepared.error())));
    if (auto graph = Engine::result(*prepared); !graph) return std::unexpected(without_index(std::move(graph.error())));
    write_edits(out, "diff", prepared->transaction().edits);
    out.member("revision", engine_.revision());
    return {};
}

Expected<void> PageEngine::recall_scene(Command& command) {
    const auto fade_ms = command.fields.number32("fade_ms");
    if (fade_ms) {
        if (auto good = check_fade(*fade_ms); !good) return good;
    }
    const std::string name = command.fields.text("name");
    if (auto good = check_scene_name(name); !good) return good;
    auto edits = recall_plan(command.fields);
    if (!edits) return std::unexpected(std::move(edits.error()));
    Content content{.whole_graph = true};  // the client has not numbered the edits
    content.transaction.edits = std::move(*edits);
    content.transaction.restores = true;
    content.transaction.gain_ramp_ms = fade_ms.value_or(0.0F);
    auto committed = commit(command, std::move(content));
    if (!committed) return std::unexpected(std::move(committed.error()));
    write_ticket(command.result, committed->ticket);
    history_.record(origin_, committed->ticket.revision, committed->before, engine_.graph(), "recall " + name);
    report(*committed);
    return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// The output, and measurements

Expected<void> PageEngine::mute(bool muted, Command& command) {
    const bool changes = engine_.output_muted() != muted;
    const auto ticket = engine_.mute_output(muted);
    if (!ticket) {
        command.reply.retry = ticket.error().code == ErrorCode::resource_exhausted;
        return std::unexpected(ticket.error());
    }
    command.reply.serial = ticket->serial;
    if (!changes) return {};
    announce([&](JsonWriter& out) {
        out.key("output_muted").object([&] {
            out.member("muted", muted);
            write_origin(out, origin_.client_name);
        });
    });
    return {};
}

Expected<void> PageEngine::mute_output(Command& command) {
    const bool muted = command.fields.flag("muted");
    if (auto good = command.fields.check(); !good) return good;
    return mute(muted, command);
}

/// The events `panicked` or `panic_failed` end it.
Expected<void> PageEngine::panic(Command& command) {
    if (panic_) {
        command.reply.retry = true;
        return fail(ErrorCode::resource_exhausted, "an earlier panic has not finished");
    }
    if (auto muted = mute(true, command); !muted) return muted;
    command.reply.serial.reset();
    panic_.emplace(Panic{engine_.start_reset(), origin_.client_name});
    return {};
}

Expected<void> PageEngine::set_volume(Command& command) {
    const auto volume_db = command.fields.number32("volume_db");
    const auto add_db = command.fields.number32("add_db");
    if (auto good = command.fields.check(); !good) return good;
    if (!volume_db && !add_db) return std::unexpected(no_volume_change());
    const float before = engine_.output_volume_db();
    const auto wanted = add_db ? volume_after(before, *add_db) : Expected<float>{*volume_db};
    if (!wanted) return std::unexpected(wanted.error());
    const auto ticket = engine_.set_output_volume(*wanted);
    if (!ticket) {
        command.reply.retry = ticket.error().code == ErrorCode::resource_exhausted;
        return std::unexpected(ticket.error());
    }
    command.reply.serial = ticket->serial;
    command.result.member("volume_db", *wanted);
    if (engine_.output_volume_db() == before) return {};
    announce([&](JsonWriter& out) {
        out.key("output_volume_changed").object([&] {
            out.member("volume_db", engine_.output_volume_db());
            write_origin(out, origin_.client_name);
        });
    });
    return {};
}

Expected<void> PageEngine::reset_meters(Command& command) {
    const std::vector<std::string> nodes = command.fields.texts("nodes");
    if (auto good = command.fields.check(); !good) return good;
    if (auto good = check_distinct(nodes); !good) return good;
    const auto frame = engine_.restart_loudness(nodes);
    if (!frame) return std::unexpected(frame.error());
    command.result.member("frame", *frame);
    return {};
}

Expected<void> PageEngine::watch(Command& command) {
    Telemetry::Wish wish{.levels_hz = command.fields.number("levels_hz").value_or(0.0),
                         .ports_hz = command.fields.number("ports_hz").value_or(10.0)};
    for (const double rate_hz : {wish.levels_hz == 0.0 ? 1.0 : wish.levels_hz, wish.ports_hz}) {
        if (!(rate_hz >= 1.0 && rate_hz <= 100.0))
            return fail(ErrorCode::invalid_argument, "invalid rate of telemetry: expected 1 to 100 Hz");
    }
    for (const JsonValue& value : command.fields.array("watches")) {
        Fields fields{&value, "a watch"};
        Telemetry::Watch one{fields.text("port"), fields.flag("spectrum")};
        if (auto good = fields.check(); !good) return good;
        const auto known = std::ranges::find(wish.watches, one.port, &Telemetry::Watch::port);
        if (known == wish.watches.end()) {
            // One too many is refused below.
            if (wish.watches.size() > Telemetry::kMaximumWatches) break;
            wish.watches.push_back(std::move(one));
        } else {
            known->spectrum |= one.spectrum;
        }
    }
    if (auto good = command.fields.check(); !good) return good;
    return telemetry_.watch(std::move(wish));
}

/// Gives a change that the host has made the next number, and reports it: `event` is the JSON of its members.
Expected<void> PageEngine::publish(Command& command) {
    const std::string event = command.fields.text("event");
    const auto read = read_json(event);
    if (!read || !std::holds_alternative<JsonValue::Object>(read->value) ||
        std::get<JsonValue::Object>(read->value).empty())
        return fail(ErrorCode::invalid_argument, "the event is not an object with members");
    std::string numbered = "{\"number\":" + std::to_string(++change_number_) + "," + event.substr(event.find('{') + 1);
    add_event(std::move(numbered));
    return {};
}

}  // namespace rta::wasm
