// SPDX-License-Identifier: MIT
// layers: engine
// gcc: fatal error: io/audio_device.h: No such file or directory
// clang: fatal error: 'io/audio_device.h' file not found
// Includes go only leftward: the engine knows no device.
#ifdef RTA_FAULT
#include "io/audio_device.h"
#endif
#include "engine/engine.h"
