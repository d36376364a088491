// SPDX-License-Identifier: MIT
// layers: engine
// gcc: static assertion failed
// clang: static assertion failed .*is_trivially_copyable
// What travels in a ring owns nothing: a message with a std::string in it could not be freed on the audio thread.
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
