// SPDX-License-Identifier: MIT
#include "api/list_limits.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <optional>
#include <string>
#include <utility>

#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using Verdict = WireCheck::Verdict;

/// Depth of nested messages that protobuf parses.
constexpr int kMaximumDepth = 100;

/// Bytes of a varint at most.
constexpr std::size_t kTagBytes = 5;
constexpr std::size_t kLengthBytes = 5;
constexpr std::size_t kVarintBytes = 10;

/// One field of a message on the wire.
struct Field {
    enum class Kind : std::uint8_t { varint, fixed_64, bytes, fixed_32 };
    std::uint32_t number = 0;
    Kind kind = Kind::varint;
    std::uint64_t value = 0;   ///< of a varint
    std::string_view bytes{};  ///< of bytes
};

/// Reads the fields of a message one after the other, until the message ends or is malformed.
class Fields {
 public:
    explicit Fields(std::string_view message) : rest_{message} {}

    std::optional<Field> next() {
        if (rest_.empty() || malformed_) return std::nullopt;
        Field field;
        malformed_ = !read(field);
        return malformed_ ? std::nullopt : std::optional{field};
    }
    /// Returns whether next() has met bytes that are not a field.
    [[nodiscard]] bool malformed() const { return malformed_; }

 private:
    bool read(Field& field) {
        constexpr std::uint64_t kMost32Bits = 0xFFFF'FFFF;
        const std::size_t before = rest_.size();
        const auto tag = varint(kTagBytes);
        if (!tag || *tag > kMost32Bits || *tag >> 3U == 0) return false;
        // A longer form of the same tag ends in a byte of zero.
        const std::size_t tag_bytes = before - rest_.size();
        if (tag_bytes > 1 && *tag >> (7U * (tag_bytes - 1)) == 0) return false;
        field.number = static_cast<std::uint32_t>(*tag >> 3U);
        switch (*tag & 7U) {
            case 0:
                return read_varint(field);
            case 1:
                field.kind = Field::Kind::fixed_64;
                return skip(8);
            case 2:
                return read_bytes(field);
            case 5:
                field.kind = Field::Kind::fixed_32;
                return skip(4);
            default:
                return false;  // groups of proto2, which no message here has
        }
    }
    bool read_varint(Field& field) {
        const auto value = varint(kVarintBytes);
        field.value = value.value_or(0);
        return value.has_value();
    }
    bool read_bytes(Field& field) {
        field.kind = Field::Kind::bytes;
        const auto size = varint(kLengthBytes);
        if (!size || *size > rest_.size()) return false;
        field.bytes = rest_.substr(0, static_cast<std::size_t>(*size));
        return skip(field.bytes.size());
    }
    bool skip(std::size_t size) {
        if (rest_.size() < size) return false;
        rest_.remove_prefix(size);
        return true;
    }
    std::optional<std::uint64_t> varint(std::size_t most_bytes) {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < std::min(rest_.size(), most_bytes); ++i) {
            const auto byte = static_cast<unsigned char>(rest_[i]);
            // The tenth byte holds bit 63 and nothing else.
            if (i == kVarintBytes - 1 && byte > 1) return std::nullopt;
            value |= std::uint64_t{byte & 0x7FU} << (7U * i);
            if ((byte & 0x80U) != 0) continue;
            rest_.remove_prefix(i + 1);
            return value;
        }
        return std::nullopt;
    }

    std::string_view rest_;
    bool malformed_ = false;
};

/// Returns how a single value of this field is written.
Field::Kind kind_of(const FieldDescriptor& field) {
    switch (field.type()) {
        case FieldDescriptor::TYPE_DOUBLE:
        case FieldDescriptor::TYPE_FIXED64:
        case FieldDescriptor::TYPE_SFIXED64:
            return Field::Kind::fixed_64;
        case FieldDescriptor::TYPE_FLOAT:
        case FieldDescriptor::TYPE_FIXED32:
        case FieldDescriptor::TYPE_SFIXED32:
            return Field::Kind::fixed_32;
        case FieldDescriptor::TYPE_STRING:
        case FieldDescriptor::TYPE_BYTES:
        case FieldDescriptor::TYPE_MESSAGE:
        case FieldDescriptor::TYPE_GROUP:
            return Field::Kind::bytes;
        default:
            return Field::Kind::varint;
    }
}

/// Returns how many values a field holds: numbers of a list may be packed. 0: protobuf takes it for an unknown field.
std::size_t value_count(const Field& field, const FieldDescriptor& known) {
    const Field::Kind kind = kind_of(known);
    if (field.kind == kind) return 1;
    if (field.kind != Field::Kind::bytes || !known.is_repeated()) return 0;
    if (kind == Field::Kind::fixed_32) return std::max<std::size_t>(field.bytes.size() / 4, 1);
    if (kind == Field::Kind::fixed_64) return std::max<std::size_t>(field.bytes.size() / 8, 1);
    const auto last = [](char byte) { return (static_cast<unsigned char>(byte) & 0x80U) == 0; };
    return std::max<std::size_t>(static_cast<std::size_t>(std::ranges::count_if(field.bytes, last)), 1);
}

/// Returns the length of a list in a message.
std::size_t length_of(std::string_view message, const FieldDescriptor& list) {
    std::size_t length = 0;
    Fields fields{message};
    while (const auto field = fields.next()) {
        if (field->number == static_cast<std::uint32_t>(list.number())) length += value_count(*field, list);
    }
    return length;
}

Error not_a_request(std::string_view why) {
    return {ErrorCode::invalid_argument,
            "the message is not an rta.v1.Request: " + std::string{why} + "; disconnecting",
            {}};
}

/// Counts the elements of a message and of the messages in it. The first fault ends it.
class Counter {
 public:
    /// Returns false after a fault.
    bool count(std::string_view message, const Descriptor& type, int depth) {
        if (depth > kMaximumDepth) return malformed("its messages are nested too deeply");
        Seen seen;
        Fields fields{message};
        while (const auto field = fields.next()) {
            const FieldDescriptor* const known = type.FindFieldByNumber(static_cast<int>(field->number));
            const std::size_t values = known == nullptr ? 0 : value_count(*field, *known);
            if (!(values == 0 ? count_unknown(seen) : count_known(message, *field, *known, values, seen))) return false;
            if (values == 0 || known->message_type() == nullptr) continue;
            if (!count(field->bytes, *known->message_type(), depth + 1)) return false;
        }
        return !fields.malformed() || malformed("it has bytes that are not a field in its shortest form");
    }

    [[nodiscard]] WireCheck take(std::uint64_t id) {
        check_.id = id;
        return std::move(check_);
    }

 private:
    static constexpr std::size_t kMost = kMaximumItems;

    /// What one message has had so far.
    struct Seen {
        std::array<std::size_t, kCountedNumbers> items{};
        std::bitset<kCountedNumbers> messages{};
        std::size_t unknown = 0;
    };

    bool count_unknown(Seen& seen) {
        if (++seen.unknown > kMost) return too_large(too_many_items("unknown fields", seen.unknown));
        return add_elements(1);
    }
    bool count_known(std::string_view message, const Field& field, const FieldDescriptor& known, std::size_t values,
                     Seen& seen) {
        if (field.number >= kCountedNumbers) return true;
        if (known.is_repeated()) {
            seen.items[field.number] += values;
            if (seen.items[field.number] > kMost)
                return too_large(too_many_items(known.name(), length_of(message, known)));
            return add_elements(values);
        }
        if (known.message_type() == nullptr) return true;
        // Protobuf would merge the two, and their lists.
        if (seen.messages.test(field.number)) return malformed(known.name() + " occurs twice in its message");
        seen.messages.set(field.number);
        return true;
    }
    bool add_elements(std::size_t count) {
        check_.elements += count;
        if (check_.elements <= kMaximumElements) return true;
        return too_large(Error{ErrorCode::invalid_argument,
                               "the lists of the request, and its unknown fields, have more than " +
                                   std::to_string(kMaximumElements) + " elements together",
                               {}});
    }
    bool too_large(Error error) {
        check_.verdict = Verdict::too_large;
        check_.error = std::move(error);
        return false;
    }
    bool malformed(std::string_view why) {
        check_.verdict = Verdict::malformed;
        check_.error = not_a_request(why);
        return false;
    }

    WireCheck check_;
};

std::uint64_t id_of(std::string_view request) {
    std::uint64_t id = 0;
    Fields fields{request};
    while (const auto field = fields.next()) {
        if (field->number == v1::Request::kIdFieldNumber && field->kind == Field::Kind::varint) id = field->value;
    }
    return id;
}

}  // namespace

Error too_many_items(std::string_view list, std::size_t count) {
    return Error{ErrorCode::invalid_argument,
                 "the list of " + std::string{list} + " has " + std::to_string(count) + " elements; at most " +
                     std::to_string(kMaximumItems) + " are allowed",
                 {}};
}

WireCheck check_wire(std::string_view request) {
    Counter counter;
    const bool good = counter.count(request, *v1::Request::descriptor(), 1);
    return counter.take(good ? 0 : id_of(request));
}

}  // namespace rta::api
