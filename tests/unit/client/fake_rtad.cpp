// SPDX-License-Identifier: MIT
#include "fake_rtad.h"
#include "rtactl/commands/commands.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>
#include <utility>

namespace rta::test {

namespace {

void add_parameter(v1::NodeType& type, const char* name, const char* unit, float minimum, float maximum, float standard,
                   const char* law) {
    v1::ParameterInfo& parameter = *type.add_parameters();
    parameter.set_name(name);
    parameter.set_unit(unit);
    parameter.set_minimum(minimum);
    parameter.set_maximum(maximum);
    parameter.set_default_(standard);
    parameter.set_ramp_law(law);
    parameter.set_help(std::string{"Help of "} + name + ".");
}

v1::NodeType make_type(const char* name, const char* help) {
    v1::NodeType type;
    type.set_name(name);
    type.set_help(help);
    v1::SettingInfo& channels = *type.add_settings();
    channels.set_name("channels");
    channels.set_kind("integer");
    channels.set_help("Width of every port.");
    channels.set_minimum(1);
    channels.set_maximum(64);
    channels.mutable_default_()->set_number_value(1);
    return type;
}

v1::Node make_node(const char* name, const char* type,
                   std::initializer_list<std::pair<const char*, float>> parameters) {
    v1::Node node;
    node.set_name(name);
    node.set_type(type);
    for (const auto& [parameter, value] : parameters) (*node.mutable_parameters())[parameter] = value;
    return node;
}

bool is_relative(const v1::SetParameter& change) {
    return change.relative_case() != v1::SetParameter::RELATIVE_NOT_SET;
}

/// The change as the daemon reports it. Every parameter is -3, or off.
v1::SetParameter applied(v1::SetParameter change) {
    const float value = change.has_toggle() ? 1.0F : -3.0F + change.add();
    change.clear_relative();
    change.set_value(value);
    return change;
}

v1::PendingEdit fake_pending() {
    v1::PendingEdit edit;
    edit.set_id(3);
    edit.set_frame(480'000);
    edit.set_utc_us(1'796'156'100'000'000);
    edit.set_author("desk");
    edit.set_client_name("cues");
    edit.set_summary("set vol.gain_db");
    return edit;
}

v1::SceneInfo fake_scene(const std::string& name) {
    v1::SceneInfo scene;
    scene.set_name(name);
    scene.set_node_count(3);
    scene.set_prepared(name == "day");
    scene.set_author("desk");
    scene.set_utc_us(1'796'156'100'000'000);
    return scene;
}

v1::TokenState fake_token(const std::string& name) {
    v1::TokenState token;
    token.set_name(name);
    token.set_role("control");
    token.set_created_s(1'796'012'884);
    token.set_expires_s(1'796'099'284);
    token.set_expired(true);
    token.set_client_count(2);
    return token;
}

v1::CreateCodeResult fake_code(const std::string& role) {
    v1::CreateCodeResult code;
    code.set_code(std::string(20, 'C'));
    code.set_role(role);
    code.set_lifetime_s(120);
    return code;
}

v1::HistoryStep fake_step(std::uint64_t number, bool undone) {
    v1::HistoryStep step;
    step.set_number(number);
    step.set_author("desk");
    step.set_client_name("rtactl");
    step.set_utc_us(1'700'000'000'000'000);
    step.set_summary("add gain_" + std::to_string(number));
    step.set_undone(undone);
    if (undone) step.set_undone_by("stage");
    return step;
}

v1::UndoResult fake_undo(std::uint32_t steps, bool undone) {
    v1::UndoResult result;
    result.set_revision(9);
    result.set_frame(640);
    for (std::uint32_t i = 0; i < steps; ++i) *result.add_steps() = fake_step(steps - i, undone);
    if (undone) result.add_fresh_nodes("echo");
    return result;
}

bool changes(const v1::Request& request) {
    return request.has_apply_transaction() || request.has_set_parameters() || request.has_check_graph() ||
           request.has_set_volume() || request.has_undo() || request.has_redo() || request.has_create_token() ||
           request.has_revoke_token() || request.has_cancel_pending() || request.has_save_scene() ||
           request.has_recall_scene() || request.has_rename_scene() || request.has_remove_scene() ||
           request.has_confirm() || request.has_revert() || request.has_create_code();
}

}  // namespace

v1::OpenConfirmation fake_confirmation() {
    v1::OpenConfirmation edit;
    edit.set_id(5);
    edit.set_revision(8);
    edit.set_author("desk");
    edit.set_client_name("rtactl");
    edit.set_left_s(29.5);
    edit.set_summary("add gain_1");
    return edit;
}

v1::NodeTypesResult fake_types() {
    v1::NodeTypesResult result;
    v1::NodeType gain = make_type("gain", "Changes the level.");
    gain.add_inputs()->set_name("in");
    gain.add_outputs()->set_name("out");
    add_parameter(gain, "gain_db", "dB", -120, 24, 0, "amplitude");
    add_parameter(gain, "mute", "on/off", 0, 1, 0, "on_off");
    add_parameter(gain, "bypass", "on/off", 0, 1, 0, "on_off");
    v1::NodeType output = make_type("output", "Plays to the device.");
    output.add_inputs()->set_name("in");
    add_parameter(output, "gain_db", "dB", -120, 24, 0, "amplitude");
    v1::NodeType sine = make_type("sine", "A sine wave.");
    sine.add_outputs()->set_name("out");
    add_parameter(sine, "frequency_hz", "Hz", 0.01F, 20'000, 1000, "logarithmic");
    add_parameter(sine, "gain_db", "dB", -120, 24, -20, "amplitude");
    for (const v1::NodeType& type : {gain, output, sine}) *result.add_types() = type;
    return result;
}

v1::Graph fake_graph() {
    v1::Graph graph;
    *graph.add_nodes() = make_node("osc", "sine", {{"frequency_hz", 440.0F}, {"gain_db", -20.0F}});
    *graph.add_nodes() = make_node("vol", "gain", {{"gain_db", -12.5F}, {"mute", 1.0F}});
    *graph.add_nodes() = make_node("out", "output", {{"gain_db", 0.0F}});
    (*graph.mutable_nodes(2)->mutable_settings()->mutable_fields())["channels"].set_number_value(2);
    graph.add_connections()->set_from("osc");
    graph.mutable_connections(0)->set_to("vol");
    graph.add_connections()->set_from("vol");
    graph.mutable_connections(1)->set_to("out");
    return graph;
}

v1::Event fake_node_loads() {
    v1::Event event;
    event.set_telemetry_number(1);
    v1::NodeLoads& loads = *event.mutable_node_loads();
    loads.set_frame(96'000);
    loads.set_node_count(3);
    v1::NodeLoad& vol = *loads.add_nodes();
    vol.set_node("vol");
    vol.set_type("gain");
    vol.set_share(0.0123F);
    vol.set_average(0.01F);
    v1::NodeLoad& osc = *loads.add_nodes();
    osc.set_node("osc");
    osc.set_type("sine");
    osc.set_share(0.00004F);
    osc.set_average(0.00005F);
    return event;
}

v1::StatusResult fake_status() {
    v1::StatusResult status;
    status.set_server_version("9.9.9");
    status.set_instance_id("0123abcd");
    status.set_uptime_s(3'725.4);
    status.set_client_count(1);
    v1::DeviceState& device = *status.mutable_device();
    device.set_kind("null");
    device.set_name("tone.wav");
    device.set_running(true);
    device.set_fallback_reason("PortAudio has no device");
    device.set_sample_rate_hz(48'000);
    device.set_channels_out(2);
    device.set_callback_frames(64);
    device.set_adapter_frames(0);
    device.set_output_latency_s(0.001333);
    device.set_late_blocks(3);
    device.mutable_xrun_counts()->set_late_callbacks(2);
    device.mutable_xrun_counts()->set_overruns(1);
    v1::RealtimeState& realtime = *status.mutable_realtime();
    realtime.set_memory_locked(true);
    realtime.set_scheduling("SCHED_OTHER");
    realtime.set_scheduling_detail("RLIMIT_RTPRIO is 0");
    v1::EngineState& engine = *status.mutable_engine();
    engine.set_block_size_frames(64);
    engine.set_frame(96'000);
    engine.set_revision(7);
    engine.set_change_number(11);
    engine.set_node_count(3);
    engine.set_connection_count(2);
    engine.set_plans_made(5);
    engine.set_plans_freed(4);
    engine.set_plans_alive(1);
    engine.set_output_muted(true);
    v1::ClientState& client = *status.add_clients();
    client.set_name("console");
    client.set_address("192.0.2.1:50000");
    client.set_connected_s(61);
    client.set_telemetry_dropped(9);
    v1::StoreState& store = *status.mutable_store();
    store.set_directory("/var/lib/rtad");
    store.set_saved_revision(6);
    v1::Load& load = *status.mutable_load();
    load.set_frame(96'000);
    load.set_callback_count(750);
    load.set_mean(0.02F);
    load.set_p99(0.051F);
    load.set_worst(0.5F);
    engine.set_simd_target("avx2");
    engine.set_latency_frames(318);
    engine.set_latency_compensation(true);
    v1::NodeLatency& latency = *engine.add_node_latencies();
    latency.set_node("lim");
    latency.set_latency_frames(279);
    latency.set_output_latency_frames(318);
    return status;
}

v1::FrequencyResponseResult fake_response() {
    v1::FrequencyResponseResult response;
    response.set_sample_rate_hz(48'000);
    v1::PortResponse& output = *response.add_outputs();
    output.set_port("out");
    for (int i = 0; i <= 300; ++i) {
        const double ratio = 0.02 * std::pow(1'000.0, i / 300.0);  // relative to the corner frequency, 1 kHz
        response.add_frequencies_hz(static_cast<float>(1'000.0 * ratio));
        output.add_magnitude_db(static_cast<float>(-10.0 * std::log10(1.0 + ratio * ratio)));
        output.add_phase_deg(static_cast<float>(-std::atan(ratio) * 180.0 / std::numbers::pi));
    }
    return response;
}

FakeRtad::FakeRtad(Override override)
    : override_{std::move(override)}, daemon_{[this](const v1::Request& request) { return answer(request); }} {}

Reply FakeRtad::answer(const v1::Request& request) {
    if (override_) {
        if (auto reply = override_(request)) return std::move(*reply);
    }
    v1::Response response = ok(request);
    switch (request.request_case()) {
        case v1::Request::kGetStatus:
            *response.mutable_get_status() = fake_status();
            break;
        case v1::Request::kListDevices: {
            v1::Device& device = *response.mutable_list_devices()->add_devices();
            device.set_name("ALSA/default");
            device.set_flag("portaudio:ALSA/default");
            device.set_channels_out(2);
            device.set_default_sample_rate_hz(44'100);
            device.set_default_output(true);
            break;
        }
        case v1::Request::kSetDevice:
            response.mutable_set_device()->mutable_device()->set_kind("jack");
            response.mutable_set_device()->mutable_device()->set_name("JACK/default");
            response.mutable_set_device()->mutable_device()->set_running(true);
            break;
        case v1::Request::kListNodeTypes: {
            v1::NodeTypesResult& result = *response.mutable_list_node_types();
            result = fake_types();
            if (request.list_node_types().type().empty()) break;
            v1::NodeTypesResult one;
            for (const v1::NodeType& type : result.types()) {
                if (type.name() == request.list_node_types().type()) *one.add_types() = type;
            }
            if (one.types_size() == 0) return {.bytes = frame(refusal(request, v1::NOT_FOUND, "unknown node type"))};
            result = one;
            break;
        }
        case v1::Request::kGetGraph:
            *response.mutable_get_graph()->mutable_graph() = fake_graph();
            response.mutable_get_graph()->set_document("{ \"nodes\": [] }\n");
            response.mutable_get_graph()->set_revision(revision_);
            break;
        case v1::Request::kApplyTransaction:
            if (request.apply_transaction().has_at()) {
                *response.mutable_apply_transaction()->mutable_pending() = fake_pending();
                break;
            }
            for (const v1::Edit& edit : request.apply_transaction().edits().edits()) {
                if (is_relative(edit.set_parameter()))
                    *response.mutable_apply_transaction()->add_relative_changes() = applied(edit.set_parameter());
            }
            response.mutable_apply_transaction()->set_revision(++revision_);
            response.mutable_apply_transaction()->set_frame(4'096);
            if (request.apply_transaction().has_confirm_within_s())
                *response.mutable_apply_transaction()->mutable_confirmation() = fake_confirmation();
            break;
        case v1::Request::kSetParameters:
            if (request.set_parameters().has_at()) {
                *response.mutable_set_parameters()->mutable_pending() = fake_pending();
                break;
            }
            response.mutable_set_parameters()->set_frame(4'096);
            for (const v1::SetParameter& change : request.set_parameters().changes()) {
                if (is_relative(change)) *response.mutable_set_parameters()->add_relative_changes() = applied(change);
            }
            break;
        case v1::Request::kCheckGraph:
            response.mutable_check_graph()->set_node_count(1);
            response.mutable_check_graph()->set_connection_count(0);
            response.mutable_check_graph()->set_revision(revision_);
            if (request.check_graph().with_graph()) *response.mutable_check_graph()->mutable_graph() = fake_graph();
            // As if every edit changed the graph.
            if (request.check_graph().with_diff())
                *response.mutable_check_graph()->mutable_diff() = request.check_graph().edits().edits();
            break;
        case v1::Request::kSubscribe:
            response.mutable_subscribe()->set_change_number(11);
            if (request.subscribe().topics_size() == 1 && request.subscribe().topics(0) == v1::TOPIC_NODE_LOADS) {
                return {.bytes = frame(response) + frame(fake_node_loads())};
            }
            break;
        case v1::Request::kMuteOutput:
            response.mutable_mute_output()->set_frame(4'096);
            break;
        case v1::Request::kPanic:
            response.mutable_panic()->set_frame(4'096);
            break;
        case v1::Request::kResetMeters:
            response.mutable_reset_meters()->set_frame(4'096);
            break;
        case v1::Request::kGetFrequencyResponse:
            *response.mutable_get_frequency_response() = fake_response();
            break;
        case v1::Request::kSetVolume:
            response.mutable_set_volume()->set_frame(4'096);
            response.mutable_set_volume()->set_volume_db(request.set_volume().has_add_db()
                                                             ? -12.0F + request.set_volume().add_db()
                                                             : request.set_volume().volume_db());
            break;
        case v1::Request::kUndo:
            if (request.undo().steps() == 1'000)
                return {.bytes =
                            frame(refusal(request, v1::NOT_FOUND, "there are only 2 steps of desk to undo, not 1000"))};
            if (request.undo().steps() == 3 && !request.undo().force()) {
                return {.bytes = frame(refusal(request, v1::FAILED_PRECONDITION,
                                               "step 1 cannot be undone: step 2 of stage has changed the same nodes or "
                                               "connections; expected that step to be undone first, or together with "
                                               "it"))};
            }
            *response.mutable_undo() = fake_undo(request.undo().steps(), true);
            if (request.undo().has_confirm_within_s())
                *response.mutable_undo()->mutable_confirmation() = fake_confirmation();
            break;
        case v1::Request::kRedo:
            *response.mutable_redo() = fake_undo(request.redo().steps(), false);
            if (request.redo().has_confirm_within_s())
                *response.mutable_redo()->mutable_confirmation() = fake_confirmation();
            break;
        case v1::Request::kGetHistory:
            for (std::uint32_t number = request.get_history().steps(); number > 0; --number)
                *response.mutable_get_history()->add_steps() = fake_step(number, number == 2);
            break;
        case v1::Request::kCreateToken:
            response.mutable_create_token()->set_token("rtad_" + std::string(43, 'A'));
            *response.mutable_create_token()->mutable_state() = fake_token(request.create_token().name());
            break;
        case v1::Request::kListTokens:
            *response.mutable_list_tokens()->add_tokens() = fake_token("desk");
            break;
        case v1::Request::kRevokeToken:
            response.mutable_revoke_token()->set_disconnected_count(1);
            break;
        case v1::Request::kCreateCode:
            *response.mutable_create_code() = fake_code(request.create_code().role());
            break;
        case v1::Request::kListPending:
            *response.mutable_list_pending()->add_edits() = fake_pending();
            break;
        case v1::Request::kCancelPending:
            *response.mutable_cancel_pending()->mutable_edit() = fake_pending();
            break;
        case v1::Request::kConfirm:
            *response.mutable_confirm()->mutable_confirmation() = fake_confirmation();
            break;
        case v1::Request::kRevert:
            *response.mutable_revert() = fake_undo(1, true);
            break;
        case v1::Request::kSaveScene:
            *response.mutable_save_scene()->mutable_scene() = fake_scene(request.save_scene().name());
            response.mutable_save_scene()->mutable_scene()->set_partial(!request.save_scene().nodes().empty());
            break;
        case v1::Request::kRecallScene:
            if (request.recall_scene().has_at()) {
                *response.mutable_recall_scene()->mutable_transaction()->mutable_pending() = fake_pending();
                break;
            }
            response.mutable_recall_scene()->mutable_transaction()->set_revision(++revision_);
            response.mutable_recall_scene()->mutable_transaction()->set_frame(4'096);
            response.mutable_recall_scene()->set_was_prepared(request.recall_scene().name() == "day");
            if (!response.recall_scene().was_prepared()) response.mutable_recall_scene()->set_prepare_ms(12.5F);
            break;
        case v1::Request::kListScenes:
            *response.mutable_list_scenes()->add_scenes() = fake_scene("day");
            *response.mutable_list_scenes()->add_scenes() = fake_scene("night");
            break;
        case v1::Request::kRenameScene:
            *response.mutable_rename_scene()->mutable_scene() = fake_scene(request.rename_scene().new_name());
            break;
        case v1::Request::kRemoveScene:
            *response.mutable_remove_scene()->mutable_scene() = fake_scene(request.remove_scene().name());
            break;
        case v1::Request::kGetScene:
            *response.mutable_get_scene()->mutable_scene() = fake_scene(request.get_scene().name());
            response.mutable_get_scene()->set_revision(revision_);
            if (request.get_scene().with_diff() && request.get_scene().name() == "night")
                response.mutable_get_scene()->add_diff()->mutable_remove_node()->set_name("osc");
            break;
        case v1::Request::kHello:
        case v1::Request::kGetTime:
        case v1::Request::REQUEST_NOT_SET:
            return {.bytes = frame(refusal(request, v1::UNIMPLEMENTED, "what is this?"))};
    }
    return {.bytes = frame(response)};
}

Outcome FakeRtad::run(std::vector<std::string> words, const std::string& input, bool interactive, int terminal) const {
    words.insert(words.begin(), {"--host", to_string(daemon_.endpoint()), "--timeout", "60"});
    return run_rtactl(std::move(words), input, interactive, terminal);
}

v1::Request FakeRtad::last_change() const {
    const std::vector<v1::Request> requests = daemon_.requests();
    const auto last = std::find_if(requests.rbegin(), requests.rend(), changes);
    return last == requests.rend() ? v1::Request{} : *last;
}

std::size_t FakeRtad::change_count() const {
    const std::vector<v1::Request> requests = daemon_.requests();
    return static_cast<std::size_t>(std::ranges::count_if(requests, changes));
}

Outcome run_rtactl(std::vector<std::string> words, const std::string& input, bool interactive, int terminal) {
    std::istringstream in{input};
    std::ostringstream out;
    std::ostringstream err;
    const rtactl::Exit exit =
        rtactl::run_program(rtactl::all_commands(), words,
                            {.in = in, .out = out, .err = err, .interactive = interactive, .terminal = terminal});
    return {exit, out.str(), err.str()};
}

}  // namespace rta::test
