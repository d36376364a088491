// SPDX-License-Identifier: MIT
#pragma once

/// What the audio thread promises: no allocation, no lock, no system call, no throw, no wait.
///
/// Clang 20 and later check it at compile time (-Werror=function-effects) for the function and for everything it calls,
/// and RealtimeSanitizer checks it again while it runs. GCC knows only the noexcept half, hence the macro. An override
/// inherits the promise of its base, so annotating the base class is enough.
#if __has_cpp_attribute(clang::nonblocking)
#define RTA_NONBLOCKING noexcept [[clang::nonblocking]]
#else
#define RTA_NONBLOCKING noexcept
#endif
