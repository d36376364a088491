// SPDX-License-Identifier: MIT
#include "api/events/node_filter.h"

#include <functional>
#include <utility>

#include "rta/v1/control.pb.h"

namespace rta::api {
namespace {

/// Collects the names in a change. Ends with nothing if it concerns every client.
class NameCollector {
 public:
    void add(std::string_view node) { hashes_.push_back(std::hash<std::string_view>{}(node)); }
    /// NODE or NODE:PORT.
    void add_port(std::string_view port) { add(port.substr(0, port.find(':'))); }
    void add_all() { all_ = true; }

    void add(const v1::Edit& edit) {
        switch (edit.edit_case()) {
            case v1::Edit::kAddNode:
                return add(edit.add_node().name());
            case v1::Edit::kRemoveNode:
                return add(edit.remove_node().name());
            case v1::Edit::kConnect:
                add_port(edit.connect().from());
                return add_port(edit.connect().to());
            case v1::Edit::kDisconnect:
                add_port(edit.disconnect().from());
                return add_port(edit.disconnect().to());
            case v1::Edit::kSetParameter:
                return add(edit.set_parameter().node());
            case v1::Edit::kChangeSettings:
                return add(edit.change_settings().node());
            case v1::Edit::kRenameNode:
                add(edit.rename_node().name());
                return add(edit.rename_node().new_name());
            case v1::Edit::kDescribe:
                return edit.describe().node().empty() ? add_all() : add(edit.describe().node());
            case v1::Edit::kReplaceGraph:
            case v1::Edit::kSetLatencyCompensation:
            case v1::Edit::EDIT_NOT_SET:
                return add_all();
        }
    }

    /// A removed node takes its connections with it: only the inverse names their other ends.
    void add(const v1::GraphChanged& change) {
        bool removes = false;
        for (const v1::Edit& edit : change.edits()) {
            add(edit);
            removes = removes || edit.has_remove_node();
            if (all_) return;
        }
        if (removes && change.inverse().empty()) add_all();
        for (const v1::Edit& edit : change.inverse()) add(edit);
    }

    [[nodiscard]] std::vector<std::size_t> take() {
        if (all_) return {};
        std::ranges::sort(hashes_);
        hashes_.erase(std::ranges::unique(hashes_).begin(), hashes_.end());
        hashes_.shrink_to_fit();
        return std::move(hashes_);
    }

 private:
    bool all_ = false;
    std::vector<std::size_t> hashes_;
};

/// Keeps the elements with a node of the filter, in their order.
template <class List, class Keep>
void keep_if(List& list, const Keep& keep) {
    int kept = 0;
    for (int i = 0; i < list.size(); ++i) {
        if (keep(list.Get(i).node())) list.SwapElements(kept++, i);
    }
    list.DeleteSubrange(kept, list.size() - kept);
}

}  // namespace

ConcernedNodes::ConcernedNodes(std::vector<std::size_t> hashes) : hashes_{std::move(hashes)} {}

ConcernedNodes ConcernedNodes::of(const v1::Event& event) {
    NameCollector names;
    if (event.has_graph_changed()) names.add(event.graph_changed());
    for (const v1::SetParameter& change : event.parameters_changed().changes()) names.add(change.node());
    if (event.has_node_faulted()) names.add(event.node_faulted().node());
    return ConcernedNodes{names.take()};
}

NodeFilter::NodeFilter(std::vector<std::string> names) : names_{std::move(names)} {
    std::ranges::sort(names_);
    for (const std::string& name : names_) hashes_.push_back(std::hash<std::string_view>{}(name));
}

bool NodeFilter::passes(const ConcernedNodes& nodes) const {
    return nodes.all() || std::ranges::any_of(hashes_, [&](std::size_t hash) { return nodes.contains(hash); });
}

std::string NodeFilter::reduced(const std::string& event) const {
    v1::Event message;
    message.ParseFromString(event);
    const auto keep = [this](std::string_view node) { return contains(node); };
    if (message.has_levels()) keep_if(*message.mutable_levels()->mutable_meters(), keep);
    if (message.has_node_loads()) keep_if(*message.mutable_node_loads()->mutable_nodes(), keep);
    return message.SerializeAsString();
}

}  // namespace rta::api
