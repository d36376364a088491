// SPDX-License-Identifier: MIT
#include "api/confirmation/saved_confirmation.h"

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/delimited_message_util.h>

#include <cstddef>
#include <sstream>
#include <utility>

#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

std::unexpected<Error> damaged_confirmation() {
    return fail(ErrorCode::invalid_argument, "the confirmation is damaged");
}

}  // namespace

std::string SavedConfirmation::write() const {
    v1::OpenConfirmation open;
    open.set_author(author);
    open.set_client_name(client_name);
    open.set_summary(summary);
    v1::HistoryResult undone;
    for (const HistoryMark::Undone& step : mark.undone) {
        v1::HistoryStep& message = *undone.add_steps();
        message.set_number(step.number);
        message.set_undone(step.can_be_redone);
        message.set_undone_by(step.by);
    }
    std::string text =
        std::to_string(until_utc_us) + " " + std::to_string(within_s) + " " + std::to_string(mark.next_number);
    for (const std::uint64_t number : mark.since) text += " " + std::to_string(number);
    text += "\n";
    {
        google::protobuf::io::StringOutputStream stream{&text};
        google::protobuf::util::SerializeDelimitedToZeroCopyStream(open, &stream);
        google::protobuf::util::SerializeDelimitedToZeroCopyStream(undone, &stream);
    }
    return text + document;
}

Expected<SavedConfirmation> SavedConfirmation::read(const std::string& text) {
    const std::size_t line = text.find('\n');
    if (line == std::string::npos) return damaged_confirmation();
    SavedConfirmation saved;
    std::istringstream numbers{text.substr(0, line)};
    if (!(numbers >> saved.until_utc_us >> saved.within_s >> saved.mark.next_number)) return damaged_confirmation();
    for (std::uint64_t number = 0; numbers >> number;) saved.mark.since.push_back(number);
    const std::size_t begin = line + 1;
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
