// SPDX-License-Identifier: Apache-2.0

// libsamplerate, which Swift imports as it is.

#ifndef CSAMPLERATE_SHIM_H
#define CSAMPLERATE_SHIM_H

#include <samplerate.h>

#endif
