// SPDX-License-Identifier: MIT
// For everything that may be in a state directory: what is read is either refused with a printable reason, or can be written
// and read again without a change; and rtad starts from a damaged folder with a graph that it has had: changes that are
// recorded before the damage are not lost. The first byte of an input chooses what the rest is.
#include <google/protobuf/stubs/logging.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/confirmation/saved_confirmation.h"
#include "api/history/history_changes.h"
#include "api/history/saved_history.h"
#include "api/replay.h"
#include "api/scenes/scene_content.h"
#include "document/document.h"
#include "engine/engine.h"
#include "engine/graph_replay.h"
#include "graph/document_values.h"
#include "graph/node_type.h"
#include "rta/v1/control.pb.h"
#include "store/confirmation_file.h"
#include "store/digest.h"
#include "store/graph_store.h"
#include "store/history_file.h"
#include "store/journal_file.h"
#include "store/scene_folder.h"
#include "text/utf8.h"

namespace {

using namespace rta;
namespace fs = std::filesystem;

void require(bool condition, const char* promise, const std::string& detail = {}) {
    if (condition) return;
    std::fprintf(stderr, "broken: %s\n%s\n", promise, detail.c_str());
    std::abort();
}

void require_sentence(const Error& error) {
    require(!error.sentence.empty() && error.sentence.size() < 2'000, "a refusal is one short sentence",
            error.sentence);
    require(first_invalid_utf8(error.sentence) == error.sentence.size(), "a sentence is UTF-8", error.sentence);
}

const EngineConfig kConfig{};

/// Takes an input apart. Returns zeros at its end.
class Input {
 public:
    explicit Input(std::string_view bytes) : bytes_{bytes} {}
    std::size_t number(std::size_t below) {
        std::size_t value = 0;
        for (std::size_t scale = 1; scale < below; scale *= 256) value = value * 256 + byte();
        return value % below;
    }
    std::string_view rest() { return std::exchange(bytes_, {}); }
    [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
    std::uint8_t byte() {
        if (bytes_.empty()) return 0;
        const auto value = static_cast<std::uint8_t>(bytes_.front());
        bytes_.remove_prefix(1);
        return value;
    }
    std::string_view bytes_;
};

// ---------------------------------------------------------------------------------------------------------------------
// Texts

void journal(std::string_view text) {
    const auto read = store::read_journal(text);
    if (!read) return require_sentence(read.error());
    require(read->entries.size() <= text.size(), "entries take bytes");
    std::string written = *store::write_journal_head(read->base);
    if (!read->entries.empty()) written += *store::write_journal_frame(read->base.next_number, read->entries);
    const auto again = store::read_journal(written);
    require(again && again->base == read->base && again->entries == read->entries &&
                again->end == store::JournalContents::End::complete,
            "what is read again is the same");
}

void history(std::string_view text) {
    const auto read = api::SavedHistory::read(std::string{text}, builtin_nodes(), kConfig);
    if (!read) return require_sentence(read.error());
    require(read->steps.size() <= text.size(), "steps take bytes");
    const std::string written = read->write();
    const auto again = api::SavedHistory::read(written, builtin_nodes(), kConfig);
    require(again.has_value(), "a history that was written can be read");
    // The order of settings and parameters in messages is not defined.
    require(again->write().size() == written.size(), "what is read again is the same");
    require(again->identities == read->identities && again->next_number == read->next_number &&
                again->next_identity == read->next_identity && again->open_edit == read->open_edit,
            "what is read again is the same");
}

void history_changes(std::string_view text) {
    api::SavedHistory saved;
    const auto applied = api::HistoryChanges::apply(std::string{text}, saved, builtin_nodes(), kConfig);
    if (!applied) return require_sentence(applied.error());
    const std::string written = saved.write();
    require(api::SavedHistory::read(written, builtin_nodes(), kConfig).has_value(),
            "a history after changes can be read");
}

void confirmation(std::string_view text) {
    const auto read = api::SavedConfirmation::read(std::string{text});
    if (!read) return require_sentence(read.error());
    const std::string written = read->write();
    const auto again = api::SavedConfirmation::read(written);
    require(again.has_value(), "a confirmation that was written can be read", written);
    require(again->write() == written, "what is read again is the same", written);
}

void scene(std::string_view text) {
    static const Engine engine{builtin_nodes(), kConfig};
    const auto read = api::read_scene(text, engine);
    if (!read) return require_sentence(read.error());
    api::SceneHeader header = api::read_scene_header(text);
    const std::string written = api::write_scene(header, read->graph.document());
    const auto again = api::read_scene(written, engine);
    require(again.has_value(), "a scene that was written can be read", written);
    require(api::write_scene(api::read_scene_header(written), again->graph.document()) == written,
            "what is read again is the same", written);
}

void changes(std::string_view text) {
    const std::string content{text};
    const std::optional<std::string> none;
    const api::RecordedChange change{content, none};
    const auto replayed = api::replay(builtin_nodes(), kConfig, std::nullopt, std::nullopt, std::span{&change, 1});
    require(replayed.has_value(), "a change that cannot be made is not the fault of the graph");
    if (replayed->count == 0) return require(!replayed->why.empty(), "a change that cannot be made has a reason");
    require(load_document(replayed->graph, builtin_nodes(), kConfig.sample_rate_hz).has_value(),
            "the graph after a change can be loaded", replayed->graph);
}

// ---------------------------------------------------------------------------------------------------------------------
// Folders

std::string read_file(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}
void write_file(const fs::path& path, const std::string& text) { std::ofstream{path, std::ios::binary} << text; }

/// Removed at the exit.
class TemporaryFolder {
 public:
    TemporaryFolder() {
        std::string name =
            (fs::exists("/dev/shm") ? fs::path{"/dev/shm"} : fs::temp_directory_path()) / "rtad-fuzz-XXXXXX";
        require(::mkdtemp(name.data()) != nullptr, "a folder can be created", name);
        path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() { fs::remove_all(path_); }
    [[nodiscard]] const fs::path& path() const { return path_; }

 private:
    fs::path path_;
};

/// A store and the graph that it restores and saves.
class Daemon final : public store::GraphStore::Owner {
 public:
    Daemon(const fs::path& folder, Durability durability)
        : store_{folder.string(),
                 [this](std::function<void()> task) { post(std::move(task)); },
                 *this,
                 {.durability = durability}} {}

    store::GraphStore::RestoredGraph restore() {
        const auto restored = store_.restore(
            [this](const std::string& text) { return load(text); },
            [](const std::string& text) -> Expected<void> {
                auto read = api::SavedHistory::read(text, builtin_nodes(), kConfig);
                if (!read) return std::unexpected(std::move(read.error()));
                return {};
            },
            [](const auto& graph, const auto& history, auto entries) -> Expected<store::GraphStore::Replayed> {
                std::vector<api::RecordedChange> changes;
                for (const store::JournalEntry& entry : entries) changes.push_back({entry.content, entry.history});
                auto replayed = api::replay(builtin_nodes(), kConfig, graph, history, changes);
                if (!replayed) return std::unexpected(std::move(replayed.error()));
                return store::GraphStore::Replayed{std::move(replayed->graph), std::move(replayed->history),
                                                   replayed->count, std::move(replayed->why)};
            });
        require(restored.has_value(), "a damaged folder does not prevent a start",
                restored ? std::string{} : restored.error().sentence);
        store_.confirm_restore();
        return restored->graph;
    }
    /// Saves what was restored, and exits.
    void finish() {
        store_.start_journal();
        if (graph_.node_count() != 0) store_.graph_changed();
        const auto saved = store_.finish();
        require(saved.has_value(), "the state can be saved", saved ? std::string{} : saved.error().sentence);
    }
    [[nodiscard]] std::string document() const { return write_document(graph_.document()); }
    [[nodiscard]] bool has_node(const std::string& name) const { return graph_.find(name) != nullptr; }

 private:
    Expected<void> load(const std::string& text) {
        auto document = load_document(text, builtin_nodes(), kConfig.sample_rate_hz);
        if (!document) return std::unexpected(std::move(document.error()));
        GraphReplay replay{builtin_nodes(), kConfig};
        auto applied = replay.apply(ReplaceGraph{std::move(document->document)});
        if (applied) graph_ = replay.graph();
        return applied;
    }
    /// Nothing waits for them here.
    void post(std::function<void()> task) {
        const std::scoped_lock lock{mutex_};
        tasks_.push_back(std::move(task));
    }
    [[nodiscard]] store::GraphStore::State state() const override { return {graph_, 1, {}, nullptr}; }
    void store_warning(const std::string& sentence) override {
        require(first_invalid_utf8(sentence) == sentence.size(), "a warning is UTF-8", sentence);
    }
    void store_recovered(const std::string&) override {}

    AudioGraph graph_;
    std::mutex mutex_;
    std::deque<std::function<void()>> tasks_;  ///< under mutex_
    store::GraphStore store_;
};

std::string edit_text(std::size_t number) {
    v1::EditList edits;
    auto& node = *edits.add_edits()->mutable_add_node();
    node.set_type("gain");
    node.set_name("n" + std::to_string(number));
    return edits.SerializeAsString();
}

/// Returns another byte.
char flipped(char byte, std::size_t how) {
    return static_cast<char>(static_cast<unsigned char>(byte) ^ (1U + static_cast<unsigned>(how % 255)));
}

void damage(std::string& text, std::size_t place, Input& input) {
    const auto at = static_cast<std::ptrdiff_t>(place);
    switch (input.number(4)) {
        case 0:
            text.resize(place);
            break;
        case 1:
            if (place < text.size()) text[place] = flipped(text[place], input.number(255));
            break;
        case 2:
            text.insert(place, input.number(64) + 1, static_cast<char>(input.number(256)));
            break;
        default:
            text.erase(text.begin() + at,
                       text.begin() + std::min(at + 1 + static_cast<std::ptrdiff_t>(input.number(256)),
                                               static_cast<std::ptrdiff_t>(text.size())));
            break;
    }
}

/// A folder as rtad leaves it, of which one file is damaged.
void folder(Input input) {
    static const TemporaryFolder temporary;
    const fs::path path = temporary.path() / "state";
    fs::remove_all(path);
    fs::create_directory(path);
    const std::string graph = R"({"nodes": [{"name": "first", "type": "gain"}]})";
    const bool has_graph = input.number(4) != 0;
    store::JournalBase base{.history = store::JournalBase::History::empty};
    if (has_graph) base.graph = *store::sha256_digits(graph);
    std::string text = *store::write_journal_head(base);
    std::vector<std::size_t> ends;  ///< of the record of each change
    for (std::size_t frame = input.number(5); frame > 0; --frame) {
        std::vector<store::JournalEntry> entries;
        for (std::size_t i = input.number(3) + 1; i > 0; --i)
            entries.push_back({1, edit_text(ends.size() + entries.size()), std::nullopt});
        text += *store::write_journal_frame(ends.size() + 1, entries);
        ends.resize(ends.size() + entries.size(), text.size());
    }
    text.append(input.number(3) * 100, '\0');
    std::map<std::string, std::string> files{
        {"journal", text}, {"history", *store::write_history_file(api::SavedHistory{}.write(), graph)}};
    if (has_graph) files["graph.json"] = graph;
    if (input.number(4) == 0) files["journal.next"] = *store::write_journal_head({.graph = "another"});
    auto damaged = files.begin();
    std::advance(damaged, input.number(files.size()));
    const bool of_journal = damaged->first == "journal";
    const std::size_t place = input.number(damaged->second.size() + 1);
    const std::string before = damaged->second;
    damage(damaged->second, place, input);
    const std::size_t intact =
        static_cast<std::size_t>(std::ranges::mismatch(before, damaged->second).in1 - before.begin());
    for (const auto& [name, contents] : files) write_file(path / name, contents);

    const auto durability = input.number(2) == 0 ? Durability::sync : Durability::async;
    std::string document;
    {
        Daemon daemon{path, durability};
        const auto restored = daemon.restore();
        if (damaged->first != "graph.json") {
            require(restored != store::GraphStore::RestoredGraph::damaged, "a good graph is restored");
            require(daemon.has_node("first") == has_graph, "the saved graph is there");
            const bool head = !of_journal || intact >= store::write_journal_head(base)->size();
            for (std::size_t i = 0; i < ends.size(); ++i) {
                const bool good = head && (!of_journal || ends[i] <= intact);
                if (good) require(daemon.has_node("n" + std::to_string(i)), "a record before the damage counts");
                if (i > 0 && daemon.has_node("n" + std::to_string(i)))
                    require(daemon.has_node("n" + std::to_string(i - 1)), "no change is made without those before it");
            }
        }
        document = daemon.document();
        daemon.finish();
    }
    Daemon again{path, durability};
    require(again.restore() != store::GraphStore::RestoredGraph::damaged, "what was saved is not damaged");
    require(again.document() == document, "what is restored again is the same", document);
    again.finish();
}

/// Arbitrary files of a folder: up to three.
void files(Input input) {
    static constexpr std::array<const char*, 6> kNames{"graph.json", "history",      "history.next",
                                                       "journal",    "journal.next", "output.json"};
    static const TemporaryFolder temporary;
    const fs::path path = temporary.path() / "state";
    fs::remove_all(path);
    fs::create_directory(path);
    for (int i = 0; i < 3 && !input.empty(); ++i) {
        const char* const name = kNames[input.number(kNames.size())];
        Input rest{input.rest()};
        const std::size_t length = rest.number(65'536);
        const std::string_view bytes = rest.rest();
        write_file(path / name, std::string{bytes.substr(0, length)});
        input = Input{bytes.substr(std::min(length, bytes.size()))};
    }
    std::string document;
    {
        Daemon daemon{path, Durability::sync};
        static_cast<void>(daemon.restore());
        document = daemon.document();
        daemon.finish();
    }
    Daemon again{path, Durability::sync};
    require(again.restore() != store::GraphStore::RestoredGraph::damaged, "what was saved is not damaged");
    require(again.document() == document, "what is restored again is the same", document);
}

/// The files of a confirmation and of a history have checksums: damage of any byte is noticed.
void checked_files(Input input) {
    static const TemporaryFolder temporary;
    const store::ConfirmationFile file{temporary.path().string()};
    const std::string graph = "{}\n";
    const std::size_t place = input.number(65'536);
    Input how{input.rest()};
    const std::size_t kind = how.number(256);
    const std::string text{how.rest()};
    require(file.write(text).has_value(), "a confirmation can be written");
    const auto read = file.read();
    require(read && *read == text, "what is read again is the same");
    std::string damaged = read_file(file.path());
    const std::string good = damaged;
    Input more{std::string_view{text}};
    damage(damaged, std::min(place, damaged.size()), more);
    write_file(file.path(), damaged);
    if (damaged != good) require(!file.read(), "damage of a confirmation is noticed");
    require(file.remove().has_value(), "a confirmation can be removed");

    std::string saved = *store::write_history_file(text, graph);
    const auto history = store::read_history_file(saved, graph);
    require(history && *history && **history == text, "what is read again is the same");
    require(!*store::read_history_file(saved, "{}"), "a history belongs to one graph");
    const std::string whole = saved;
    if (place < saved.size()) saved[place] = flipped(saved[place], kind);
    if (saved != whole) require(!store::read_history_file(saved, graph), "damage of a history is noticed");

    const store::SceneFolder scenes{temporary.path().string()};
    require(scenes.write("x", text).has_value(), "a scene can be written");
    const auto contents = scenes.read(std::size_t{1} << 20U);
    require(contents.errors.empty() && contents.files.size() == 1 && contents.files[0].text == text,
            "what is read again is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    google::protobuf::SetLogHandler(nullptr);
    if (size == 0) return 0;
    const std::string_view rest{reinterpret_cast<const char*>(data) + 1, size - 1};
    switch (data[0]) {
        case 'j':
            journal(rest);
            break;
        case 'h':
            history(rest);
            break;
        case 'c':
            history_changes(rest);
            break;
        case 'w':
            confirmation(rest);
            break;
        case 's':
            scene(rest);
            break;
        case 'e':
            changes(rest);
            break;
        case 'f':
            folder(Input{rest});
            break;
        case 'a':
            files(Input{rest});
            break;
        case 'k':
            checked_files(Input{rest});
            break;
        default:
            break;
    }
    return 0;
}
