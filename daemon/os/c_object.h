// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

namespace rta::os {

template <auto kFree>
struct Frees {
    template <class Object>
    void operator()(Object* object) const noexcept {
        kFree(object);
    }
};

/// Owns an object of a C library, which `kFree` frees: `CObject<SSL, SSL_free>`.
template <class Object, auto kFree>
using CObject = std::unique_ptr<Object, Frees<kFree>>;

}  // namespace rta::os
