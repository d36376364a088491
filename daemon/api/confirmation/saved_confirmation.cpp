// SPDX-License-Identifier: MIT
#include "api/confirmation/saved_confirmation.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/delimited_message_util.h>

#include <algorithm>
#include <cstddef>
#include <sstream>
#include <utility>

#include "frame/frame_codec.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

std::unexpected<Error> damaged_confirmation() {
    return fail(ErrorCode::invalid_argument, "the confirmation is damaged");
}

/// Not a stream of protobuf: if memory runs out while that appends to a string, its destructor ends the process.
void append_delimited(std::string& text, const google::protobuf::MessageLite& message) {
    const std::string bytes = message.SerializeAsString();
    append_frame_length(text, bytes.size());
    text += bytes;
}

}  // namespace

std::string SavedConfirmation::write() const {
    v1::OpenConfirmation open;
    open.set_author(author);
    open.set_client_name(client_name);
    open.set_summary(summary);
    v1::HistoryResult undone;
    // protobuf 3.21 leaks an element for whose place memory runs out.
    undone.mutable_steps()->Reserve(static_cast<int>(mark.undone.size()));
    for (const HistoryMark::Undone& step : mark.undone) {
        v1::HistoryStep& message = *undone.add_steps();
        message.set_number(step.number);
        message.set_undone(step.can_be_redone);
        message.set_undone_by(step.by);
    }
    std::string text = std::to_string(until_utc_us) + " " + std::to_string(within_s) + " " + std::to_string(key) + " " +
                       std::to_string(mark.next_number) + " " + std::to_string(identities.size()) + "\n";
    for (const auto& [name, identity] : identities)
        text += name + " " + std::to_string(std::to_underlying(identity)) + "\n";
    append_delimited(text, open);
    append_delimited(text, undone);
    return text + document;
}

Expected<SavedConfirmation> SavedConfirmation::read(const std::string& text) {
    SavedConfirmation saved;
    std::size_t begin = 0;
    const auto next_line = [&] {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        std::istringstream line{text.substr(begin, end - begin)};
        begin = std::min(end + 1, text.size());
        return line;
    };
    std::size_t node_count = 0;
    if (!(next_line() >> saved.until_utc_us >> saved.within_s >> saved.key >> saved.mark.next_number >> node_count))
        return damaged_confirmation();
    for (std::size_t i = 0; i < node_count; ++i) {
        std::string name;
        std::uint64_t identity = 0;
        if (!(next_line() >> name >> identity)) return damaged_confirmation();
        saved.identities.emplace(std::move(name), NodeIdentity{identity});
    }
    google::protobuf::io::ArrayInputStream stream{text.data() + begin, static_cast<int>(text.size() - begin)};
    v1::OpenConfirmation open;
    v1::HistoryResult undone;
    if (!google::protobuf::util::ParseDelimitedFromZeroCopyStream(&open, &stream, nullptr) ||
        !google::protobuf::util::ParseDelimitedFromZeroCopyStream(&undone, &stream, nullptr))
        return damaged_confirmation();
    saved.author = open.author();
    saved.client_name = open.client_name();
    saved.summary = open.summary();
    for (const v1::HistoryStep& step : undone.steps())
        saved.mark.undone.push_back({step.number(), step.undone_by(), step.undone()});
    saved.document = text.substr(begin + static_cast<std::size_t>(stream.ByteCount()));
    return saved;
}

}  // namespace rta::api
