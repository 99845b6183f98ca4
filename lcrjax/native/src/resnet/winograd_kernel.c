/* The derivative by the kernel in points: there it is one product of inputs and
   cotangents over the tiles, which is interpolated once. */
#include <stdatomic.h>
#include <string.h>

#include "winograd_lines.h"

enum {
  WIDE = 2,                /* vectors of output channels in a block */
  ROWS = 14,               /* input channels in a block: 28 sums stay in registers */
  GROUP = 64,              /* tiles that are worked through together */
  SMALL_BYTES = 1024 << 10 /* derivatives in all points up to here are summed by chunks of tiles */
};

typedef struct {
  Tiles source, target;
  const float *images, *cotangent;
  float *by_kernel;
  int64_t tiles;
  int blocks, chunks; /* of output channels; of tiles */
  /* Small: every chunk of tiles has sums of its own, for all blocks. Else every block of channels
     is a task, and inputs are evaluated once for all. */
  bool small;
  float *shared; /* the sums of chunks but the first, or inputs */
  atomic_bool starved;
} Derivative;

static int width_of(const Derivative *d, int block) {
  const int left = d->target.channels - block * WIDE * LANES;
  return left < WIDE * LANES ? left : WIDE * LANES;
}

static int64_t kernel_floats(const Derivative *d) {
  return 9ll * d->source.channels * d->target.channels;
}

/* Evaluates cotangents of tiles `from` to `to` in the channels of a block. */
INLINE void take(const Lines lines, const Derivative *d, int64_t from, int64_t to, int block,
                 float *values, int64_t point) {
  const int span = lines_span(lines), length = lines_tile(lines);
  const Tiles *t = &d->target;
  const int width = width_of(d, block);
  const int64_t row = (int64_t)t->width * t->channels;
  for (int64_t tile = from; tile < to; tile++, values += width) {
    const Place p = winograd_place(t, tile);
    for (int v = 0; v < width; v += LANES) {
      const float *corner = d->cotangent + (p.image * t->height + p.y) * row +
                            (int64_t)p.x * t->channels + block * WIDE * LANES + v;
      __m512 half[LONGEST_TILE][LONGEST_SPAN];
      for (int x = 0; x < length; x++) {
        __m512 y[LONGEST_TILE];
        for (int i = 0; i < length; i++)
          y[i] = p.y + i < t->height && p.x + x < t->width
                     ? LOAD(corner + i * row + (int64_t)x * t->channels)
                     : _mm512_setzero_ps();
        take_cotangent_line(lines, y, half[x]);
      }
      for (int y = 0; y < span; y++) {
        __m512 line[LONGEST_TILE], w[LONGEST_SPAN];
        for (int x = 0; x < length; x++) line[x] = half[x][y];
        take_cotangent_line(lines, line, w);
        for (int x = 0; x < span; x++) STORE(values + (y * span + x) * point + v, w[x]);
      }
    }
  }
}

KERNEL static void take_cotangent(const Derivative *d, int64_t from, int64_t to, int block,
                                  float *values, int64_t point) {
  if (d->target.lines == FOURS) take(FOURS, d, from, to, block, values, point);
  else take(PAIRS, d, from, to, block, values, point);
}

/* Interpolates the derivative in the output channels of a block. */
INLINE void give(const Lines lines, const Derivative *d, int block, const float *sums, float *to) {
  const int span = lines_span(lines);
  const int64_t sources = d->source.channels, targets = d->target.channels;
  const int width = width_of(d, block);
  const int64_t point = apart(sources * width);
  for (int k = 0; k < sources; k++)
    for (int v = 0; v < width; v += LANES) {
      __m512 half[LONGEST_SPAN][3];
      for (int x = 0; x < span; x++) {
        __m512 m[LONGEST_SPAN];
        for (int y = 0; y < span; y++) m[y] = LOAD(sums + (y * span + x) * point + k * width + v);
        give_kernel_line(lines, m, half[x]);
      }
      for (int y = 0; y < 3; y++) {
        __m512 m[LONGEST_SPAN], g[3];
        for (int x = 0; x < span; x++) m[x] = half[x][y];
        give_kernel_line(lines, m, g);
        for (int x = 0; x < 3; x++)
          STORE(to + ((y * 3 + x) * sources + k) * targets + block * WIDE * LANES + v, g[x]);
      }
    }
}

KERNEL static void give_kernel(const Derivative *d, int block, const float *sums, float *to) {
  if (d->source.lines == FOURS) give(FOURS, d, block, sums, to);
  else give(PAIRS, d, block, sums, to);
}

INLINE void block(const int rows, const int vecs, const float *a, int64_t stride, const float *b,
                  int tiles, const float *ahead, float *c, bool add) {
  __m512 sum[ROWS][WIDE];
  /* Unrolled throughout, or sums would be kept in memory. */
#pragma GCC unroll 14
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vecs; v++) {
      sum[r][v] = _mm512_setzero_ps();
      __builtin_prefetch(c + (r * vecs + v) * LANES, 1);
    }
  for (int t = 0; t < tiles; t++) {
    __m512 w[WIDE];
    for (int v = 0; v < vecs; v++) w[v] = LOAD(b + v * LANES);
    b += vecs * LANES;
    _mm_prefetch(ahead + t * LANES, _MM_HINT_T0);
#pragma GCC unroll 14
    for (int r = 0; r < rows; r++) {
      const __m512 x = SET(a[r]);
      for (int v = 0; v < vecs; v++) sum[r][v] = FMA(x, w[v], sum[r][v]);
    }
    a += stride;
  }
#pragma GCC unroll 14
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vecs; v++) {
      float *to = c + (r * vecs + v) * LANES;
      STORE(to, add ? ADD(sum[r][v], LOAD(to)) : sum[r][v]);
    }
}

typedef void Block(const float *, int64_t, const float *, int, const float *, float *, bool);
#define BLOCK(R, V)                                                                             \
  KERNEL static void block_##R##_##V(const float *a, int64_t stride, const float *b, int tiles, \
                                     const float *ahead, float *c, bool add) {                  \
    block(R, V, a, stride, b, tiles, ahead, c, add);                                            \
  }
EVERY_BLOCK(1)
EVERY_BLOCK(2)
static Block *const blocks[WIDE][ROWS + 1] = {BLOCK_LIST(1), BLOCK_LIST(2)};

static void multiply(const Derivative *d, int b, const float *inputs, int64_t input_point,
                     const float *cotangents, int64_t cotangent_point, int tiles, float *sums,
                     bool add) {
  const int width = width_of(d, b), sources = d->source.channels;
  const int parts = (sources + ROWS - 1) / ROWS;
  for (int p = 0; p < lines_points(d->source.lines); p++)
    for (int i = 0; i < parts; i++) {
      const int first = sources * i / parts, rows = sources * (i + 1) / parts - first;
      blocks[width / LANES - 1][rows](inputs + p * input_point + first, sources,
                                      cotangents + p * cotangent_point, tiles,
                                      inputs + (p + 1) * input_point + (int64_t)i * tiles * LANES,
                                      sums + p * apart(sources * width) + first * width, add);
    }
}

static void inputs_task(void *data, int task) {
  const Derivative *d = data;
  const int64_t from = d->tiles * task / TASKS, to = d->tiles * (task + 1) / TASKS;
  winograd_take(&d->source, d->images, from, to, d->shared + from * d->source.channels,
                apart(d->tiles * d->source.channels));
}

static void derivative_task(void *data, int task) {
  Derivative *d = data;
  const int chunk = d->small ? task : 0, first = d->small ? 0 : task;
  const int last = d->small ? d->blocks : task + 1, sources = d->source.channels;
  const int64_t start = d->tiles * chunk / d->chunks, stop = d->tiles * (chunk + 1) / d->chunks;
  const int points = lines_points(d->source.lines);
  const int64_t sum_floats = points * apart(sources * WIDE * LANES);
  const int64_t cotangent_floats = points * apart(GROUP * WIDE * LANES);
  const int64_t input_floats = d->small ? points * apart(GROUP * sources) : 0;
  float *sums = team_scratch(
      0, sizeof(float) * ((last - first) * sum_floats + cotangent_floats + input_floats));
  if (sums == NULL) {
    d->starved = true;
    return;
  }
  float *cotangents = sums + (last - first) * sum_floats, *own = cotangents + cotangent_floats;
  const int groups = (int)((stop - start + GROUP - 1) / GROUP);
  for (int g = 0; g < groups; g++) {
    const int64_t from = start + (stop - start) * g / groups;
    const int64_t to = start + (stop - start) * (g + 1) / groups;
    const int tiles = (int)(to - from);
    const float *inputs = d->small ? own : d->shared + from * sources;
    const int64_t input_point = apart((d->small ? tiles : d->tiles) * sources);
    if (d->small) winograd_take(&d->source, d->images, from, to, own, input_point);
    for (int b = first; b < last; b++) {
      const int64_t point = apart(tiles * width_of(d, b));
      take_cotangent(d, from, to, b, cotangents, point);
      multiply(d, b, inputs, input_point, cotangents, point, tiles, sums + (b - first) * sum_floats,
               g > 0);
    }
  }
  float *to = chunk ? d->shared + (chunk - 1) * kernel_floats(d) : d->by_kernel;
  for (int b = first; b < last; b++) give_kernel(d, b, sums + (b - first) * sum_floats, to);
}

bool winograd_by_kernel(Team *team, const Conv *c, const Batch *batch, const float *images,
                        const float *cotangent, float *by_kernel) {
  const Lines lines = winograd_lines(c, batch);
  const int points = lines_points(lines);
  Derivative d = {.source = {batch, c->height, c->width, c->c_in, lines},
                  .target = {batch, c->height, c->width, c->c_out, lines},
                  .images = images,
                  .cotangent = cotangent,
                  .by_kernel = by_kernel};
  d.tiles = winograd_tiles(&d.source);
  d.blocks = (c->c_out + WIDE * LANES - 1) / (WIDE * LANES);
  d.small = 4ll * points * c->c_in * c->c_out <= SMALL_BYTES;
  d.chunks = !d.small ? 1 : d.tiles < SUMS ? (int)d.tiles : SUMS;
  const int64_t floats = kernel_floats(&d);
  if (d.tiles == 0) {
    memset(by_kernel, 0, sizeof(float) * floats);
    return true;
  }
  d.shared = team_scratch(
      2, sizeof(float) * (d.small ? (SUMS - 1) * floats : points * apart(d.tiles * c->c_in)));
  if (d.shared == NULL) return false;
  if (!d.small) team_run(team, TASKS, inputs_task, &d);
  team_run(team, d.small ? d.chunks : d.blocks, derivative_task, &d);
  for (int part = 1; part < d.chunks && !d.starved; part++)
    for (int64_t i = 0; i < floats; i++) by_kernel[i] += d.shared[(part - 1) * floats + i];
  return !d.starved;
}
