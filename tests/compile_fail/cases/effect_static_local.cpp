// SPDX-License-Identifier: MIT
// layers: graph
// clang: error: function with 'nonblocking' attribute must not have static local variables
// The first call would take a lock, and two nodes would share the state.
#include "graph/processor.h"

class Node final : public rta::Processor {
 public:
    void process(const rta::ProcessContext& context) RTA_NONBLOCKING override {
#ifdef RTA_FAULT
        static float last = context.outputs[0].channel(0)[0];
        context.outputs[0].channel(0)[0] = last;
#endif
        for (const auto& output : context.outputs) {
            for (float& sample : output.channel(0)) sample = 0.0F;
        }
    }
};

Node node;
