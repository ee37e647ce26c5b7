// SPDX-License-Identifier: Apache-2.0

// libpng, behind two functions: it reports errors by setjmp and longjmp, which Swift cannot use.

#ifndef CPNG_SHIM_H
#define CPNG_SHIM_H

#include <png.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The properties that a file declares, and its problem, if there is one.
typedef struct {
  uint32_t width, height;
  int channels;  // 1 (gray) or 3 (red, green, blue), after conversion
  char message[200];
} CPNG_image;

// Bytes that are read from the first to the last.
typedef struct {
  const uint8_t *bytes;
  size_t count, used;
  CPNG_image *image;
} CPNG_source;

static void CPNG_take(png_structp png, png_bytep out, size_t count) {
  CPNG_source *source = (CPNG_source *)png_get_io_ptr(png);
  if (count > source->count - source->used) png_error(png, "the file ends too early");
  memcpy(out, source->bytes + source->used, count);
  source->used += count;
}

static void CPNG_fail(png_structp png, png_const_charp message) {
  CPNG_source *source = (CPNG_source *)png_get_error_ptr(png);
  strncpy(source->image->message, message, sizeof source->image->message - 1);
  png_longjmp(png, 1);
}

static void CPNG_ignore(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

// Reads the header into `image` and, unless `out` is NULL, the pixels: 8 bits a number, palettes
// and fewer bits expanded, 16 bits scaled to 8, transparency dropped. Returns 0 if all went well.
static int CPNG_read(
    const uint8_t *bytes, size_t count, CPNG_image *image, uint8_t *out, size_t size) {
  CPNG_source source = {bytes, count, 0, image};
  memset(image, 0, sizeof *image);
  png_structp png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, CPNG_fail, CPNG_ignore);
  if (!png) return 1;
  png_infop info = png_create_info_struct(png);
  png_bytepp volatile rows = NULL;
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, info ? &info : NULL, NULL);
    free(rows);
    return 1;
  }
  png_set_read_fn(png, &source, CPNG_take);
  png_read_info(png, info);
  image->width = png_get_image_width(png, info);
  image->height = png_get_image_height(png, info);
  image->channels = png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR ? 3 : 1;
  if (out) {
    png_set_scale_16(png);
    if (png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (png_get_color_type(png, info) == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(png);
    png_set_strip_alpha(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t width = (size_t)image->width * image->channels;
    if (png_get_rowbytes(png, info) != width || width * image->height != size) {
      png_error(png, "the size of its rows differs from that in its header");
    }
    rows = (png_bytepp)malloc(image->height * sizeof *rows);
    if (!rows) png_error(png, "there is not enough memory for it");
    for (size_t y = 0; y < image->height; y += 1) rows[y] = out + y * width;
    png_read_image(png, rows);
    png_read_end(png, NULL);
    free(rows);
  }
  png_destroy_read_struct(&png, &info, NULL);
  return 0;
}

#endif
