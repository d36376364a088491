// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "api/events/shared_frame.h"

namespace rta::v1 {
class Event;
}

namespace rta::api {

/// The latest change of the graph or of parameters that a client has made.
struct LatestEdit {
    std::uint64_t number = 0;  ///< 0: there was none
    std::string author{};
    std::string client_name{};
};

/// Numbers all changes of this instance, and delivers them to all subscribers, serialised once. [control]
class EventHub {
 public:
    class Subscriber {
     public:
        virtual ~Subscriber() = default;
        /// Must neither subscribe, unsubscribe nor publish.
        virtual void deliver(const SharedFrame& event) = 0;
        /// This subscriber will not get an event: memory ran out for it, or it does not fit into a frame.
        virtual void missed() = 0;
    };

    explicit EventHub(std::string instance_id) : instance_id_{std::move(instance_id)} {}

    /// Counts one change and delivers it. `fill` writes everything except the number; it is called only if there are
    /// subscribers. Does not throw: if memory runs out, missed() is called. Precondition: the event fits into a frame.
    void publish(const std::function<void(v1::Event&)>& fill);

    /// The same for a change of the graph or of parameters, which becomes the latest_edit().
    void publish_edit(const std::string& author, const std::string& client_name,
                      const std::function<void(v1::Event&)>& fill);

    /// The same for a change that no event can describe: missed() is called for every subscriber.
    void publish_unsent_edit(const std::string& author, const std::string& client_name);

    void subscribe(Subscriber& subscriber);
    /// No effect if it has not subscribed.
    void unsubscribe(Subscriber& subscriber);

    /// Returns the number of the latest change; 0 before the first.
    [[nodiscard]] std::uint64_t number() const { return number_; }
    [[nodiscard]] const LatestEdit& latest_edit() const { return latest_edit_; }
    [[nodiscard]] const std::string& instance_id() const { return instance_id_; }
    [[nodiscard]] std::size_t subscriber_count() const { return subscribers_.size(); }

 private:
    void record_edit(const std::string& author, const std::string& client_name);
    [[nodiscard]] SharedFrame frame_of(const std::function<void(v1::Event&)>& fill);

    std::string instance_id_;
    FramePages pages_;
    std::uint64_t number_ = 0;
    LatestEdit latest_edit_;
    std::vector<Subscriber*> subscribers_;
};

/// Returns 128 random bits in hexadecimal.
[[nodiscard]] std::string random_instance_id();

}  // namespace rta::api
