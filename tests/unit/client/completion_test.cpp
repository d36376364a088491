// SPDX-License-Identifier: MIT
#include "rtactl/terminal/completion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "fake_rtad.h"
#include "rtactl/commands/commands.h"
#include "rtactl/context/daemon_completion.h"
#include "rtactl/terminal/line_completion.h"
#include "support/temporary.h"

namespace rta::test {
namespace {

using rtactl::all_commands;
using rtactl::Candidate;
using rtactl::Completion;
using rtactl::LineCompletion;
using rtactl::Place;

void repeat(v1::ParameterInfo& parameter, const char* setting) { parameter.add_repeated_by()->set_setting(setting); }

v1::NodeType& add_type(v1::NodeTypesResult& types, const char* name) {
    v1::NodeType& type = *types.add_types();
    type.set_name(name);
    type.set_help(std::string{"Help of "} + name + ".");
    return type;
}

v1::ParameterInfo& add_parameter(v1::NodeType& type, const char* name, const char* unit) {
    v1::ParameterInfo& parameter = *type.add_parameters();
    parameter.set_name(name);
    parameter.set_unit(unit);
    parameter.set_minimum(0);
    parameter.set_maximum(1'000);
    parameter.set_default_(10);
    parameter.set_help(std::string{"Help of "} + name + ".");
    return parameter;
}

v1::SettingInfo& add_setting(v1::NodeType& type, const char* name, const char* kind) {
    v1::SettingInfo& setting = *type.add_settings();
    setting.set_name(name);
    setting.set_kind(kind);
    return setting;
}

/// A mixer (inputs), a matrix (inputs and outputs), a filter (choices), a meter, and a delay (a setting that lowers a
/// maximum).
v1::NodeTypesResult more_types() {
    v1::NodeTypesResult types = fake_types();
    v1::NodeType& mixer = add_type(types, "mixer");
    add_setting(mixer, "inputs", "integer").mutable_default_()->set_number_value(2);
    repeat(add_parameter(mixer, "gain_#_db", "dB"), "inputs");
    v1::PortInfo& inputs = *mixer.add_inputs();
    inputs.set_name("in_#");
    inputs.mutable_repeated_by()->set_setting("inputs");
    mixer.add_outputs()->set_name("out");
    v1::NodeType& matrix = add_type(types, "matrix");
    add_setting(matrix, "inputs", "integer").mutable_default_()->set_number_value(1);
    add_setting(matrix, "outputs", "integer").mutable_default_()->set_number_value(2);
    v1::ParameterInfo& cell = add_parameter(matrix, "gain_#_#_db", "dB");
    repeat(cell, "inputs");
    repeat(cell, "outputs");
    v1::NodeType& filter = add_type(types, "filter");
    v1::SettingInfo& kind = add_setting(filter, "kind", "choice");
    for (const char* choice : {"lowpass", "low_shelf", "notch"}) kind.add_choices(choice);
    kind.mutable_default_()->set_string_value("lowpass");
    add_setting(filter, "steep", "on_off").mutable_default_()->set_bool_value(false);
    add_parameter(filter, "frequency_hz", "Hz");
    add_parameter(filter, "bypass", "on/off");
    v1::NodeType& bank = add_type(types, "bank");
    add_setting(bank, "bands", "integer").mutable_default_()->set_number_value(2);
    v1::SettingInfo& each = add_setting(bank, "kind_#", "choice");
    for (const char* choice : {"peaking", "notch"}) each.add_choices(choice);
    each.mutable_default_()->set_string_value("peaking");
    each.mutable_repeated_by()->set_setting("bands");
    v1::NodeType& delay = add_type(types, "delay");
    add_setting(delay, "max_time_ms", "number").mutable_default_()->set_number_value(500);
    add_parameter(delay, "time_ms", "ms").set_maximum_setting("max_time_ms");
    add_type(types, "meter").add_inputs()->set_name("in");
    types.mutable_types(types.types_size() - 1)->set_reports("levels");
    return types;
}

v1::Graph more_graph() {
    v1::Graph graph = fake_graph();
    v1::Node& mix = *graph.add_nodes();
    mix.set_name("mix");
    mix.set_type("mixer");
    (*mix.mutable_settings()->mutable_fields())["inputs"].set_number_value(3);
    v1::Node& vu = *graph.add_nodes();
    vu.set_name("vu");
    vu.set_type("meter");
    v1::Node& low = *graph.add_nodes();
    low.set_name("low");
    low.set_type("filter");
    v1::Connection& second = *graph.add_connections();
    second.set_from("osc");
    second.set_to("mix:in_2");
    return graph;
}

class FixedSource final : public rtactl::CompletionSource {
 public:
    const v1::NodeTypesResult* types() override {
        asked = true;
        return reachable ? &types_ : nullptr;
    }
    const GraphMirror* graph() override {
        asked = true;
        return reachable ? &graph_ : nullptr;
    }
    std::vector<std::string> scenes() override {
        asked = true;
        return reachable ? std::vector<std::string>{"day", "night"} : std::vector<std::string>{};
    }
    bool reachable = true;
    bool asked = false;

 private:
    v1::NodeTypesResult types_ = more_types();
    GraphMirror graph_{more_graph(), types_};
};

using Texts = std::vector<std::string>;

/// Returns the completions of the last word; a final completion ends with a blank.
Texts offered(const std::vector<std::string>& words, Place place = Place::shell) {
    FixedSource source;
    Texts texts;
    for (const Candidate& candidate : complete(all_commands(), words, place, source).candidates)
        texts.push_back(candidate.text + (candidate.final ? " " : ""));
    return texts;
}

TEST(Completion, OffersScenes) {
    for (const char* const command : {"recall", "rename", "remove", "diff", "save"})
        EXPECT_EQ(offered({"scene", command, ""}), (Texts{"day ", "night "})) << command;
    EXPECT_EQ(offered({"scene", "recall", "n"}), Texts{"night "});
    EXPECT_EQ(offered({"scene", "rename", "day", ""}), Texts{}) << "a new name";
}

TEST(Completion, OffersTheCommandsOfThePlace) {
    EXPECT_EQ(offered({"re"}), (Texts{"remove ", "rename ", "response ", "redo "}));
    EXPECT_EQ(offered({"gr"}), Texts{"graph "});
    EXPECT_EQ(offered({"graph", "s"}), (Texts{"show ", "save "}));
    EXPECT_EQ(offered({"comm"}), Texts{"commit "});
    EXPECT_EQ(offered({"comm"}, Place::command_line), Texts{}) << "only in the shell";
    EXPECT_EQ(offered({"she"}), Texts{}) << "only on the command line";
    EXPECT_EQ(offered({"complet"}, Place::command_line), Texts{"completion "}) << "`complete` is for programs";
    EXPECT_EQ(offered({"help", "graph", "sh"}), Texts{"show "});
    EXPECT_EQ(offered({"help", "comm"}, Place::command_line), Texts{"commit "});
}

TEST(Completion, OffersAllCommandsAndNothingElse) {
    for (const Place place : {Place::shell, Place::command_line}) {
        std::set<std::string> expected;
        for (const rtactl::Command* command : all_commands().all()) {
            if (command->place == Place::anywhere || command->place == place)
                expected.insert(std::string{command->name.substr(0, command->name.find(' '))} + " ");
        }
        const Texts all = offered({""}, place);
        EXPECT_EQ(std::set<std::string>(all.begin(), all.end()), expected);
        EXPECT_EQ(all.size(), expected.size());
    }
}

TEST(Completion, OffersOptionsOnce) {
    EXPECT_EQ(offered({"set", "--"}),
              (Texts{"--ramp ", "--at ", "--expect ", "--dry-run ", "--max-load ", "--confirm-within ", "--help "}));
    EXPECT_EQ(offered({"set", "--ramp", "5", "--r"}), Texts{});
    EXPECT_EQ(offered({"--so"}, Place::command_line), Texts{"--socket "});
    EXPECT_EQ(offered({"--socket", "/s", "--so"}, Place::command_line), Texts{});
    EXPECT_EQ(offered({"set", "--ramp", "--h"}), Texts{}) << "the value of an option";
    EXPECT_EQ(offered({"remove", "--", "--h"}), Texts{}) << "only words from -- on";
    EXPECT_EQ(offered({"connect", "a", "-6"}), Texts{}) << "a number";
}

TEST(Completion, LooksPastOptionsForTheCommand) {
    EXPECT_EQ(offered({"--json", "--host", "set", "graph", "--timeout", "3", "sa"}, Place::command_line),
              Texts{"save "});
    EXPECT_EQ(offered({"set", "--ramp", "500", "osc.fre"}), Texts{"osc.frequency_hz="});
}

TEST(Completion, OffersNodes) {
    EXPECT_EQ(offered({"remove", "o"}), (Texts{"osc ", "out "}));
    EXPECT_EQ(offered({"remove", "osc", "o"}), Texts{"out "}) << "not twice";
    EXPECT_EQ(offered({"rename", "vo"}), Texts{"vol "});
    EXPECT_EQ(offered({"rename", "vol", ""}), Texts{}) << "a new name is the user's own";
    EXPECT_EQ(offered({"mute", ""}), Texts{"vol "}) << "the one that has a mute";
    EXPECT_EQ(offered({"bypass", ""}), (Texts{"low ", "vol "})) << "those that have a bypass";
    EXPECT_EQ(offered({"bypass", "low", "of"}), Texts{"off "});
    EXPECT_EQ(offered({"meter", ""}), Texts{"vu "});
}

TEST(Completion, OffersConditions) {
    EXPECT_EQ(offered({"wait", "si"}), Texts{"silence "});
    EXPECT_EQ(offered({"wait", "node", "o"}), (Texts{"osc ", "out "}));
    EXPECT_EQ(offered({"wait", "silence", ""}), Texts{"vu "});
    EXPECT_EQ(offered({"wait", "pending", ""}), Texts{"none "});
    EXPECT_EQ(offered({"wait", "vol.m"}), Texts{"vol.mute="});
    EXPECT_EQ(offered({"wait", "vol.mute="}), (Texts{"vol.mute=on ", "vol.mute=off "})) << "no toggle";
    EXPECT_EQ(offered({"wait", "running", ""}), Texts{});
}

TEST(Completion, OffersPortsWhereANodeHasSeveral) {
    EXPECT_EQ(offered({"connect", ""}), (Texts{"mix ", "osc ", "vol "})) << "nodes without an output are left out";
    EXPECT_EQ(offered({"connect", "osc", ""}), (Texts{"mix:", "out ", "vol ", "vu "}));
    EXPECT_EQ(offered({"connect", "osc", "mix:"}), (Texts{"mix:in_1 ", "mix:in_2 ", "mix:in_3 "}));
    EXPECT_EQ(offered({"connect", "osc:"}), Texts{"osc:out "});
    EXPECT_EQ(offered({"connect", "osc", "vol", "g"}), Texts{"gain_db="});
}

TEST(Completion, OffersTheConnectionsThatAreThere) {
    EXPECT_EQ(offered({"disconnect", ""}), (Texts{"osc ", "vol "}));
    EXPECT_EQ(offered({"disconnect", "osc", ""}), (Texts{"mix:in_2 ", "vol "}));
    EXPECT_EQ(offered({"disconnect", "osc:out", "v"}), Texts{"vol "});
    EXPECT_EQ(offered({"disconnect", "osc", "vol:"}), Texts{"vol:in "});
    EXPECT_EQ(offered({"insert", "gain", "trim", "v"}), Texts{"vol "});
    EXPECT_EQ(offered({"insert", "gain", "trim", "vol", ""}), Texts{"out "});
}

TEST(Completion, OffersParametersAndSettingsOfANode) {
    EXPECT_EQ(offered({"set", "o"}), (Texts{"osc.", "out."}));
    EXPECT_EQ(offered({"set", "osc."}), (Texts{"osc.frequency_hz=", "osc.gain_db=", "osc.channels="}));
    EXPECT_EQ(offered({"set", "osc.fre"}), Texts{"osc.frequency_hz="});
    EXPECT_EQ(offered({"set", "osc.frequency_hz=1", "osc."}), (Texts{"osc.gain_db=", "osc.channels="}));
    EXPECT_EQ(offered({"set", "mix.gain_"}), (Texts{"mix.gain_1_db=", "mix.gain_2_db=", "mix.gain_3_db="}));
    EXPECT_EQ(offered({"get", "os"}), Texts{"osc"}) << "it may continue";
    EXPECT_EQ(offered({"get", "osc"}), Texts{"osc."});
    EXPECT_EQ(offered({"get", "osc.f"}), Texts{"osc.frequency_hz "});
    EXPECT_EQ(offered({"set", "ghost."}), Texts{});
}

TEST(Completion, OffersTypesAndTheirValues) {
    EXPECT_EQ(offered({"types", "ma"}), Texts{"matrix "});
    EXPECT_EQ(offered({"add", "mi"}), Texts{"mixer "});
    EXPECT_EQ(offered({"add", "mixer", ""}), Texts{});
    EXPECT_EQ(offered({"add", "mixer", "m", ""}), (Texts{"gain_1_db=", "gain_2_db=", "inputs="}));
    EXPECT_EQ(offered({"add", "mixer", "m", "inputs=3", ""}), (Texts{"gain_1_db=", "gain_2_db=", "gain_3_db="}));
    EXPECT_EQ(offered({"add", "matrix", "m", "inputs=2", "gain_2"}), (Texts{"gain_2_1_db=", "gain_2_2_db="}));
    EXPECT_EQ(offered({"insert", "filter", "f", "osc", "vol", "k"}), Texts{"kind="});
    EXPECT_EQ(offered({"add", "nonsense", "n", ""}), Texts{});
    EXPECT_EQ(offered({"add", "bank", "b", ""}), (Texts{"bands=", "kind_1=", "kind_2="}));
    EXPECT_EQ(offered({"add", "bank", "b", "bands=3", "kind_"}), (Texts{"kind_1=", "kind_2=", "kind_3="}));
    EXPECT_EQ(offered({"add", "bank", "b", "kind_2=no"}), Texts{"kind_2=notch "});
}

TEST(Completion, OffersChainLinks) {
    EXPECT_EQ(offered({"play", "ga"}), Texts{"gain"}) << "it may continue";
    EXPECT_EQ(offered({"play", "gain"}), Texts{"gain:"});
    EXPECT_EQ(offered({"play", "sine", "gain:gai"}), Texts{"gain:gain_db="});
    EXPECT_EQ(offered({"play", "gain:gain_db=-6,"}),
              (Texts{"gain:gain_db=-6,mute=", "gain:gain_db=-6,bypass=", "gain:gain_db=-6,channels="}));
    EXPECT_EQ(offered({"play", "gain:mute=o"}), (Texts{"gain:mute=on ", "gain:mute=off "}));
    EXPECT_EQ(offered({"play", "filter:kind='notch',st"}), Texts{"filter:kind='notch',steep="});
    EXPECT_EQ(offered({"play", "mixer:inputs=1,gain_"}), Texts{"mixer:inputs=1,gain_1_db="});
}

TEST(Completion, OffersWhatValuesMayBe) {
    EXPECT_EQ(offered({"add", "filter", "f", "kind=low"}), (Texts{"kind=lowpass ", "kind=low_shelf "}));
    EXPECT_EQ(offered({"add", "filter", "f", "steep="}), (Texts{"steep=on ", "steep=off "}));
    EXPECT_EQ(offered({"set", "vol.mute=of"}), Texts{"vol.mute=off "});
    EXPECT_EQ(offered({"set", "vol.mute=to"}), Texts{"vol.mute=toggle "});
    EXPECT_EQ(offered({"add", "gain", "x", "mute=to"}), Texts{}) << "a new node has no value to invert";
    EXPECT_EQ(offered({"set", "vol.gain_db+"}), Texts{"vol.gain_db+="});
    EXPECT_EQ(offered({"set", "vol.gain_db-"}), Texts{"vol.gain_db-="});
    EXPECT_EQ(offered({"set", "vol.channels+"}), Texts{}) << "a setting";
    EXPECT_EQ(offered({"set", "vol.mute+=o"}), Texts{});
    EXPECT_EQ(offered({"set", "vol.gain_db+=1", "vol.gain_d"}), Texts{}) << "given already";
    EXPECT_EQ(offered({"watch", "load", "l"}), Texts{"levels "});
    EXPECT_EQ(offered({"completion", "z"}, Place::command_line), Texts{"zsh "});
}

TEST(Completion, ShowsTheRangeOfANumber) {
    FixedSource source;
    const auto hint = [&](const std::vector<std::string>& words) {
        const Completion completion = complete(all_commands(), words, Place::shell, source);
        EXPECT_TRUE(completion.candidates.empty());
        return completion.hint;
    };
    EXPECT_EQ(hint({"set", "osc.frequency_hz="}), "0.01 to 20000 Hz, default 1000 Hz");
    EXPECT_EQ(hint({"set", "osc.frequency_hz+="}), "the difference; the result must be 0.01 to 20000 Hz");
    EXPECT_EQ(hint({"set", "mix.gain_*_db="}), hint({"set", "mix.gain_1_db="}));
    EXPECT_EQ(hint({"volume", ""}), "-120 to 12 dB, or +=dB, -=dB");
    EXPECT_EQ(hint({"add", "sine", "s", "channels="}), "integer, 1 to 64, default 1");
    EXPECT_EQ(hint({"add", "delay", "d", "max_time_ms=50", "time_ms="}),
              "0 to 50 ms, at most max_time_ms, default 10 ms");
}

TEST(Completion, AsksTheDaemonOnlyForWhatDependsOnIt) {
    for (const std::vector<std::string>& words :
         {Texts{"se"}, Texts{"graph", ""}, Texts{"set", "--"}, Texts{"graph", "load", ""}, Texts{"bypass", "x", ""}}) {
        FixedSource source;
        static_cast<void>(complete(all_commands(), words, Place::shell, source));
        EXPECT_FALSE(source.asked) << words.front();
    }
}

TEST(Completion, WithoutADaemonOffersWhatNeedsNone) {
    FixedSource source;
    source.reachable = false;
    for (const std::vector<std::string>& words :
         {Texts{"set", ""}, Texts{"play", ""}, Texts{"connect", "a", "b:"}, Texts{"play", "gain:"}, Texts{"mute", ""},
          Texts{"add", "gain", "g", ""}, Texts{"disconnect", "a", ""}}) {
        EXPECT_TRUE(complete(all_commands(), words, Place::shell, source).candidates.empty()) << words.front();
    }
    EXPECT_FALSE(complete(all_commands(), Texts{"re"}, Place::shell, source).candidates.empty());
}

TEST(Completion, EveryPlaceholderOfTheTableIsCompletedOrFree) {
    // Free text is a new name, a number or an address. Every other word must have completions.
    const std::set<std::string_view> free_text{"NAME", "B", "N", "WORD", "ID"};
    for (const rtactl::Command* entry : all_commands().all()) {
        const rtactl::Command& command = *entry;
        for (const rtactl::Argument& argument : command.arguments) {
            if (argument.name.empty() || argument.expects != rtactl::Expects::text) continue;
            EXPECT_TRUE(free_text.contains(argument.name)) << command.name << " " << argument.name;
        }
    }
}

TEST(Completion, FindsTheDaemonThatALineIsFor) {
    const Texts words{"--host", "a:1", "watch", "--rate", "5", "--socket=/s"};
    const rtactl::Arguments globals = rtactl::global_options_in(all_commands(), words);
    EXPECT_EQ(globals.value("--host"), "a:1");
    EXPECT_EQ(globals.value("--socket"), "/s");
    EXPECT_FALSE(globals.has("--rate"));
}

TEST(Completion, SurvivesWhateverIsTyped) {
    FixedSource source;
    for (const std::string piece : {"", "-", "--", "=", ".", ":", ",", "'", "\"", "gain:", "gain:,", "gain:=", "osc.=",
                                    "\xff", "--host=", "gain:gain_db='", "mix:in_1:", "a.b.c", "\\"}) {
        for (const rtactl::Command* entry : all_commands().all()) {
            const rtactl::Command& command = *entry;
            Texts words;
            const std::size_t blank = command.name.find(' ');
            words.emplace_back(command.name.substr(0, blank));
            if (blank != std::string_view::npos) words.emplace_back(command.name.substr(blank + 1));
            for (int i = 0; i < 6; ++i) {
                words.push_back(piece);
                for (const Candidate& candidate : complete(all_commands(), words, Place::shell, source).candidates)
                    EXPECT_TRUE(candidate.text.starts_with(piece)) << candidate.text;
                static_cast<void>(complete_line(all_commands(), std::string{command.name} + " " + piece, source));
            }
        }
    }
}

TEST(DaemonCompletion, AsksOnceAndNotForLong) {
    FakeRtad rtad;
    std::istringstream in;
    std::ostringstream out;
    rtactl::Context context{
        all_commands(), {.endpoints = {rtad.daemon().endpoint()}}, {.in = in, .out = out, .err = out}};
    for (int prompt = 1; prompt <= 2; ++prompt) {
        rtactl::DaemonCompletion source{context};
        EXPECT_EQ(source.graph()->nodes().size(), 3U);
        EXPECT_EQ(source.types()->types_size(), 3);
        EXPECT_NE(source.graph(), nullptr);
        EXPECT_EQ(std::ranges::count_if(rtad.daemon().requests(), &v1::Request::has_get_graph), prompt);
    }
    EXPECT_EQ(std::ranges::count_if(rtad.daemon().requests(), &v1::Request::has_list_node_types), 1);
}

TEST(DaemonCompletion, IsAskedForAnewAfterADaemonWasLostInATransaction) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_get_status()) return std::nullopt;
        return Reply{.bytes = "", .close = true};
    }};
    std::istringstream in;
    std::ostringstream out;
    rtactl::Context context{
        all_commands(), {.endpoints = {rtad.daemon().endpoint()}}, {.in = in, .out = out, .err = out}};
    context.transaction().emplace();
    ASSERT_TRUE(context.fetch_graph());
    v1::Request status;
    status.mutable_get_status();
    ASSERT_FALSE(context.call(std::move(status)));
    rtactl::DaemonCompletion source{context};
    ASSERT_NE(source.types(), nullptr);
    EXPECT_EQ(source.types()->types_size(), 3);
    EXPECT_EQ(source.graph()->nodes().size(), 3U);
}

TEST(DaemonCompletion, GivesUpOnADaemonThatDoesNotAnswer) {
    FakeRtad rtad{[](const v1::Request& request) -> std::optional<Reply> {
        if (!request.has_get_graph()) return std::nullopt;
        return Reply{.bytes = ""};
    }};
    std::istringstream in;
    std::ostringstream out;
    rtactl::Context context{all_commands(),
                            {.endpoints = {rtad.daemon().endpoint()}, .timeout = std::chrono::hours{1}},
                            {.in = in, .out = out, .err = out}};
    rtactl::DaemonCompletion source{context};
    EXPECT_EQ(source.graph(), nullptr);
    EXPECT_EQ(source.types(), nullptr) << "and is not asked again";
    EXPECT_EQ(std::ranges::count_if(rtad.daemon().requests(), &v1::Request::has_get_graph), 1);
    EXPECT_EQ(out.str(), "");
}

// ---- lines ----------------------------------------------------------------------------------------------------------

/// Returns the line after TAB, then, if completions are listed, a | and the list.
std::string tabbed(const std::string& line) {
    FixedSource source;
    const LineCompletion completed = complete_line(all_commands(), line, source);
    std::string result = line.substr(0, line.size() - completed.erased) + completed.inserted;
    for (const Candidate& shown : completed.shown) result += "|" + shown.text;
    return result;
}

TEST(CompletedLine, GrowsByWhatAllCandidatesShare) {
    EXPECT_EQ(tabbed("se"), "set ");
    EXPECT_EQ(tabbed("set osc.fre"), "set osc.frequency_hz=");
    EXPECT_EQ(tabbed("play sine gain:gai"), "play sine gain:gain_db=");
    EXPECT_EQ(tabbed("add filter f kind=l"), "add filter f kind=low");
    EXPECT_EQ(tabbed("add filter f kind=low"), "add filter f kind=low|lowpass|low_shelf");
    EXPECT_EQ(tabbed("set osc."), "set osc.|frequency_hz=|gain_db=|channels=") << "without what stands there anyway";
    EXPECT_EQ(tabbed("connect osc mix:"), "connect osc mix:in_");
    EXPECT_EQ(tabbed("  set 'osc.fre"), "  set osc.frequency_hz=") << "an open quote";
    EXPECT_EQ(tabbed("set osc.frequency_hz="), "set osc.frequency_hz=|0.01 to 20000 Hz, default 1000 Hz");
    EXPECT_EQ(tabbed("xyz"), "xyz");
    EXPECT_EQ(tabbed("# se"), "# se") << "a comment";
}

TEST(CompletedLine, FindsFiles) {
    TemporaryDirectory directory;
    const std::string folder = directory.path().string();
    write_text(directory / "my tone.json", "{}");
    write_text(directory / "my song.json", "{}");
    write_text(directory / ".hidden", "{}");
    std::filesystem::create_directory(directory / "nested");
    EXPECT_EQ(tabbed("graph load " + folder + "/ne"), "graph load " + folder + "/nested/");
    EXPECT_EQ(tabbed("graph load " + folder + "/m"), "graph load " + folder + "/my\\ ");
    EXPECT_EQ(tabbed("graph load " + folder + "/my\\ t"), "graph load " + folder + "/my\\ tone.json ");
    EXPECT_EQ(tabbed("graph load '" + folder + "/my t"), "graph load " + folder + "/my\\ tone.json ");
    EXPECT_EQ(tabbed("graph load " + folder + "/"), "graph load " + folder + "/|my song.json|my tone.json|nested/");
    EXPECT_EQ(tabbed("graph load " + folder + "/.h"), "graph load " + folder + "/.hidden ");
    EXPECT_EQ(tabbed("graph load " + folder + "/none/"), "graph load " + folder + "/none/");
}

}  // namespace
}  // namespace rta::test
