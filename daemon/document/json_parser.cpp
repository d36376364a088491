// SPDX-License-Identifier: MIT
#include "document/json_parser.h"

#include <rapidjson/reader.h>

namespace rta::json {
namespace {

/// RapidJSON prescribes the names of the functions.
class Handler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
 public:
    explicit Handler(Receiver& receiver) : receiver_{receiver} {}

    bool Null() { return receiver_.null(); }
    bool Bool(bool value) { return receiver_.boolean(value); }
    bool RawNumber(const char*, rapidjson::SizeType, bool) { return receiver_.number(); }
    bool String(const char*, rapidjson::SizeType, bool) { return receiver_.string(); }
    bool Key(const char*, rapidjson::SizeType, bool) { return receiver_.key(); }
    bool StartObject() { return receiver_.start_object(); }
    bool EndObject(rapidjson::SizeType) { return receiver_.end_object(); }
    bool StartArray() { return receiver_.start_array(); }
    bool EndArray(rapidjson::SizeType) { return receiver_.end_array(); }

 private:
    Receiver& receiver_;
};

}  // namespace

rapidjson::ParseResult parse(TextStream& stream, Receiver& receiver) {
    constexpr unsigned kFlags =
        rapidjson::kParseInsituFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseCommentsFlag;
    rapidjson::Reader reader;
    Handler handler{receiver};
    return reader.Parse<kFlags>(stream, handler);
}

}  // namespace rta::json
