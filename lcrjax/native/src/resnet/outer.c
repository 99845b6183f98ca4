/* The derivative of a convolution by its kernel: for every live tap a matrix of input by output
   channels, summed over the pairs of pixels that the tap joins. */
#include <stdatomic.h>
#include <string.h>

#include "conv.h"
#include "winograd.h"

enum {
  WIDE = 2,                /* vectors of output channels in a block */
  ROWS = 14,               /* input channels in a block: 28 sums stay in registers */
  GROUP_PIXELS = 256,      /* pixels that are worked through together: a core's nearest cache */
  SMALL_BYTES = 256 << 10, /* kernels up to here are summed over parts of the batch, */
  MIDDLE_BYTES = 1 << 20   /* up to here over two; above, the kernel itself is cut up */
};

typedef struct {
  const Conv *conv;
  const Batch *batch;
  const float *images, *cotangent;
  float *by_kernel, *partial;
  Taps rows, columns;
  /* Few input channels: the taps of a kernel row count as one, over images padded with zeros. */
  bool merged;
  int height, width;             /* of the images, with the padding where it is written out */
  int taps, sources;             /* matrices and their rows */
  int source_blocks, out_blocks; /* blocks of a matrix */
  int group, chunks, parts;      /* images at a time; parts of the batch; parts of the blocks */
  atomic_bool starved;
} Outer;

KERNEL static inline __attribute__((always_inline)) void block(const int rows, const int vecs,
                                                               const float *a, const float *b,
                                                               const int32_t *pairs, int64_t n,
                                                               float *c, int64_t stride, bool add) {
  __m512 sum[ROWS][WIDE];
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vecs; v++) {
      sum[r][v] = _mm512_setzero_ps();
      __builtin_prefetch(c + r * stride + v * LANES, 1);
    }
  for (int64_t k = 0; k < n; k++) {
    const float *x = a + pairs[2 * k], *y = b + pairs[2 * k + 1];
    __m512 w[WIDE];
    for (int v = 0; v < vecs; v++) w[v] = _mm512_loadu_ps(y + v * LANES);
#pragma GCC unroll 14
    for (int r = 0; r < rows; r++) {
      const __m512 xr = _mm512_set1_ps(x[r]);
      for (int v = 0; v < vecs; v++) sum[r][v] = _mm512_fmadd_ps(xr, w[v], sum[r][v]);
    }
  }
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vecs; v++) {
      float *to = c + r * stride + v * LANES;
      if (add) sum[r][v] = _mm512_add_ps(sum[r][v], _mm512_loadu_ps(to));
      _mm512_storeu_ps(to, sum[r][v]);
    }
}

typedef void Block(const float *, const float *, const int32_t *, int64_t, float *, int64_t, bool);
#define BLOCK(R, V)                                                                        \
  KERNEL static void block_##R##_##V(const float *a, const float *b, const int32_t *pairs, \
                                     int64_t n, float *c, int64_t stride, bool add) {      \
    block(R, V, a, b, pairs, n, c, stride, add);                                           \
  }
EVERY_BLOCK(1)
EVERY_BLOCK(2)
static Block *const blocks[2][ROWS + 1] = {BLOCK_LIST(1), BLOCK_LIST(2)};

/* The pairs that a tap joins, in a group of images: offsets into packed images and cotangents. */
static int64_t join(const Outer *o, int row, int column, int32_t *pairs) {
  const Conv *c = o->conv;
  const int padding = o->merged ? 0 : c->padding, step = o->merged ? c->c_in : LANES;
  int64_t n = 0;
  for (int b = 0; b < o->group; b++)
    for (int oy = 0; oy < c->out_height; oy++) {
      const int y = oy * c->stride + row - padding;
      if (y < 0 || y >= o->height) continue;
      for (int ox = 0; ox < c->out_width; ox++) {
        const int x = ox * c->stride + column - padding;
        if (x < 0 || x >= o->width) continue;
        pairs[2 * n] = ((b * o->height + y) * o->width + x) * step;
        pairs[2 * n++ + 1] = ((b * c->out_height + oy) * c->out_width + ox) * WIDE * LANES;
      }
    }
  return n;
}

/* `vecs` vectors of every pixel, side by side. */
KERNEL static void pack(const float *from, int64_t stride, int64_t pixels, int vecs, int step,
                        float *to) {
  for (int64_t i = 0; i < pixels; i++)
    for (int v = 0; v < vecs; v++)
      _mm512_storeu_ps(to + i * step + v * LANES, _mm512_loadu_ps(from + i * stride + v * LANES));
}

static int first_source(const Outer *o, int block) {
  return (int)((int64_t)o->sources * block / o->source_blocks);
}

/* A block's vectors may not reach beyond the last channel: they begin earlier then. */
static int packed_from(const Outer *o, int block) {
  const int first = first_source(o, block);
  return first > o->sources - LANES ? o->sources - LANES : first;
}

/* Packs the group of images from `start` on: padded, or one piece for every block of sources. */
static void pack_images(const Outer *o, int start, int images, int from, int to, float *packed,
                        int64_t piece) {
  const Conv *c = o->conv;
  const int64_t pixels = (int64_t)c->height * c->width;
  for (int b = 0; b < images; b++) {
    const float *image = o->images + o->batch->images[start + b] * pixels * c->c_in;
    for (int y = 0; o->merged && y < c->height; y++)
      memcpy(packed + (((int64_t)b * o->height + y + c->padding) * o->width + c->padding) * c->c_in,
             image + (int64_t)y * c->width * c->c_in, sizeof(float) * c->width * c->c_in);
    for (int k = 0; !o->merged && k < o->source_blocks; k++) {
      const int ahead = (k - from % o->source_blocks + o->source_blocks) % o->source_blocks;
      if (ahead < to - from)
        pack(image + packed_from(o, k), c->c_in, pixels, 1, LANES,
             packed + k * piece + b * pixels * LANES);
    }
  }
}

static void outer_task(void *data, int index) {
  Outer *o = data;
  const Conv *c = o->conv;
  const int chunk = index / o->parts, part = index % o->parts, live = o->batch->live;
  const int start = (int)((int64_t)live * chunk / o->chunks);
  const int stop = (int)((int64_t)live * (chunk + 1) / o->chunks);
  const int all = o->out_blocks * o->source_blocks;
  const int from = (int)((int64_t)all * part / o->parts);
  const int to = (int)((int64_t)all * (part + 1) / o->parts);
  const int64_t out_pixels = (int64_t)c->out_height * c->out_width;
  const int64_t pixels = (int64_t)o->height * o->width;
  const int64_t piece = o->group * pixels * (o->merged ? c->c_in : LANES);
  const int64_t table = 2 * out_pixels * o->group;
  int32_t *pairs = team_scratch(0, sizeof(int32_t) * table * o->taps);
  float *images =
      team_scratch(1, sizeof(float) * (piece * (o->merged ? 1 : o->source_blocks) + LANES));
  float *cotangent = team_scratch(3, sizeof(float) * o->group * out_pixels * WIDE * LANES);
  if (pairs == NULL || images == NULL || cotangent == NULL) {
    o->starved = true;
    return;
  }
  if (o->merged) memset(images, 0, sizeof(float) * piece);
  int64_t joined[LARGEST_KERNEL * LARGEST_KERNEL];
  for (int t = 0; t < o->taps; t++) {
    int row = 0, column = 0;
    while (o->rows.rank[row] != (o->merged ? t : t / o->columns.live)) row++;
    while (o->columns.rank[column] != (o->merged ? 0 : t % o->columns.live)) column++;
    joined[t] = join(o, row, column, pairs + t * table) / o->group;
  }
  float *out =
      chunk ? o->partial + (int64_t)(chunk - 1) * o->taps * o->sources * c->c_out : o->by_kernel;
  int image = start;
  do {
    const int many = stop - image < o->group ? stop - image : o->group;
    pack_images(o, image, many, from, to, images, piece);
    for (int u = from; u < to; u++) {
      const int k = u % o->source_blocks, channel = u / o->source_blocks * WIDE * LANES;
      const int vecs = c->c_out - channel < WIDE * LANES ? 1 : WIDE;
      const int first = first_source(o, k), rows = first_source(o, k + 1) - first;
      for (int b = 0; b < many && (u == from || k == 0); b++)
        pack(o->cotangent + o->batch->images[image + b] * out_pixels * c->c_out + channel, c->c_out,
             out_pixels, vecs, WIDE * LANES, cotangent + b * out_pixels * WIDE * LANES);
      const float *a = o->merged ? images + first : images + k * piece + first - packed_from(o, k);
      for (int t = 0; t < o->taps; t++)
        blocks[vecs - 1][rows](a, cotangent, pairs + t * table, joined[t] * many,
                               out + ((int64_t)t * o->sources + first) * c->c_out + channel,
                               c->c_out, image > start);
    }
    image += o->group;
  } while (image < stop);
}

typedef struct {
  float *to;
  const float *from;
  int64_t n;
  int parts;
} Sum;

KERNEL static void sum_task(void *data, int index) {
  const Sum *s = data;
  const int64_t vectors = s->n / LANES;
  for (int64_t i = vectors * index / TASKS; i < vectors * (index + 1) / TASKS; i++) {
    __m512 sum = _mm512_loadu_ps(s->to + i * LANES);
    for (int p = 0; p < s->parts; p++)
      sum = _mm512_add_ps(sum, _mm512_loadu_ps(s->from + p * s->n + i * LANES));
    _mm512_storeu_ps(s->to + i * LANES, sum);
  }
}

bool conv_by_kernel(Team *team, const Conv *c, const Batch *batch, const float *images,
                    const float *cotangent, float *by_kernel) {
  if (winograd_lines(c, batch))
    return winograd_by_kernel(team, c, batch, images, cotangent, by_kernel);
  Outer o = {
      .conv = c, .batch = batch, .images = images, .cotangent = cotangent, .by_kernel = by_kernel};
  o.rows = conv_taps(c->height, c->out_height, c->size, c->stride, c->padding);
  o.columns = conv_taps(c->width, c->out_width, c->size, c->stride, c->padding);
  o.merged = c->c_in < LANES;
  o.height = c->height + (o.merged ? 2 * c->padding : 0);
  o.width = c->width + (o.merged ? 2 * c->padding : 0);
  o.taps = o.merged ? o.rows.live : o.rows.live * o.columns.live;
  o.sources = o.merged ? o.columns.live * c->c_in : c->c_in;
  o.source_blocks = (o.sources + ROWS - 1) / ROWS;
  o.out_blocks = (c->c_out + WIDE * LANES - 1) / (WIDE * LANES);
  const int64_t size = (int64_t)o.taps * o.sources * c->c_out, bytes = 4 * size;
  o.chunks = bytes <= SMALL_BYTES ? SUMS : bytes <= MIDDLE_BYTES ? 2 : 1;
  if (o.chunks > batch->live) o.chunks = batch->live > 0 ? batch->live : 1;
  o.parts = TASKS / o.chunks;
  o.group = GROUP_PIXELS / (c->height * c->width);
  const int most = (batch->live + o.chunks - 1) / o.chunks;
  if (o.group > most) o.group = most;
  if (o.group < 1) o.group = 1;
  if (o.chunks > 1) {
    o.partial = team_scratch(2, sizeof(float) * (o.chunks - 1) * size);
    if (o.partial == NULL) return false;
  }
  team_run(team, o.chunks * o.parts, outer_task, &o);
  if (o.chunks > 1) {
    Sum sum = {by_kernel, o.partial, size, o.chunks - 1};
    team_run(team, TASKS, sum_task, &sum);
  }
  return !o.starved;
}
