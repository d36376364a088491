// SPDX-License-Identifier: MIT
#include "api/change_log.h"

#include <algorithm>
#include <utility>

#include "api/exception_barrier.h"
#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

/// Upper bound of the bytes of a SetParameter edit in an EditList, without its names.
constexpr std::size_t kEditBytes = 32;

}  // namespace

ChangeLog::ChangeLog(DaemonAccess& daemon, EventHub& hub, History& history, Clock clock)
    : daemon_{daemon}, history_{history}, clock_{std::move(clock)} {
    hub.record_with(*this);
}

Expected<bool> ChangeLog::may_commit(std::size_t bytes) {
    return active() ? daemon_.reserve_record(bytes + values_bytes_) : true;
}

void ChangeLog::when_room(CallHandle handle, TimePoint deadline) {
    waiting_for_room_.push_back({std::move(handle), deadline});
}

bool ChangeLog::when_recorded(std::function<void(bool)> done) {
    if (latest_lost_) return false;
    waiting_.push_back({recorded_, clock_() + kLongestWait, std::move(done)});
    return true;
}

/// Parameters that have changed before come first. A graph that is replaced has its own.
void ChangeLog::edited(std::uint64_t revision, const v1::EditList& edits) {
    if (!active()) return;
    const auto done = guarded("recording a transaction", [&] {
        const bool replaced = edits.edits_size() == 1 && edits.edits(0).has_replace_graph();
        std::string content = take_parameters();
        if (replaced) content.clear();
        if (!edits.AppendToString(&content)) throw std::bad_alloc{};
        record(revision, std::move(content));
    });
    latest_lost_ = !done;
    if (!done) daemon_.record_lost();
}

void ChangeLog::parameters_changed(std::uint64_t revision, const v1::SetParameters& changes) {
    if (!active()) return;
    const auto done = guarded("recording changes of parameters", [&] {
        revision_ = revision;
        for (const v1::SetParameter& change : changes.changes()) {
            key_.assign(change.node()).append(1, '.').append(change.parameter());
            const auto [place, added] = values_.try_emplace(key_);
            place->second.value = change.value();
            if (!added) continue;
            place->second.node = change.node();
            place->second.parameter = change.parameter();
            values_bytes_ += kEditBytes + key_.size();
        }
        collect();
    });
    if (!done) daemon_.record_lost();
}

void ChangeLog::history_changed() {
    if (active()) collect();
}

void ChangeLog::collect() {
    if (!due_) due_ = clock_() + kInterval;
}

std::string ChangeLog::take_parameters() {
    v1::EditList edits;
    for (const auto& [key, value] : values_) {
        v1::SetParameter& change = *edits.add_edits()->mutable_set_parameter();
        change.set_node(value.node);
        change.set_parameter(value.parameter);
        change.set_value(value.value);
    }
    std::string content = edits.SerializeAsString();
    values_.clear();
    values_bytes_ = 0;
    due_.reset();
    return content;
}

void ChangeLog::record(std::uint64_t revision, std::string content) {
    const std::uint64_t number = recorded_ + 1;
    daemon_.record({.revision = revision,
                    .content = std::move(content),
                    .history = history_.take_changes(),
                    .done = [this, number](bool durable) { recorded(number, durable); }});
    recorded_ = number;
}

void ChangeLog::recorded(std::uint64_t number, bool durable) {
    while (!waiting_.empty() && waiting_.front().number <= number) {
        const auto done = std::move(waiting_.front().done);
        waiting_.pop_front();
        done(durable);
    }
}

void ChangeLog::flush() {
    if (!due_) return;
    const auto done = guarded("recording changes of parameters", [&] { record(revision_, take_parameters()); });
    latest_lost_ = !done;
    if (!done) daemon_.record_lost();
}

void ChangeLog::room_changed() {
    for (const Room& room : std::exchange(waiting_for_room_, {})) {
        room.handle.resume([](Call&) {});
    }
}

void ChangeLog::poll(TimePoint now) {
    // Without space for them, they wait; there are at most as many as parameters.
    if (due_ && now >= *due_ && daemon_.reserve_record(values_bytes_).value_or(false)) flush();
    while (!waiting_.empty() && waiting_.front().deadline <= now) recorded(waiting_.front().number, false);
    if (std::ranges::any_of(waiting_for_room_, [now](const Room& room) { return room.deadline <= now; }))
        room_changed();
}

}  // namespace rta::api
