// SPDX-License-Identifier: MIT
// layers: graph
// clang: error: function with 'nonblocking' attribute must not call non-'nonblocking' function .*operator\(\)
// The compiler cannot check the target of a std::function.
#include <functional>

#include "graph/processor.h"

class Node final : public rta::Processor {
 public:
    void process(const rta::ProcessContext& context) RTA_NONBLOCKING override {
#ifdef RTA_FAULT
        callback_();
#endif
        for (const auto& output : context.outputs) {
            for (float& sample : output.channel(0)) sample = 0.0F;
        }
    }

 private:
    std::function<void()> callback_;
};

Node node;
