// SPDX-License-Identifier: MIT
// For all bytes of output.json: the result is either an error with a printable text, or a state that can be written and
// read again without a change. The graph next to it is a document, which document_fuzz covers.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "store/output_state.h"
#include "text/utf8.h"

namespace {

void require(bool condition, const char* promise, const std::string& detail) {
    if (condition) return;
    std::fprintf(stderr, "broken: %s\n%s\n", promise, detail.c_str());
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto state = rta::store::read_output_state(text);
    if (!state) {
        const std::string& sentence = state.error().sentence;
        require(!sentence.empty() && sentence.size() < 1'000, "a refusal is one short sentence", sentence);
        require(rta::first_invalid_utf8(sentence) == sentence.size(), "a sentence is UTF-8", sentence);
        for (const char c : sentence) require(c < 0 || c >= 0x20, "a sentence has no control characters", sentence);
        return 0;
    }
    require(std::isfinite(state->volume_db), "the volume is a number", {});
    const std::string written = rta::store::write_output_state(*state);
    const auto again = rta::store::read_output_state(written);
    require(again.has_value(), "what is written can be read", written);
    require(*again == *state, "what is read again is the same", written);
    return 0;
}
