// SPDX-License-Identifier: MIT
// layers: graph
// clang: error: function with 'nonblocking' attribute must not allocate or deallocate memory
// Audio code does not allocate.
#include "graph/processor.h"

class Node final : public rta::Processor {
 public:
    void process(const rta::ProcessContext& context) RTA_NONBLOCKING override {
#ifdef RTA_FAULT
        delete[] new float[context.frame_count];
#endif
        for (const auto& output : context.outputs) {
            for (float& sample : output.channel(0)) sample = 0.0F;
        }
    }
};

Node node;
