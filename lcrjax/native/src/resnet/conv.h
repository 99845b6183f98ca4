/* Convolution of channels-last float32 maps and its two derivatives. Products with padding are
   left out, not multiplied by zero; every sum has one order, whatever the threads do. */
#ifndef LCRJAX_CONV_H_
#define LCRJAX_CONV_H_

#include "common/lanes.h"
#include "team.h"

#define LOAD _mm512_loadu_ps
#define STORE _mm512_storeu_ps

enum { LARGEST_KERNEL = 16 /* pixels a side */ };

/* Tasks of a phase, and parts of a sum over images: constants, so that sums do not depend on the
   machine. */
enum { TASKS = 8, SUMS = 4 };

typedef struct {
  int batch, live;   /* images in the arrays, and those of them that count, */
  const int *images; /* their places, ascending; the others give zeros */
} Batch;

typedef struct {
  int height, width, c_in;
  int out_height, out_width, c_out;
  int size, stride, padding;
} Conv;

/* What becomes of an output: times `factor`, plus `offset` (per channel; NULL: 1 and 0), plus
   `add` (a map; may be the output itself), its positive part. */
typedef struct {
  const float *factor, *offset, *add;
  bool relu;
} Ending;

/* Kernel positions along one axis that meet at least one pixel; `rank` counts them, -1: dead. */
typedef struct {
  int live, rank[LARGEST_KERNEL];
} Taps;

Taps conv_taps(int length, int out_length, int size, int stride, int padding);

/* Kernels are (live taps, c_in, c_out). c_out must be a multiple of LANES, and c_in for the
   derivative by the images. All return false where there is no memory. */
bool conv_forward(Team *team, const Conv *conv, const Batch *batch, const float *images,
                  const float *kernel, Ending ending, float *out);
bool conv_by_images(Team *team, const Conv *conv, const Batch *batch, const float *cotangent,
                    const float *kernel, Ending ending, float *by_images);
bool conv_by_kernel(Team *team, const Conv *conv, const Batch *batch, const float *images,
                    const float *cotangent, float *by_kernel);

/* Writes zeros for the images that do not count. */
void conv_clear(const Batch *batch, float *maps, int64_t image_size);

/* A file's BLOCK(R, V) defines block_R_V for R rows and V vectors, so that loops over both unroll:
   all of them, and their list. */
/* clang-format off */
#define EVERY_BLOCK(V)                                                                                \
  BLOCK(1, V) BLOCK(2, V) BLOCK(3, V) BLOCK(4, V) BLOCK(5, V) BLOCK(6, V) BLOCK(7, V)            \
  BLOCK(8, V) BLOCK(9, V) BLOCK(10, V) BLOCK(11, V) BLOCK(12, V) BLOCK(13, V) BLOCK(14, V)
#define BLOCK_LIST(V)                                                                            \
  {0,            block_1_##V,  block_2_##V,  block_3_##V,  block_4_##V,                          \
   block_5_##V,  block_6_##V,  block_7_##V,  block_8_##V,  block_9_##V,                          \
   block_10_##V, block_11_##V, block_12_##V, block_13_##V, block_14_##V}
/* clang-format on */

#endif
