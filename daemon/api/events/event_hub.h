// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api/events/kept_changes.h"
#include "api/events/shared_frame.h"

namespace rta::v1 {
class EditList;
class Event;
class SetParameters;
}  // namespace rta::v1

namespace rta::api {

/// The latest change of the graph or of parameters that a client has made.
struct LatestEdit {
    std::uint64_t number = 0;  ///< 0: none
    std::string author{};
    std::string client_name{};
};

/// Numbers all changes of this instance, and delivers them to all subscribers, serialised once. Keeps the latest, from the
/// first subscription on. [control]
class EventHub {
 public:
    class Subscriber {
     public:
        virtual ~Subscriber() = default;
        /// Must neither subscribe, unsubscribe nor publish.
        virtual void deliver(const Change& change) = 0;
        /// Memory ran out for an event, which this subscriber will not get.
        virtual void missed() = 0;
    };

    /// Receives all changes of the graph and of parameters, before they are published.
    class Recorder {
     public:
        virtual ~Recorder() = default;
        virtual void edited(std::uint64_t revision, const v1::EditList& edits) = 0;
        virtual void parameters_changed(std::uint64_t revision, const v1::SetParameters& changes) = 0;
    };

    /// `kept_bytes`: memory of the changes that it keeps.
    EventHub(std::string instance_id, std::size_t kept_bytes)
        : instance_id_{std::move(instance_id)}, kept_{kept_bytes} {}

    /// Counts one change and delivers it. `fill` writes everything except the number; it is called only if there have been
    /// subscribers. Does not throw: if memory runs out, missed() is called. Precondition: the event fits into a frame.
    void publish(const std::function<void(v1::Event&)>& fill);

    /// The same for a change of the graph or of parameters, which becomes the latest_edit().
    void publish_edit(const std::string& author, const std::string& client_name,
                      const std::function<void(v1::Event&)>& fill);

    /// The recorder must outlive the last change.
    void record_with(Recorder& recorder) { recorder_ = &recorder; }
    /// Returns the recorder; null: none.
    [[nodiscard]] Recorder* recorder() const { return recorder_; }

    void subscribe(Subscriber& subscriber);
    /// No effect if it has not subscribed.
    void unsubscribe(Subscriber& subscriber);

    /// Returns the number of the latest change; 0 before the first.
    [[nodiscard]] std::uint64_t number() const { return number_; }
    /// Returns whether all changes after this number are kept. False for a number that has not been given yet.
    [[nodiscard]] bool keeps_after(std::uint64_t number) const {
        return number == number_ || (number < number_ && kept_.find(number + 1) != nullptr);
    }
    /// Returns nullptr if the change with this number is not kept.
    [[nodiscard]] const Change* kept(std::uint64_t number) const { return kept_.find(number); }
    [[nodiscard]] const LatestEdit& latest_edit() const { return latest_edit_; }
    [[nodiscard]] const std::string& instance_id() const { return instance_id_; }
    [[nodiscard]] std::size_t subscriber_count() const { return subscribers_.size(); }

 private:
    [[nodiscard]] Change change_of(const std::function<void(v1::Event&)>& fill);

    std::string instance_id_;
    FramePages pages_;
    KeptChanges kept_;
    bool keeps_ = false;  ///< there was a subscriber
    std::uint64_t number_ = 0;
    LatestEdit latest_edit_;
    std::vector<Subscriber*> subscribers_;
    Recorder* recorder_ = nullptr;
};

/// Returns 128 random bits in hexadecimal.
[[nodiscard]] std::string random_instance_id();

}  // namespace rta::api
