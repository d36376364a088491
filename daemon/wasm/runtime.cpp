// SPDX-License-Identifier: MIT
// What the C++ runtime expects of a host and WebAssembly does not have. The library's own versions write a message
// through WASI; a module with no imports stops instead, which the host sees as a RuntimeError.
#include <__verbose_abort>

extern "C" void __wasm_call_ctors();

extern "C" {

[[noreturn]] void abort() { __builtin_trap(); }
[[noreturn]] void __abort_message(const char* /*format*/, ...) { __builtin_trap(); }

/// Call it once, before anything else: it runs the constructors of static objects. Calling them ourselves also keeps
/// the linker from running them again at every exported call.
__attribute__((export_name("_initialize"))) void rta_initialize() { __wasm_call_ctors(); }

}  // extern "C"

_LIBCPP_BEGIN_NAMESPACE_STD
[[noreturn]] void __libcpp_verbose_abort(const char* /*format*/, ...) noexcept { __builtin_trap(); }
_LIBCPP_END_NAMESPACE_STD
