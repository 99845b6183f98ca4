/* Convolution as products in points. FOURS is Winograd's F(4x4, 3x3): tiles of 4x4 outputs from 6x6
   inputs, 36 points. PAIRS is for maps of 2x2: what two pixels make of each other and themselves
   takes three products along an axis, 9 points in place of 16 products, and additions only.

   For FOURS polynomials are evaluated at 0, +-5/8, +-3/2 and infinity: with these the largest
   error, relative to the largest output, is a quarter of that with 0, +-1, +-2, and the numbers are
   exact. Against float64 it is 2e-6 on 14x14x64, 3e-6 on 7x7x128 and 4x4x256, and 1e-6 in the
   derivative by the kernel. */
#ifndef LCRJAX_WINOGRAD_H_
#define LCRJAX_WINOGRAD_H_

#include "conv.h"

typedef enum { NO_LINES, PAIRS, FOURS } Lines;

/* Along one axis of a tile: outputs, points, inputs, and how far these begin before the outputs. */
static inline int lines_tile(Lines lines) { return lines == FOURS ? 4 : 2; }
static inline int lines_span(Lines lines) { return lines == FOURS ? 6 : 3; }
static inline int lines_reach(Lines lines) { return lines == FOURS ? 6 : 2; }
static inline int lines_before(Lines lines) { return lines == FOURS ? 1 : 0; }
static inline int lines_points(Lines lines) { return lines_span(lines) * lines_span(lines); }
enum { LONGEST_TILE = 4, LONGEST_SPAN = 6 };

/* Maps cut into tiles: all live images' tiles one after another. */
typedef struct {
  const Batch *batch;
  int height, width, channels;
  Lines lines;
} Tiles;

static inline int lines_tiles(Lines lines, int length) {
  return (length + lines_tile(lines) - 1) / lines_tile(lines);
}

static inline int64_t winograd_tiles(const Tiles *t) {
  return (int64_t)t->batch->live * lines_tiles(t->lines, t->height) *
         lines_tiles(t->lines, t->width);
}

/* What is worth while, if anything. Depends on shapes alone: how an image is computed must not
   depend on which other images count. */
Lines winograd_lines(const Conv *conv, const Batch *batch);

/* conv_forward, or conv_by_images if `backwards`. `evaluated` is what winograd_evaluate made of the
   kernel, or NULL. */
bool winograd_run(Team *team, Lines lines, const Conv *conv, const Batch *batch,
                  const float *source, const float *kernel, const float *evaluated, Ending ending,
                  bool backwards, float *target);

/* Evaluates a kernel in all points once for many calls of conv_forward's kind. */
int64_t winograd_evaluated_floats(Lines lines, const Conv *conv);
void winograd_evaluate(Team *team, Lines lines, const Conv *conv, const float *kernel,
                       float *evaluated);

/* conv_by_kernel. */
bool winograd_by_kernel(Team *team, const Conv *conv, const Batch *batch, const float *images,
                        const float *cotangent, float *by_kernel);

/* Evaluates inputs of tiles `from` to `to`; point p of a tile goes to values + p * point. */
void winograd_take(const Tiles *tiles, const float *maps, int64_t from, int64_t to, float *values,
                   int64_t point);

#endif
