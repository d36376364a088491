// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "document/document.h"
#include "document/json_parser.h"
#include "document/text_stream.h"
#include "text/quantity.h"

namespace rta::json {

/// The type of a JSON value.
enum class Kind : std::uint8_t { string, number, boolean, null, object, array };

/// The object or array that the reader is in.
enum class Place : std::uint8_t { outside, document, nodes, node, settings, parameters, connections, connection };

/// The error in a refused document.
struct Fault {
    std::size_t offset;  ///< in the text
    std::string sentence;
};

/// Builds the document. Refuses anything unexpected at its first byte, which limits the depth of nesting.
class DocumentBuilder final : public Receiver {
 public:
    DocumentBuilder(std::string_view text, const TextStream& stream) : text_{text}, stream_{stream}, lines_{text} {}

    [[nodiscard]] GraphDocument take() { return std::move(document_); }
    [[nodiscard]] std::optional<Fault>& fault() { return fault_; }
    /// Names the current value for an error sentence: `parameter "gain_db" of node "vol"`.
    [[nodiscard]] std::string subject() const;

    bool null() override;
    bool boolean(bool value) override;
    bool number() override;
    bool string() override;
    bool key() override;
    bool start_object() override;
    bool end_object() override;
    bool start_array() override;
    bool end_array() override;

 private:
    [[nodiscard]] std::string item() const;
    [[nodiscard]] std::string wanted() const;
    [[nodiscard]] bool allowed(Kind found) const;
    [[nodiscard]] Place place_inside() const;
    bool expect(Kind found, std::size_t offset);
    bool enter(Kind found);
    bool fixed_key(std::size_t offset);
    bool free_key(std::string_view kind, bool duplicate, std::size_t offset);
    bool text_is_sound(std::string_view text, std::size_t offset);
    bool finish_node();
    bool finish_connection();
    [[nodiscard]] std::string* annotation_member();
    bool store_revision(std::string_view digits, std::size_t offset);
    bool store_instance(std::string instance, std::size_t offset);
    bool store_quantity(std::string_view text, ValueUnit unit, std::size_t offset);
    template <class Number>
    bool store_number(std::string_view literal, std::size_t offset, auto store);
    bool refuse(std::size_t offset, std::string sentence);

    std::string_view text_;
    const TextStream& stream_;
    LineCounter lines_;
    Place place_ = Place::outside;
    std::string key_;
    std::uint32_t document_keys_seen_ = 0;  ///< bit i: kDocumentKeys[i]
    std::uint32_t item_keys_seen_ = 0;      ///< the same for the current node or connection
    std::size_t item_begin_ = 0;
    GraphDocument::Node node_;
    GraphDocument::Connection connection_;
    GraphDocument document_;
    std::optional<Fault> fault_;
};

}  // namespace rta::json
