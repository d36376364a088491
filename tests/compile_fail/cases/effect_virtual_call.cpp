// SPDX-License-Identifier: MIT
// layers: graph
// clang: error: function with 'nonblocking' attribute must not call non-'nonblocking' function
// A virtual call has the effects that its base class declares.
#include "graph/processor.h"

class Listener {
 public:
    virtual ~Listener() = default;
    virtual void heard() noexcept = 0;
};

class Node final : public rta::Processor {
 public:
    explicit Node(Listener& listener) : listener_{&listener} {}
    [[nodiscard]] const Listener* listener() const { return listener_; }
    void process(const rta::ProcessContext& context) RTA_NONBLOCKING override {
#ifdef RTA_FAULT
        listener_->heard();
#endif
        for (const auto& output : context.outputs) {
            for (float& sample : output.channel(0)) sample = 0.0F;
        }
    }

 private:
    Listener* listener_;
};

Node make(Listener& listener) { return Node{listener}; }
