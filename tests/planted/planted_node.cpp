// SPDX-License-Identifier: MIT
// Renders a few blocks of a node with one fault: planted_node FAULT. The fault is in functions that are wrongly
// declared nonblocking, as in a library: the compiler accepts them, so the run-time check must detect it.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>

#include "dsp/audio_buffer.h"
#include "graph/processor.h"
#include "support/allocation_trap.h"

namespace {

using namespace rta;

constexpr std::uint32_t kFrames = 64;

// Hidden from the compiler and the optimiser.
float* volatile g_samples = nullptr;
volatile int g_number = std::numeric_limits<int>::max();
std::mutex g_mutex;

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wfunction-effects"
#endif
void allocate() RTA_NONBLOCKING {
    g_samples = static_cast<float*>(std::malloc(kFrames * sizeof(float)));
    std::free(g_samples);
}
void allocate_in_library() RTA_NONBLOCKING {
    const std::string text(1'000, 'x');
    g_number = text.back();
}
void lock() RTA_NONBLOCKING { const std::lock_guard lock{g_mutex}; }
void use_after_free() RTA_NONBLOCKING {
    g_samples = static_cast<float*>(std::calloc(kFrames, sizeof(float)));
    std::free(g_samples);
    g_samples[0] = 1.0F;
}
void leak() RTA_NONBLOCKING {
    g_samples = static_cast<float*>(std::malloc(kFrames * sizeof(float)));
    g_samples = nullptr;
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

class FaultyNode final : public Processor {
 public:
    explicit FaultyNode(std::string_view fault) : fault_{fault} {}

    void process(const ProcessContext& context) RTA_NONBLOCKING override {
        const auto in = context.inputs[0].channel(0);
        const auto out = context.outputs[0].channel(0);
        for (std::uint32_t frame = 0; frame < context.frame_count; ++frame) out[frame] = in[frame];
        if (fault_ == "malloc") allocate();
        if (fault_ == "string") allocate_in_library();
        if (fault_ == "mutex") lock();
        if (fault_ == "use-after-free") use_after_free();
        if (fault_ == "leak") leak();
        if (fault_ == "read-past-end") out[0] = in.data()[context.frame_count];
        if (fault_ == "integer-overflow") g_number = g_number + 1;
    }

 private:
    std::string_view fault_;
};

}  // namespace

int main(int argc, char** argv) {
    constexpr std::array<std::string_view, 8> kFaults{"clean",         "malloc",         "string", "mutex",
                                                      "read-past-end", "use-after-free", "leak",   "integer-overflow"};
    const std::string_view fault = argc == 2 ? argv[1] : "";
    bool known = false;
    for (const std::string_view name : kFaults) known = known || name == fault;
    if (!known) {
        // Exit with success, so that the test cannot mistake this for a detected fault.
        std::fputs("usage: planted_node clean|malloc|string|mutex|read-past-end|use-after-free|leak|integer-overflow\n",
                   stdout);
        return EXIT_SUCCESS;
    }
    const AudioBuffer in{1, kFrames};
    AudioBuffer out{1, kFrames};
    const std::array inputs{in.read()};
    const std::array outputs{out.write()};
    FaultyNode node{fault};
    const ProcessContext context{
        .inputs = inputs, .outputs = outputs, .parameters = {}, .frame_count = kFrames, .device = {}, .presence = {}};
    const test::AllocationTrap trap;
    for (int block = 0; block < 4; ++block) node.process(context);
    if (trap.count() != 0) {
        std::fprintf(stderr, "allocation trap: %llu calls\n", static_cast<unsigned long long>(trap.count()));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
