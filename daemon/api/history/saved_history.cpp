// SPDX-License-Identifier: MIT
#include "api/history/saved_history.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/message_lite.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <variant>

#include "api/convert.h"
#include "api/requests/transaction.h"

namespace rta::api {
namespace {

// Numbers are varints; texts and messages follow their lengths; a float is 32 bits. Descriptions of nodes are listed once, and named
// by their places in the list from 1; 0: the node does not exist.
constexpr std::uint64_t kFormat = 3;
constexpr std::uint64_t kMostElements = 10'000'000;

std::unexpected<Error> damaged() { return fail(ErrorCode::invalid_argument, "the history is damaged"); }

/// Does not use the streams of protobuf: if memory runs out while they append to a string, their destructors end the process.
class Writer {
 public:
    explicit Writer(std::string& text) : text_{text} {}
    void number(std::uint64_t value) {
        for (; value >= 0x80U; value >>= 7U) text_.push_back(static_cast<char>((value & 0x7FU) | 0x80U));
        text_.push_back(static_cast<char>(value));
    }
    void value(float value) {
        const auto bits = std::bit_cast<std::uint32_t>(value);
        for (const unsigned shift : {0U, 8U, 16U, 24U}) text_.push_back(static_cast<char>((bits >> shift) & 0xFFU));
    }
    void text(std::string_view value) {
        number(value.size());
        text_ += value;
    }
    void message(const google::protobuf::MessageLite& message) { text(message.SerializeAsString()); }

 private:
    std::string& text_;
};

/// Every function returns nothing at the end of the text.
class Reader {
 public:
    explicit Reader(std::string_view text)
        : coded_{reinterpret_cast<const std::uint8_t*>(text.data()), static_cast<int>(text.size())} {}

    bool number(std::uint64_t& value) { return coded_.ReadVarint64(&value); }
    bool identity(NodeIdentity& value) {
        std::uint64_t read = 0;
        if (!number(read)) return false;
        value = NodeIdentity{read};
        return true;
    }
    bool value(float& value) {
        std::uint32_t bits = 0;
        if (!coded_.ReadLittleEndian32(&bits)) return false;
        value = std::bit_cast<float>(bits);
        return true;
    }
    bool text(std::string& value) {
        std::uint64_t size = 0;
        return number(size) && size < (std::uint64_t{1} << 30U) && coded_.ReadString(&value, static_cast<int>(size));
    }
    bool message(google::protobuf::MessageLite& message) {
        std::string bytes;
        return text(bytes) && message.ParseFromString(bytes);
    }
    /// Reads how many elements follow.
    bool count(std::uint64_t& value) { return number(value) && value <= kMostElements; }

 private:
    google::protobuf::io::CodedInputStream coded_;
};

// ---------------------------------------------------------------------------------------------------------------------
// Writing

class Descriptions {
 public:
    explicit Descriptions(std::string& text) : writer_{text} {}

    std::uint64_t place_of(const NodeDescription& description) {
        const auto [known, is_new] = places_.emplace(&description, 0);
        if (is_new) known->second = place_of_text(text_of(description));
        return known->second;
    }
    [[nodiscard]] std::size_t size() const { return texts_.size(); }

 private:
    static std::string text_of(const NodeDescription& description) {
        v1::Edit message;
        to_wire(Edit{AddNode{std::string{description.type->name},
                             description.name,
                             description.given_settings,
                             {},
                             description.annotation}},
                message);
        return message.add_node().SerializeAsString();
    }
    std::uint64_t place_of_text(std::string text) {
        const auto [known, is_new] = texts_.emplace(std::move(text), texts_.size() + 1);
        if (is_new) writer_.text(known->first);
        return known->second;
    }

    Writer writer_;
    std::unordered_map<const NodeDescription*, std::uint64_t> places_;
    std::unordered_map<std::string, std::uint64_t> texts_;  ///< equal descriptions need not be the same object
};

void write(const NodeRecord* record, Writer& writer, Descriptions& descriptions) {
    if (record == nullptr) return writer.number(0);
    writer.number(descriptions.place_of(*record->description));
    for (const float value : record->parameters) writer.value(value);
}

void write(const std::optional<float>& gain_db, Writer& writer) {
    writer.number(gain_db ? 1 : 0);
    if (gain_db) writer.value(*gain_db);
}

void write(const GraphRecord& record, Writer& writer) {
    writer.number(record.latency_compensation ? 1 : 0);
    writer.text(record.annotation.title);
    writer.text(record.annotation.description);
}

void write(const StepChanges& changes, Writer& writer, Descriptions& descriptions) {
    writer.number(changes.nodes.size());
    for (const NodeChange& change : changes.nodes) {
        writer.number(std::to_underlying(change.node));
        write(change.before.get(), writer, descriptions);
        write(change.after.get(), writer, descriptions);
    }
    writer.number(changes.connections.size());
    for (const ConnectionChange& change : changes.connections) {
        writer.number(std::to_underlying(change.place.to));
        writer.text(change.place.to_port);
        writer.number(std::to_underlying(change.place.from));
        writer.text(change.place.from_port);
        write(change.before, writer);
        write(change.after, writer);
    }
    writer.number(changes.graph ? 1 : 0);
    if (!changes.graph) return;
    write(changes.graph->before, writer);
    write(changes.graph->after, writer);
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading

class HistoryReader {
 public:
    HistoryReader(std::string_view text, const NodeRegistry& registry, const EngineConfig& config)
        : reader_{text}, registry_{registry}, config_{config} {}

    bool read(SavedHistory& saved) {
        std::uint64_t format = 0;
        if (!reader_.number(format) || format != kFormat) return false;
        if (!reader_.number(saved.next_number) || !reader_.number(saved.next_identity) ||
            !reader_.number(saved.open_edit))
            return false;
        std::uint64_t count = 0;
        if (!reader_.count(count)) return false;
        for (std::uint64_t i = 0; i < count; ++i) {
            std::string name;
            NodeIdentity identity{};
            if (!reader_.text(name) || !known_identity(identity, saved)) return false;
            saved.identities.emplace(std::move(name), identity);
        }
        if (!reader_.count(count)) return false;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (!read_description()) return false;
        }
        if (!reader_.count(count)) return false;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (!read_step(saved)) return false;
        }
        return true;
    }

 private:
    bool known_identity(NodeIdentity& identity, const SavedHistory& saved) {
        return reader_.identity(identity) && std::to_underlying(identity) < saved.next_identity;
    }

    bool read_description() {
        v1::Edit message;
        if (!reader_.message(*message.mutable_add_node())) return false;
        auto edit = to_edit(message);
        if (!edit) return false;
        auto& node = std::get<AddNode>(*edit);
        const auto type = registry_.require(node.type);
        if (!type) return false;
        auto description =
            NodeDescription::make(**type, std::move(node.name), std::move(node.settings), config_.sample_rate_hz,
                                  std::move(node.annotation), config_.block_size);
        if (!description) return false;
        descriptions_.push_back(*std::move(description));
        return true;
    }

    bool read_record(SharedRecord& record) {
        std::uint64_t place = 0;
        if (!reader_.number(place) || place > descriptions_.size()) return false;
        if (place == 0) return true;
        NodeRecord read{descriptions_[place - 1], {}};
        read.parameters.resize(read.description->layout.parameters.size());
        for (float& value : read.parameters) {
            if (!reader_.value(value)) return false;
        }
        record = std::make_shared<NodeRecord>(std::move(read));
        return true;
    }

    bool read_gain(std::optional<float>& gain_db) {
        std::uint64_t exists = 0;
        if (!reader_.number(exists)) return false;
        return exists == 0 || reader_.value(gain_db.emplace());
    }

    bool read_record(GraphRecord& record) {
        std::uint64_t compensates = 0;
        if (!reader_.number(compensates)) return false;
        record.latency_compensation = compensates != 0;
        return reader_.text(record.annotation.title) && reader_.text(record.annotation.description);
    }

    bool read_changes(StepChanges& changes, const SavedHistory& saved) {
        std::uint64_t count = 0;
        if (!reader_.count(count)) return false;
        for (std::uint64_t i = 0; i < count; ++i) {
            NodeChange change{};
            if (!known_identity(change.node, saved) || !read_record(change.before) || !read_record(change.after))
                return false;
            if (change.before == nullptr && change.after == nullptr) return false;
            changes.nodes.push_back(std::move(change));
        }
        if (!reader_.count(count)) return false;
        for (std::uint64_t i = 0; i < count; ++i) {
            ConnectionChange change{};
            if (!known_identity(change.place.to, saved) || !reader_.text(change.place.to_port) ||
                !known_identity(change.place.from, saved) || !reader_.text(change.place.from_port) ||
                !read_gain(change.before) || !read_gain(change.after))
                return false;
            changes.connections.push_back(std::move(change));
        }
        std::uint64_t graph = 0;
        if (!reader_.number(graph)) return false;
        if (graph != 0 && !read_record(changes.graph.emplace().before)) return false;
        if (graph != 0 && !read_record(changes.graph->after)) return false;
        changes.complete();
        return true;
    }

    static bool read_edits(const google::protobuf::RepeatedPtrField<v1::Edit>& messages, std::vector<Edit>& edits) {
        for (const v1::Edit& message : messages) {
            auto edit = to_edit(message);
            if (!edit) return false;
            edits.push_back(std::move(*edit));
        }
        return true;
    }

    bool read_step(SavedHistory& saved) {
        v1::HistoryStep message;
        HistoryStep step;
        std::uint64_t transaction = 0;
        if (!reader_.message(message) || !reader_.number(step.undo_order) || !reader_.number(transaction)) return false;
        step.number = message.number();
        step.author = message.author();
        step.client_name = message.client_name();
        step.label = message.summary();
        step.utc_us = message.utc_us();
        step.undone_by = message.undone_by();
        step.undone = message.undone();
        step.transaction = transaction != 0;
        auto content = std::make_shared<StepContent>();
        if (!read_edits(message.edits(), content->edits) || !read_edits(message.inverse(), content->inverse) ||
            !read_changes(content->changes, saved))
            return false;
        const bool ascends = saved.steps.empty() || saved.steps.back().number < step.number;
        if (!ascends || step.number >= saved.next_number || (step.undo_order != 0 && !step.undone)) return false;
        step.content = std::move(content);
        saved.steps.push_back(std::move(step));
        return true;
    }

    Reader reader_;
    const NodeRegistry& registry_;
    const EngineConfig& config_;
    std::vector<std::shared_ptr<const NodeDescription>> descriptions_;
};

}  // namespace

std::string SavedHistory::write() const {
    std::string list;
    std::string rest;
    std::size_t count = 0;
    std::size_t descriptions_count = 0;
    {
        Descriptions descriptions{list};
        Writer writer{rest};
        for (const HistoryStep& step : steps) {
            StepContent computed;
            if (step.content == nullptr && step.graphs != nullptr)
                computed = StepContent::between(step.graphs->before, step.graphs->after->graph);
            const StepContent& content = step.content != nullptr ? *step.content : computed;
            // A transaction without effect is not a step.
            if (content.changes.empty()) continue;
            v1::HistoryStep message;
            to_wire(step, message);
            message.set_summary(step.label);  // the others follow from the edits
            add_edits(content, message);
            writer.message(message);
            writer.number(step.undo_order);
            writer.number(step.transaction ? 1 : 0);
            rta::api::write(content.changes, writer, descriptions);
            ++count;
        }
        descriptions_count = descriptions.size();
    }
    std::string text;
    {
        Writer writer{text};
        writer.number(kFormat);
        writer.number(next_number);
        writer.number(next_identity);
        writer.number(open_edit);
        writer.number(identities.size());
        for (const auto& [name, identity] : identities) {
            writer.text(name);
            writer.number(std::to_underlying(identity));
        }
        writer.number(descriptions_count);
    }
    text += list;
    {
        Writer writer{text};
        writer.number(count);
    }
    return text + rest;
}

Expected<SavedHistory> SavedHistory::read(const std::string& text, const NodeRegistry& registry,
                                          const EngineConfig& config) {
    SavedHistory saved;
    if (!HistoryReader{text, registry, config}.read(saved)) return damaged();
    return saved;
}

}  // namespace rta::api
