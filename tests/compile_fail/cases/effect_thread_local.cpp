// SPDX-License-Identifier: MIT
// layers: graph
// clang: error: function with 'nonblocking' attribute must not use thread-local variables
// A thread-local variable may be allocated at its first use.
#include "graph/processor.h"

class Node final : public rta::Processor {
 public:
    void process(const rta::ProcessContext& context) RTA_NONBLOCKING override {
#ifdef RTA_FAULT
        thread_local float last = 0.0F;
        context.outputs[0].channel(0)[0] = last;
#endif
        for (const auto& output : context.outputs) {
            for (float& sample : output.channel(0)) sample = 0.0F;
        }
    }
};

Node node;
