// SPDX-License-Identifier: MIT
// Runtime functions for a module without imports. The versions of the C++ library write a message through WASI; these
// trap instead, which the host receives as a RuntimeError.
#include <__verbose_abort>
#include <charconv>
#include <cstdint>

extern "C" void __wasm_call_ctors();

extern "C" {

[[noreturn]] void abort() { __builtin_trap(); }
[[noreturn]] void __abort_message(const char* /*format*/, ...) { __builtin_trap(); }

/// Runs the constructors of static objects. The host must call it once, before any other function. Because this code
/// calls the constructors, the linker does not add a call of them to every exported function.
__attribute__((export_name("_initialize"))) void rta_initialize() { __wasm_call_ctors(); }

}  // extern "C"

_LIBCPP_BEGIN_NAMESPACE_STD
[[noreturn]] void __libcpp_verbose_abort(const char* /*format*/, ...) noexcept { __builtin_trap(); }

// std::to_chars calls these for a number of digits that the caller chooses, and for large integers in fixed notation.
// format_number() has neither: it writes the shortest digits, with an exponent. Their tables have 104 KB.
to_chars_result __d2fixed_buffered_n(char* /*first*/, char* /*last*/, double /*value*/, std::uint32_t /*precision*/) {
    __builtin_trap();
}
to_chars_result __d2exp_buffered_n(char* /*first*/, char* /*last*/, double /*value*/, std::uint32_t /*precision*/) {
    __builtin_trap();
}
void __append_n_digits(std::uint32_t /*count*/, std::uint32_t /*digits*/, char* /*out*/) { __builtin_trap(); }
void __append_nine_digits(std::uint32_t /*digits*/, char* /*out*/) { __builtin_trap(); }
_LIBCPP_END_NAMESPACE_STD
