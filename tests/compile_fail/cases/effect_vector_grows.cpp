// SPDX-License-Identifier: MIT
// layers: graph
// clang: error: function with 'nonblocking' attribute must not call non-'nonblocking' function .*push_back
// Audio code does not allocate through a container.
#include <vector>

#include "graph/processor.h"

class Node final : public rta::Processor {
 public:
    void process(const rta::ProcessContext& context) RTA_NONBLOCKING override {
#ifdef RTA_FAULT
        history_.push_back(0.0F);
#endif
        for (const auto& output : context.outputs) {
            for (float& sample : output.channel(0)) sample = 0.0F;
        }
    }

 private:
    std::vector<float> history_;
};

Node node;
