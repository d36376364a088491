// SPDX-License-Identifier: MIT
// layers: graph
// clang: error: function with 'nonblocking' attribute must not call non-'nonblocking' function .*now
// Audio code counts frames; reading a clock is a system call on some machines.
#include <chrono>

#include "graph/processor.h"

class Node final : public rta::Processor {
 public:
    void process(const rta::ProcessContext& context) RTA_NONBLOCKING override {
#ifdef RTA_FAULT
        static_cast<void>(std::chrono::steady_clock::now());
#endif
        for (const auto& output : context.outputs) {
            for (float& sample : output.channel(0)) sample = 0.0F;
        }
    }
};

Node node;
