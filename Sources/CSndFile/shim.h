// SPDX-License-Identifier: Apache-2.0

// libsndfile, which Swift imports as it is.

#ifndef CSNDFILE_SHIM_H
#define CSNDFILE_SHIM_H

#include <sndfile.h>

#endif
