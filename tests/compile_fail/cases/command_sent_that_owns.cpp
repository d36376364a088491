// SPDX-License-Identifier: MIT
// layers: engine
// gcc: static assertion failed
// clang: static assertion failed .*is_trivially_copyable
// Ring elements own nothing: the audio thread could not free a message that contains a std::string.
#include <string>

#include "engine/messages.h"

struct Message {
    rta::Command command;
#ifdef RTA_FAULT
    std::string text;
#else
    const char* text;
#endif
};

std::size_t capacity() { return rta::SpscRing<Message>{16}.capacity(); }
