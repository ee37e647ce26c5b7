// SPDX-License-Identifier: Apache-2.0

// libjpeg, behind one function. It reports errors by a callback that must not return, and such a
// callback cannot be written in Swift.

#ifndef CJPEG_SHIM_H
#define CJPEG_SHIM_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// The properties that a file declares, and its problem, if there is one.
typedef struct {
  uint32_t width, height;
  int channels;  // 1 (gray), 3 (red, green, blue) or 4 (cyan, magenta, yellow, black)
  char message[JMSG_LENGTH_MAX];
} CJPEG_image;

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf jump;
  CJPEG_image *image;
} CJPEG_errors;

static void CJPEG_fail(j_common_ptr info) {
  CJPEG_errors *errors = (CJPEG_errors *)info->err;
  errors->base.format_message(info, errors->image->message);
  longjmp(errors->jump, 1);
}

// A warning means lost data and is an error, except for these, which every decoder ignores.
static void CJPEG_warn(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_ICC:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR: return;
    default: CJPEG_fail(info);
  }
}

// A small file may declare any number of scans.
static void CJPEG_progress(j_common_ptr info) {
  if (info->is_decompressor && ((j_decompress_ptr)info)->input_scan_number > 200) {
    CJPEG_errors *errors = (CJPEG_errors *)info->err;
    strcpy(errors->image->message, "it has more than 200 scans");
    longjmp(errors->jump, 1);
  }
}

// Reads the header into `image` and, unless `out` is NULL, the pixels with 8 bits per number.
// Returns 0 on success.
static int CJPEG_read(
    const uint8_t *bytes, size_t count, CJPEG_image *image, uint8_t *out, size_t size) {
  struct jpeg_decompress_struct info;
  struct jpeg_progress_mgr progress;
  CJPEG_errors errors;
  memset(image, 0, sizeof *image);
  memset(&info, 0, sizeof info);
  memset(&progress, 0, sizeof progress);
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = CJPEG_fail;
  errors.base.emit_message = CJPEG_warn;
  errors.image = image;
  progress.progress_monitor = CJPEG_progress;
  if (setjmp(errors.jump)) {
    jpeg_destroy_decompress(&info);
    return 1;
  }
  jpeg_create_decompress(&info);
  info.progress = &progress;
  jpeg_mem_src(&info, bytes, count);
  jpeg_read_header(&info, TRUE);
  image->width = info.image_width;
  image->height = info.image_height;
  image->channels = info.num_components == 1 ? 1 : info.num_components == 4 ? 4 : 3;
  if (out) {
    info.out_color_space =
        image->channels == 1 ? JCS_GRAYSCALE : image->channels == 4 ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info);
    size_t width = (size_t)info.output_width * image->channels;
    if (info.output_components != image->channels || width * info.output_height != size) {
      strcpy(image->message, "the size of its rows differs from that in its header");
      longjmp(errors.jump, 1);
    }
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = out + info.output_scanline * width;
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
  }
  jpeg_destroy_decompress(&info);
  return 0;
}

#endif
