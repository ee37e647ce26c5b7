// SPDX-License-Identifier: Apache-2.0

// zlib, with the initializer that Swift cannot import because it is a macro.

#ifndef CZLIB_SHIM_H
#define CZLIB_SHIM_H

#include <zlib.h>

// Prepares `stream` for a gzip file: a 32 KiB window, plus 16 for the gzip header.
static inline int CZlib_inflateInitGzip(z_stream *stream) {
  return inflateInit2(stream, 15 + 16);
}

// Prepares `stream` for data without a header, as in a zip archive.
static inline int CZlib_inflateInitRaw(z_stream *stream) { return inflateInit2(stream, -15); }

// Prepares `stream` for data with zlib's own header.
static inline int CZlib_inflateInit(z_stream *stream) { return inflateInit(stream); }

#endif
