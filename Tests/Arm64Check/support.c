// SPDX-License-Identifier: Apache-2.0

// What the embedded standard library and the check need from the platform.
#include "CVec.h"
#include <stdio.h>
#include <stdlib.h>

// So that nothing is lost where the check traps.
__attribute__((constructor)) static void unbuffer(void) { setvbuf(stdout, NULL, _IONBF, 0); }

void flush_denormals(void) { cvec_flush_denormals(); }

// Seeds hash tables; need not be random here. glibc of some releases lacks it.
__attribute__((weak)) void arc4random_buf(void *buffer, size_t count) {
  for (size_t i = 0; i < count; ++i) ((unsigned char *)buffer)[i] = (unsigned char)(i * 37);
}
