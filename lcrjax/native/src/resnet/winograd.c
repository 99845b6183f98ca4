/* Convolution in points: inputs and kernel are evaluated in 36 or 9 points, multiplied there as
   matrices (tiles by channels), and outputs interpolated. Every output is one sum over the input
   channels in their order, however the work is cut up. */
#include "winograd.h"

#include <stdatomic.h>

#include "common/transpose.h"
#include "winograd_lines.h"

enum {
  WIDE = 2,        /* vectors of channels in a block */
  ROWS = 14,       /* tiles in a block: 28 sums stay in registers */
  GROUP = 64,      /* tiles that are worked through together, */
  FLOATS = 1 << 13 /* or fewer: inputs in one point */
};

typedef struct {
  Tiles source, target;
  const float *maps, *kernel;
  float *out;
  Ending ending;
  bool backwards;
  int64_t tiles;
  int blocks, groups;
  /* Of the two factors' values the smaller are computed once and shared, the larger piece by piece
     where they are used: evaluated kernels, or evaluated inputs. */
  bool kernel_shared;
  float *shared;
  const float *evaluated;
  atomic_bool starved;
} Winograd;

static int width_of(const Winograd *w, int block) {
  const int left = w->target.channels - block * WIDE * LANES;
  return left < WIDE * LANES ? left : WIDE * LANES;
}

INLINE void take(const Lines lines, const Tiles *t, const float *maps, int64_t from, int64_t to,
                 float *values, int64_t point) {
  const int span = lines_span(lines), reach = lines_reach(lines), before = lines_before(lines);
  const int64_t row = (int64_t)t->width * t->channels;
  for (int64_t tile = from; tile < to; tile++, values += t->channels) {
    const Place p = winograd_place(t, tile);
    const float *corner =
        maps + (p.image * t->height + p.y - before) * row + (int64_t)(p.x - before) * t->channels;
    __mmask16 inside[LONGEST_SPAN];
    for (int i = 0; i < reach; i++)
      inside[i] = p.y + i >= before && p.y + i < t->height + before ? 0xffff : 0;
    for (int c = 0; c < t->channels; c += LANES) {
      __m512 half[LONGEST_SPAN][LONGEST_SPAN];
      for (int x = 0; x < reach; x++) {
        __m512 d[LONGEST_SPAN];
        if (p.x + x < before || p.x + x >= t->width + before)
          for (int y = 0; y < span; y++) half[x][y] = _mm512_setzero_ps();
        else {
          for (int y = 0; y < reach; y++)
            d[y] =
                _mm512_maskz_loadu_ps(inside[y], corner + y * row + (int64_t)x * t->channels + c);
          take_line(lines, d, half[x]);
        }
      }
      for (int y = 0; y < span; y++) {
        __m512 d[LONGEST_SPAN], v[LONGEST_SPAN];
        for (int x = 0; x < reach; x++) d[x] = half[x][y];
        take_line(lines, d, v);
        for (int x = 0; x < span; x++) STORE(values + (y * span + x) * point + c, v[x]);
      }
    }
  }
}

KERNEL void winograd_take(const Tiles *t, const float *maps, int64_t from, int64_t to,
                          float *values, int64_t point) {
  if (t->lines == FOURS) take(FOURS, t, maps, from, to, values, point);
  else take(PAIRS, t, maps, from, to, values, point);
}

/* Interpolates outputs of tiles `from` to `to` in the channels of a block. */
INLINE void give_tiles(const Lines lines, const Winograd *w, int64_t from, int64_t to, int block,
                       const float *products, int64_t point) {
  const int span = lines_span(lines), length = lines_tile(lines);
  const Tiles *t = &w->target;
  const Ending *e = &w->ending;
  const int width = width_of(w, block);
  const int64_t row = (int64_t)t->width * t->channels;
  for (int64_t tile = from; tile < to; tile++, products += width) {
    const Place p = winograd_place(t, tile);
    const int rows = t->height - p.y < length ? t->height - p.y : length;
    const int columns = t->width - p.x < length ? t->width - p.x : length;
    for (int v = 0; v < width; v += LANES) {
      const int c = block * WIDE * LANES + v;
      const int64_t at = (p.image * t->height + p.y) * row + (int64_t)p.x * t->channels + c;
      __m512 half[LONGEST_SPAN][LONGEST_TILE];
      for (int x = 0; x < span; x++) {
        __m512 m[LONGEST_SPAN];
        for (int y = 0; y < span; y++) m[y] = LOAD(products + (y * span + x) * point + v);
        give_line(lines, m, half[x]);
      }
      for (int y = 0; y < rows; y++) {
        __m512 m[LONGEST_SPAN], out[LONGEST_TILE];
        for (int x = 0; x < span; x++) m[x] = half[x][y];
        give_line(lines, m, out);
        for (int x = 0; x < columns; x++) {
          const int64_t o = at + y * row + (int64_t)x * t->channels;
          if (e->factor) out[x] = FMA(out[x], LOAD(e->factor + c), LOAD(e->offset + c));
          if (e->add) out[x] = ADD(out[x], LOAD(e->add + o));
          if (e->relu) out[x] = _mm512_max_ps(_mm512_setzero_ps(), out[x]);
          STORE(w->out + o, out[x]);
        }
      }
    }
  }
}

KERNEL static void give(const Winograd *w, int64_t from, int64_t to, int block,
                        const float *products, int64_t point) {
  if (w->target.lines == FOURS) give_tiles(FOURS, w, from, to, block, products, point);
  else give_tiles(PAIRS, w, from, to, block, products, point);
}

/* Evaluates the kernel of LANES source channels from k on and the target channels of a block. */
INLINE void evaluate(const Lines lines, const Winograd *w, int k, int block, float *values) {
  const int span = lines_span(lines);
  const int64_t sources = w->source.channels, targets = w->target.channels;
  const int width = width_of(w, block);
  const int64_t point = apart(sources * width);
  float transposed[9][LANES * LANES];
  for (int v = 0; v < width; v += LANES) {
    const int n = block * WIDE * LANES + v;
    const float *from = w->kernel + k * targets + n;
    int64_t tap = sources * targets, row = targets;
    if (w->backwards) {
      for (int i = 0; i < 9; i++)
        transpose(w->kernel + (8 - i) * tap + n * sources + k, sources, transposed[i], LANES);
      from = transposed[0], tap = LANES * LANES, row = LANES;
    }
    for (int i = 0; i < LANES; i++) {
      __m512 half[3][LONGEST_SPAN];
      for (int x = 0; x < 3; x++) {
        __m512 g[3];
        for (int y = 0; y < 3; y++) g[y] = LOAD(from + (y * 3 + x) * tap + i * row);
        kernel_line(lines, g, half[x]);
      }
      for (int y = 0; y < span; y++) {
        __m512 g[3], u[LONGEST_SPAN];
        for (int x = 0; x < 3; x++) g[x] = half[x][y];
        kernel_line(lines, g, u);
        for (int x = 0; x < span; x++)
          STORE(values + (y * span + x) * point + (k + i) * width + v, u[x]);
      }
    }
  }
}

KERNEL static void take_kernel(const Winograd *w, int k, int block, float *values) {
  if (w->target.lines == FOURS) evaluate(FOURS, w, k, block, values);
  else evaluate(PAIRS, w, k, block, values);
}

INLINE void block(const int rows, const int vecs, const float *source, int64_t depth,
                  const float *weights, const float *next, float *target) {
  __m512 sum[ROWS][WIDE];
  /* Unrolled throughout, or sums would be stored again and again. */
#pragma GCC unroll 14
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vecs; v++) sum[r][v] = _mm512_setzero_ps();
  /* A pointer for each three rows, hidden from the compiler: one for each row are too many. */
  const float *third[ROWS / 3 + 1];
  for (int i = 0; i < (rows + 2) / 3; i++) third[i] = source + 3 * i * depth;
  /* Fetched on the way: the next rows, and (`next`) half of the next point's weights. */
  const float *ahead = source + rows * depth;
  for (int64_t k = 0; k < depth; k++) {
    __m512 w[WIDE];
    for (int v = 0; v < vecs; v++) w[v] = LOAD(weights + v * LANES);
    weights += vecs * LANES;
    _mm_prefetch(ahead + k * LANES, _MM_HINT_T0);
    _mm_prefetch(next + k * LANES, _MM_HINT_T1);
#pragma GCC unroll 14
    for (int r = 0; r < rows; r++) {
      const __m512 x = SET(third[r / 3][r % 3 * depth]);
      for (int v = 0; v < vecs; v++) sum[r][v] = FMA(x, w[v], sum[r][v]);
    }
#pragma GCC unroll 5
    for (int i = 0; i < (rows + 2) / 3; i++) {
      third[i]++;
      __asm__("" : "+r"(third[i]));
    }
  }
#pragma GCC unroll 14
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vecs; v++) STORE(target + (r * vecs + v) * LANES, sum[r][v]);
}

typedef void Block(const float *, int64_t, const float *, const float *, float *);
#define BLOCK(R, V)                                                                 \
  KERNEL static void block_##R##_##V(const float *s, int64_t depth, const float *w, \
                                     const float *n, float *t) {                    \
    block(R, V, s, depth, w, n, t);                                                 \
  }
EVERY_BLOCK(1)
EVERY_BLOCK(2)
static Block *const blocks[WIDE][ROWS + 1] = {BLOCK_LIST(1), BLOCK_LIST(2)};

/* Multiplies in all points, and interpolates. */
static void multiply(const Winograd *w, int64_t from, int64_t to, int b, const float *inputs,
                     int64_t input_point, const float *kernel, float *products) {
  const int width = width_of(w, b), depth = w->source.channels, tiles = (int)(to - from);
  const int parts = (tiles + ROWS - 1) / ROWS;
  for (int p = 0; p < lines_points(w->source.lines); p++)
    for (int i = 0; i < parts; i++) {
      const int first = tiles * i / parts, rows = tiles * (i + 1) / parts - first;
      blocks[width / LANES - 1][rows](
          inputs + p * input_point + (int64_t)first * depth, depth,
          kernel + p * apart(depth * width),
          kernel + (p + 1) * apart(depth * width) + (i & 1) * depth * LANES,
          products + p * apart(tiles * width) + first * width);
    }
  give(w, from, to, b, products, apart(tiles * width));
}

static int64_t kernel_floats(const Winograd *w) {
  return lines_points(w->source.lines) * apart((int64_t)w->source.channels * WIDE * LANES);
}

static void share_task(void *data, int task) {
  const Winograd *w = data;
  if (w->kernel_shared) {
    const int all = w->blocks * (w->source.channels / LANES);
    for (int i = all * task / TASKS; i < all * (task + 1) / TASKS; i++)
      take_kernel(w, i / w->blocks * LANES, i % w->blocks,
                  w->shared + i % w->blocks * kernel_floats(w));
    return;
  }
  const int64_t from = w->tiles * task / TASKS, to = w->tiles * (task + 1) / TASKS;
  winograd_take(&w->source, w->maps, from, to, w->shared + from * w->source.channels,
                apart(w->tiles * w->source.channels));
}

static void winograd_task(void *data, int task) {
  Winograd *w = data;
  const int64_t largest = w->tiles / w->groups + 1, channels = w->source.channels;
  const int points = lines_points(w->source.lines);
  const int64_t own = w->kernel_shared ? points * apart(largest * channels) : kernel_floats(w);
  float *values = team_scratch(0, sizeof(float) * (own + points * apart(largest * WIDE * LANES)));
  if (values == NULL) {
    w->starved = true;
    return;
  }
  if (w->kernel_shared) {
    const int64_t from = w->tiles * task / w->groups, to = w->tiles * (task + 1) / w->groups;
    const int64_t point = apart((to - from) * channels);
    winograd_take(&w->source, w->maps, from, to, values, point);
    for (int b = 0; b < w->blocks; b++)
      multiply(w, from, to, b, values, point, w->evaluated + b * kernel_floats(w), values + own);
    return;
  }
  for (int k = 0; k < channels; k += LANES) take_kernel(w, k, task, values);
  for (int i = 0; i < w->groups; i++) {
    const int64_t from = w->tiles * i / w->groups, to = w->tiles * (i + 1) / w->groups;
    multiply(w, from, to, task, w->shared + from * channels, apart(w->tiles * channels), values,
             values + own);
  }
}

Lines winograd_lines(const Conv *c, const Batch *batch) {
  if (c->size != 3 || c->stride != 1 || c->padding != 1 || c->c_in % LANES || c->c_out % LANES)
    return NO_LINES;
  const int tiles = lines_tiles(FOURS, c->height) * lines_tiles(FOURS, c->width);
  if (batch->batch * tiles < 8) return NO_LINES;
  if (c->height == 2 && c->width == 2) return PAIRS;
  const int taps = (3 * c->height - 2) * (3 * c->width - 2);
  return 2 * taps >= 3 * lines_points(FOURS) * tiles ? FOURS : NO_LINES;
}

static Winograd plan(Lines lines, const Conv *c, const Batch *batch, const float *kernel,
                     bool backwards) {
  Winograd w = {.source = {batch, c->height, c->width, backwards ? c->c_out : c->c_in, lines},
                .target = {batch, c->height, c->width, backwards ? c->c_in : c->c_out, lines},
                .kernel = kernel,
                .backwards = backwards};
  w.blocks = (w.target.channels + WIDE * LANES - 1) / (WIDE * LANES);
  return w;
}

int64_t winograd_evaluated_floats(Lines lines, const Conv *c) {
  const Winograd w = plan(lines, c, NULL, NULL, false);
  return w.blocks * kernel_floats(&w);
}

void winograd_evaluate(Team *team, Lines lines, const Conv *c, const float *kernel,
                       float *evaluated) {
  Winograd w = plan(lines, c, NULL, kernel, false);
  w.kernel_shared = true;
  w.shared = evaluated;
  team_run(team, TASKS, share_task, &w);
}

bool winograd_run(Team *team, Lines lines, const Conv *c, const Batch *batch, const float *source,
                  const float *kernel, const float *evaluated, Ending ending, bool backwards,
                  float *target) {
  Winograd w = plan(lines, c, batch, kernel, backwards);
  w.maps = source;
  w.out = target;
  w.ending = ending;
  w.tiles = winograd_tiles(&w.source);
  const int64_t kernels = w.blocks * kernel_floats(&w);
  const int64_t inputs = lines_points(lines) * apart(w.tiles * w.source.channels);
  w.kernel_shared = evaluated || kernels <= inputs;
  int most = w.kernel_shared ? FLOATS / w.source.channels : GROUP;
  most = most > GROUP ? GROUP : most < 1 ? 1 : most;
  w.groups = (int)((w.tiles + most - 1) / most);
  if (w.kernel_shared && !team_alone(team)) w.groups = (w.groups + SUMS - 1) / SUMS * SUMS;
  if (w.tiles > 0) {
    if (!evaluated) {
      w.shared = team_scratch(2, sizeof(float) * (w.kernel_shared ? kernels : inputs));
      if (w.shared == NULL) return false;
      team_run(team, TASKS, share_task, &w);
    }
    w.evaluated = evaluated ? evaluated : w.shared;
    team_run(team, w.kernel_shared ? w.groups : w.blocks, winograd_task, &w);
  }
  conv_clear(batch, target, (int64_t)c->height * c->width * w.target.channels);
  return !w.starved;
}
