// SPDX-License-Identifier: MIT
#include "api/list_limits.h"

#include <google/protobuf/descriptor.h>

#include <array>
#include <string>

#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

/// Depth of nested messages that protobuf parses.
constexpr int kMaximumDepth = 100;

/// One field of a message on the wire.
struct Field {
    enum class Kind : std::uint8_t { varint, fixed, bytes };
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
        const auto tag = varint();
        if (!tag) return std::nullopt;
        Field field{.number = static_cast<std::uint32_t>(*tag >> 3U)};
        switch (*tag & 7U) {
            case 0:
                if (const auto value = varint()) {
                    field.value = *value;
                    return field;
                }
                return std::nullopt;
            case 1:
                return fixed(field, 8);
            case 2:
                field.kind = Field::Kind::bytes;
                if (const auto size = varint(); size && *size <= rest_.size()) {
                    field.bytes = rest_.substr(0, static_cast<std::size_t>(*size));
                    rest_.remove_prefix(field.bytes.size());
                    return field;
                }
                return std::nullopt;
            case 3:
            case 4:
                return field;  // a proto2 group: its fields count as those of the message
            case 5:
                return fixed(field, 4);
            default:
                return std::nullopt;
        }
    }

 private:
    std::optional<Field> fixed(Field field, std::size_t size) {
        if (rest_.size() < size) return std::nullopt;
        rest_.remove_prefix(size);
        field.kind = Field::Kind::fixed;
        return field;
    }
    std::optional<std::uint64_t> varint() {
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < rest_.size() && i < 10; ++i) {
            const auto byte = static_cast<unsigned char>(rest_[i]);
            value |= std::uint64_t{byte & 0x7FU} << (7U * i);
            if ((byte & 0x80U) != 0) continue;
            rest_.remove_prefix(i + 1);
            return value;
        }
        return std::nullopt;
    }

    std::string_view rest_;
};

/// Numbers are packed, four or eight bytes each; all other elements are objects.
bool holds_objects(const FieldDescriptor* field) {
    return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE ||
           field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

std::size_t count_of(std::string_view message, std::uint32_t number) {
    std::size_t count = 0;
    Fields fields{message};
    while (const auto field = fields.next()) count += field->number == number ? 1U : 0U;
    return count;
}

class Counter {
 public:
    /// Returns the error for the first list that is too long, if any.
    std::optional<Error> count(std::string_view message, const Descriptor& type, int depth) {
        std::array<std::size_t, kCountedNumbers> counts{};
        std::size_t unknown = 0;
        Fields fields{message};
        while (const auto field = fields.next()) {
            const FieldDescriptor* known = type.FindFieldByNumber(static_cast<int>(field->number));
            if (known == nullptr) {
                if (++unknown > kMost) return too_many_items("unknown fields", unknown);
                if (++elements_ > kMaximumElements) return too_many_together();
                continue;
            }
            if (field->kind != Field::Kind::bytes || !holds_objects(known)) continue;
            if (known->is_repeated() && field->number < kCountedNumbers) {
                if (++counts[field->number] > kMost)
                    return too_many_items(known->name(), count_of(message, field->number));
                if (++elements_ > kMaximumElements) return too_many_together();
            }
            if (known->message_type() == nullptr || depth == kMaximumDepth) continue;
            if (auto wrong = count(field->bytes, *known->message_type(), depth + 1)) return wrong;
        }
        return std::nullopt;
    }

 private:
    static constexpr std::size_t kMost = kMaximumItems;

    static Error too_many_together() {
        return Error{ErrorCode::invalid_argument,
                     "the lists of the request, and its unknown fields, have more than " +
                         std::to_string(kMaximumElements) + " elements together",
                     {}};
    }

    std::size_t elements_ = 0;
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

std::optional<Oversized> find_oversized(std::string_view request) {
    auto wrong = Counter{}.count(request, *v1::Request::descriptor(), 1);
    if (!wrong) return std::nullopt;
    return Oversized{id_of(request), std::move(*wrong)};
}

}  // namespace rta::api
