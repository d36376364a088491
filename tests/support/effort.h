// SPDX-License-Identifier: MIT
#pragma once

namespace rta::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(realtime_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

/// Number of random cases of a test: `all` of them, or `sanitized` in a build with a sanitizer.
///
/// The results of all cases are checked in the release build. A sanitizer checks each memory access, lock or call on
/// the way, and further cases execute the same code again at five to twenty times the cost.
template <class Number>
[[nodiscard]] constexpr Number cases(Number all, Number sanitized) {
    return kSanitized ? sanitized : all;
}

}  // namespace rta::test
