/* Winograd's F(4x4, 3x3): tiles of 4x4 outputs from 6x6 inputs, as products in 36 points.

   Polynomials are evaluated at 0, +-5/8, +-3/2 and infinity: with these the largest error, relative
   to the largest output, is a quarter of that with 0, +-1, +-2, and the numbers are exact. Against
   float64 it is 2e-6 on 14x14x64, 3e-6 on 7x7x128 and 4x4x256, and 1e-6 in the derivative by the
   kernel. */
#ifndef LCRJAX_WINOGRAD_H_
#define LCRJAX_WINOGRAD_H_

#include "conv.h"

enum { TILE = 4, SPAN = 6, POINTS = SPAN * SPAN };

/* Maps cut into tiles: all live images' tiles one after another. */
typedef struct {
  const Batch *batch;
  int height, width, channels;
} Tiles;

static inline int winograd_tiles(int length) { return (length + TILE - 1) / TILE; }

/* Whether it is worth while. Depends on shapes alone: how an image is computed must not depend on
   which other images count. */
bool winograd_serves(const Conv *conv, const Batch *batch);

/* conv_forward, or conv_by_images if `backwards`. */
bool winograd_run(Team *team, const Conv *conv, const Batch *batch, const float *source,
                  const float *kernel, Ending ending, bool backwards, float *target);

/* conv_by_kernel. */
bool winograd_by_kernel(Team *team, const Conv *conv, const Batch *batch, const float *images,
                        const float *cotangent, float *by_kernel);

/* Evaluates inputs of tiles `from` to `to`; point p of a tile goes to values + p * point. */
void winograd_take(const Tiles *tiles, const float *maps, int64_t from, int64_t to, float *values,
                   int64_t point);

#endif
