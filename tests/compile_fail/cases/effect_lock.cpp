// SPDX-License-Identifier: MIT
// layers: graph
// clang: error: function with 'nonblocking' attribute must not call non-'nonblocking' constructor 'std::lock_guard<std::mutex>::lock_guard'
// Audio code does not wait for another thread.
#include <mutex>

#include "graph/processor.h"

class Node final : public rta::Processor {
 public:
    void process(const rta::ProcessContext& context) RTA_NONBLOCKING override {
#ifdef RTA_FAULT
        const std::lock_guard lock{mutex_};
#endif
        for (const auto& output : context.outputs) {
            for (float& sample : output.channel(0)) sample = 0.0F;
        }
    }

 private:
    std::mutex mutex_;
};

Node node;
