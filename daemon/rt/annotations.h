// SPDX-License-Identifier: MIT
#pragma once

/// Marks a function that the audio thread may call: it does not allocate, lock, make a system call, throw or wait.
///
/// Clang 20 and later check this at compile time (-Werror=function-effects) for the function and its callees;
/// RealtimeSanitizer checks it at run time. GCC supports only the noexcept part, therefore the macro. Overrides inherit
/// the annotation of the base class.
#if __has_cpp_attribute(clang::nonblocking)
#define RTA_NONBLOCKING noexcept [[clang::nonblocking]]
#else
#define RTA_NONBLOCKING noexcept
#endif
