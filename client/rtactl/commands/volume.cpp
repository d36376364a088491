// SPDX-License-Identifier: MIT
#include <ostream>

#include "rtactl/context/context.h"
#include "rtactl/language/assignment.h"
#include "text/quantity.h"

namespace rta::rtactl::commands {

namespace {

Result<void> show_volume(Context& context) {
    v1::Request request;
    request.mutable_get_status();
    const auto response = context.query(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (context.json()) return {};
    const v1::EngineState& engine = response->get_status().engine();
    context.out() << "volume " << format_value(engine.output_volume_db(), "dB")
                  << (engine.output_muted() ? ", and the device output is muted; `rtactl unmute` unmutes it\n" : "\n");
    return {};
}

/// Reads DB, +=DB or -=DB.
Result<v1::SetVolume> parse_volume(std::string_view word) {
    v1::SetVolume change;
    std::string_view number = word;
    Operator op = Operator::set;
    if (const std::size_t equals = word.find('='); equals != std::string_view::npos) {
        std::string_view before = word.substr(0, equals);
        op = take_operator(before);
        if (!before.empty() || op == Operator::set)
            return usage_error("invalid volume \"" + std::string{word} + "\": expected DB, +=DB or -=DB");
        number = word.substr(equals + 1);
    }
    const auto value = parse_value(number, ValueUnit::decibel);
    if (!value) return usage_error("volume: " + value.error());
    const auto volume_db = static_cast<float>(*value);
    if (op == Operator::set) {
        change.set_volume_db(volume_db);
    } else {
        change.set_add_db(op == Operator::add ? volume_db : -volume_db);
    }
    return change;
}

Result<void> run_volume(Context& context, const Arguments& arguments) {
    if (arguments.words.empty()) return show_volume(context);
    const auto change = parse_volume(arguments.words[0]);
    if (!change) return std::unexpected(change.error());
    v1::Request request;
    *request.mutable_set_volume() = *change;
    const auto response = context.change(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (context.json()) return {};
    context.out() << "volume " << format_value(response->set_volume().volume_db(), "dB");
    if (response->set_volume().has_frame()) context.out() << " from frame " << response->set_volume().frame();
    context.out() << '\n';
    if (const std::string& word = arguments.words[0]; word.starts_with('+') && change->has_volume_db())
        context.out() << "(to raise it by " << word.substr(1) << ", write +=" << word.substr(1) << ")\n";
    return {};
}

}  // namespace

extern constinit const Command kVolume = checked({
    .position = 315,
    .name = "volume",
    .arguments = {Argument{"DB", Expects::volume, 0}},
    .help = "Set the volume of the device output, or show it.",
    .details =
        "The volume is -120 (silence) to 12 dB and changes with a ramp of 20 ms. It is not part of the graph; with\n"
        "--state-dir, rtad starts with it again. += and -= change it relative to its current value. mute, unmute and\n"
        "panic keep it.",
    .example = "rtactl volume -12dB\n"
               "rtactl volume +=3dB\n"
               "rtactl volume",
    .run = run_volume,
});

}  // namespace rta::rtactl::commands
