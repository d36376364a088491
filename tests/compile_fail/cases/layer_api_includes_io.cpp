// SPDX-License-Identifier: MIT
// layers: api
// gcc: fatal error: io/audio_device.h: No such file or directory
// clang: fatal error: 'io/audio_device.h' file not found
// Includes go only leftward: api reaches devices through Host, which app implements.
#ifdef RTA_FAULT
#include "io/audio_device.h"
#endif
#include "api/host.h"
