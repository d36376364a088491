// SPDX-License-Identifier: MIT
// Runtime functions for a module without imports. The versions of the C++ library write a message through WASI; these
// trap instead, which the host receives as a RuntimeError.
#include <__verbose_abort>

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
_LIBCPP_END_NAMESPACE_STD
