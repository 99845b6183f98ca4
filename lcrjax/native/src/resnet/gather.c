/* Convolution and its derivative by the images: an output pixel is a sum over the source pixels
   that some tap joins to it, and outputs that meet the same taps are computed together. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/transpose.h"
#include "winograd.h"

enum {
  WIDE = 4, /* vectors of channels in a block */
  ROWS = 6, /* pixels in a block that wide: 24 sums stay in registers */
  NARROW_ROWS = 8,
  AHEAD = 24,              /* rows of a kernel to fetch in advance */
  GROUP_BYTES = 512 << 10, /* source images that are worked through together */
};

/* Positions along one axis that meet the same taps. `place` is where the tap of the first source
   lies in packed weights; the next sources' taps follow it along the packed axis, or lie at
   `places` where they need not follow. */
typedef struct {
  int taps, first, count;
  int places[LARGEST_KERNEL];
  int *to, *from;
} Class;

typedef struct {
  int classes, order[LARGEST_KERNEL];
  Taps taps;
  Class *class;
  int *memory;
} Line;

typedef struct {
  const float *source, *weights;
  float *target;
  Ending ending;
  bool backwards;
  const Batch *batch;
  int source_height, source_width, source_channels;
  int target_height, target_width, target_channels;
  Line rows, columns;
  int blocks, chunks; /* of channels, of images */
  atomic_bool starved;
} Gather;

typedef struct {
  int64_t offset, length, place;
} Run;

Taps conv_taps(int length, int out_length, int size, int stride, int padding) {
  Taps taps = {0};
  for (int t = 0; t < size; t++) {
    bool meets = false;
    for (int o = 0; o < out_length && !meets; o++) {
      const int at = o * stride + t - padding;
      meets = at >= 0 && at < length;
    }
    taps.rank[t] = meets ? taps.live++ : -1;
  }
  return taps;
}

void conv_clear(const Batch *batch, float *maps, int64_t image_size) {
  for (int b = 0, i = 0; b < batch->batch; b++)
    if (i < batch->live && batch->images[i] == b) i++;
    else memset(maps + b * image_size, 0, sizeof(float) * image_size);
}

/* The sources of position `at`: the first, its tap, and how many there are. */
static int sources(int at, int length, int out_length, const Conv *c, bool backwards, int *from,
                   int *tap) {
  int first, last;
  if (backwards) {
    const int low = at + c->padding - c->size + 1;
    first = low <= 0 ? 0 : (low + c->stride - 1) / c->stride;
    last = (at + c->padding) / c->stride;
    if (last > out_length - 1) last = out_length - 1;
    *tap = at + c->padding - first * c->stride;
    *from = first;
  } else {
    const int start = at * c->stride - c->padding;
    first = start < 0 ? -start : 0;
    last = length - 1 - start < c->size - 1 ? length - 1 - start : c->size - 1;
    *tap = first;
    *from = start + first;
  }
  if (last >= first) return last - first + 1;
  *tap = *from = 0;
  return 0;
}

static bool make_line(Line *line, int length, int out_length, const Conv *c, bool backwards) {
  const int n = backwards ? length : out_length;
  *line = (Line){.taps = conv_taps(length, out_length, c->size, c->stride, c->padding)};
  line->class = calloc(n, sizeof *line->class);
  line->memory = malloc(sizeof(int) * 4 * n);
  if (line->class == NULL || line->memory == NULL) return false;
  /* Packed so that ascending sources meet neighbouring taps: backwards these are `stride` apart
     and descend. */
  int place[LARGEST_KERNEL] = {0}, places = 0;
  for (int residue = 0; residue < (backwards ? c->stride : 1); residue++)
    for (int i = 0; i < c->size; i++) {
      const int tap = backwards ? c->size - 1 - i : i;
      if (line->taps.rank[tap] < 0 || (backwards && tap % c->stride != residue)) continue;
      line->order[places] = tap;
      place[tap] = places++;
    }
  int *class_of = line->memory + 2 * n, *source = class_of + n;
  for (int at = 0; at < n; at++) {
    int tap, k = 0;
    const int taps = sources(at, length, out_length, c, backwards, &source[at], &tap);
    while (k < line->classes && (line->class[k].taps != taps || line->class[k].first != tap)) k++;
    Class *class = &line->class[k];
    if (k == line->classes) {
      line->classes++;
      class->taps = taps;
      class->first = tap;
      for (int i = 0; i < taps; i++)
        class->places[i] = place[backwards ? tap - i * c->stride : tap + i];
    }
    class->count++;
    class_of[at] = k;
  }
  int *next = line->memory;
  for (int k = 0; k < line->classes; k++) {
    Class *class = &line->class[k];
    class->to = next;
    class->from = next + class->count;
    next += 2 * class->count;
    for (int at = 0, i = 0; at < n; at++)
      if (class_of[at] == k) {
        class->to[i] = at;
        class->from[i++] = source[at];
      }
  }
  return true;
}

/* rows x vecs vectors of output: sums of source times packed weights along the runs. */
KERNEL static inline __attribute__((always_inline)) void block(
    const int rows, const int vecs, const float *const *source, const Run *runs, int n,
    const float *packed, const Ending *ending, int channel, float *const *target,
    const int64_t *at) {
  __m512 sum[NARROW_ROWS][WIDE];
  for (int r = 0; r < rows; r++)
    for (int v = 0; v < vecs; v++) sum[r][v] = _mm512_setzero_ps();
  for (int i = 0; i < n; i++) {
    const float *pixel[NARROW_ROWS], *weights = packed + runs[i].place * (vecs * LANES);
    const int64_t length = runs[i].length;
    for (int r = 0; r < rows; r++) pixel[r] = source[r] + runs[i].offset;
    for (int64_t k = 0; k < length; k++) {
      __m512 w[WIDE];
      for (int v = 0; v < vecs; v++) w[v] = _mm512_loadu_ps(weights + v * LANES);
      weights += vecs * LANES;
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++) {
        const __m512 x = _mm512_set1_ps(pixel[r][k]);
        for (int v = 0; v < vecs; v++) sum[r][v] = _mm512_fmadd_ps(x, w[v], sum[r][v]);
      }
    }
  }
  for (int v = 0; v < vecs; v++) {
    const int c = channel + v * LANES;
    for (int r = 0; r < rows; r++) {
      __m512 y = sum[r][v];
      if (ending->factor)
        y = _mm512_fmadd_ps(y, _mm512_loadu_ps(ending->factor + c),
                            _mm512_loadu_ps(ending->offset + c));
      if (ending->add) y = _mm512_add_ps(y, _mm512_loadu_ps(ending->add + at[r] + v * LANES));
      if (ending->relu) y = _mm512_max_ps(_mm512_setzero_ps(), y);
      _mm512_storeu_ps(target[r] + v * LANES, y);
    }
  }
}

typedef void Block(const float *const *, const Run *, int, const float *, const Ending *, int,
                   float *const *, const int64_t *);
#define BLOCK(R, V)                                                                           \
  KERNEL static void block_##R##_##V(const float *const *s, const Run *runs, int n,           \
                                     const float *p, const Ending *e, int c, float *const *t, \
                                     const int64_t *at) {                                     \
    block(R, V, s, runs, n, p, e, c, t, at);                                                  \
  }
/* clang-format off */
BLOCK(1, 4) BLOCK(2, 4) BLOCK(3, 4) BLOCK(4, 4) BLOCK(5, 4) BLOCK(6, 4)
BLOCK(1, 1) BLOCK(2, 1) BLOCK(3, 1) BLOCK(4, 1) BLOCK(5, 1) BLOCK(6, 1) BLOCK(7, 1) BLOCK(8, 1)
    /* clang-format on */
    static Block *const wide[] = {0,         block_1_4, block_2_4, block_3_4,
                                  block_4_4, block_5_4, block_6_4};
static Block *const narrow[] = {0,         block_1_1, block_2_1, block_3_1, block_4_1,
                                block_5_1, block_6_1, block_7_1, block_8_1};

/* Weights of `width` target channels from `first` on: (taps in packed order, sources, width). */
KERNEL static void pack(const Gather *g, int first, int width, float *to) {
  const int64_t sources = g->source_channels, targets = g->target_channels;
  for (int i = 0; i < g->rows.taps.live; i++)
    for (int j = 0; j < g->columns.taps.live; j++, to += sources * width) {
      const int tap = g->rows.taps.rank[g->rows.order[i]] * g->columns.taps.live +
                      g->columns.taps.rank[g->columns.order[j]];
      const float *from = g->weights + tap * sources * targets;
      if (g->backwards) {
        for (int k = 0; k < sources; k += LANES)
          for (int v = 0; v < width; v += LANES)
            transpose(from + (first + v) * sources + k, sources, to + k * width + v, width);
        continue;
      }
      for (int k = 0; k < sources; k++)
        for (int v = 0; v < width; v += LANES) {
          __builtin_prefetch(from + (k + AHEAD) * targets + first + v);
          _mm512_storeu_ps(to + k * width + v, _mm512_loadu_ps(from + k * targets + first + v));
        }
    }
}

/* All outputs of one class of rows and one of columns, in images `start` to `stop`. */
KERNEL static void rectangle(const Gather *g, const Class *rows, const Class *columns, int start,
                             int stop, int channel, int vecs, const float *packed) {
  const int64_t source_row = (int64_t)g->source_width * g->source_channels;
  const int64_t target_row = (int64_t)g->target_width * g->target_channels;
  Run runs[LARGEST_KERNEL];
  int n = 0;
  for (int i = 0; columns->taps && i < rows->taps; i++)
    runs[n++] = (Run){i * source_row, (int64_t)columns->taps * g->source_channels,
                      (int64_t)(rows->places[i] * g->columns.taps.live + columns->places[0]) *
                          g->source_channels};
  const int64_t total = (int64_t)(stop - start) * rows->count * columns->count;
  const int64_t parts =
      (total + (vecs == 1 ? NARROW_ROWS : ROWS) - 1) / (vecs == 1 ? NARROW_ROWS : ROWS);
  int64_t done = 0;
  for (int64_t part = 0, x = 0, y = 0, b = start; part < parts; part++) {
    const float *source[NARROW_ROWS];
    float *target[NARROW_ROWS];
    int64_t at[NARROW_ROWS];
    const int many = (int)(total * (part + 1) / parts - done);
    done += many;
    for (int r = 0; r < many; r++) {
      const int64_t image = g->batch->images[b];
      source[r] = g->source + (image * g->source_height + rows->from[y]) * source_row +
                  (int64_t)columns->from[x] * g->source_channels;
      at[r] = (image * g->target_height + rows->to[y]) * target_row +
              (int64_t)columns->to[x] * g->target_channels + channel;
      target[r] = g->target + at[r];
      if (++x == columns->count) x = 0, y++;
      if (y == rows->count) y = 0, b++;
    }
    (vecs == 1 ? narrow : wide)[many](source, runs, n, packed, &g->ending, channel, target, at);
  }
}

static void gather_task(void *data, int index) {
  Gather *g = data;
  const int chunk = index / g->blocks, b = index % g->blocks;
  const int full = g->target_channels / (WIDE * LANES);
  const int channel = b < full ? b * WIDE * LANES : full * WIDE * LANES + (b - full) * LANES;
  const int vecs = b < full ? WIDE : 1;
  const int64_t taps = (int64_t)g->rows.taps.live * g->columns.taps.live;
  float *packed = team_scratch(0, sizeof(float) * taps * g->source_channels * vecs * LANES);
  if (packed == NULL) {
    g->starved = true;
    return;
  }
  pack(g, channel, vecs * LANES, packed);
  const int64_t bytes = 4ll * g->source_height * g->source_width * g->source_channels;
  const int group = (int)(GROUP_BYTES / bytes) + 1, live = g->batch->live;
  const int start = (int)((int64_t)live * chunk / g->chunks);
  const int stop = (int)((int64_t)live * (chunk + 1) / g->chunks);
  for (int from = start; from < stop; from += group)
    for (int i = 0; i < g->rows.classes; i++)
      for (int j = 0; j < g->columns.classes; j++)
        rectangle(g, &g->rows.class[i], &g -> columns.class[j], from,
                  stop - from < group ? stop : from + group, channel, vecs, packed);
}

static bool run(Team *team, const Conv *c, Gather *g) {
  const bool sound = make_line(&g->rows, c->height, c->out_height, c, g->backwards) &&
                     make_line(&g->columns, c->width, c->out_width, c, g->backwards);
  if (sound) {
    const int full = g->target_channels / (WIDE * LANES);
    g->blocks = full + (g->target_channels - full * WIDE * LANES) / LANES;
    g->chunks = team_alone(team) ? 1 : (TASKS + g->blocks - 1) / g->blocks;
    if (g->chunks > g->batch->live) g->chunks = g->batch->live;
    team_run(team, g->blocks * g->chunks, gather_task, g);
    conv_clear(g->batch, g->target,
               (int64_t)g->target_height * g->target_width * g->target_channels);
  }
  free(g->rows.class);
  free(g->rows.memory);
  free(g->columns.class);
  free(g->columns.memory);
  return sound && !g->starved;
}

bool conv_forward(Team *team, const Conv *c, const Batch *batch, const float *images,
                  const float *kernel, Ending ending, float *out) {
  const Lines lines = winograd_lines(c, batch);
  if (lines) return winograd_run(team, lines, c, batch, images, kernel, NULL, ending, false, out);
  Gather g = {.source = images,
              .weights = kernel,
              .target = out,
              .ending = ending,
              .batch = batch,
              .source_height = c->height,
              .source_width = c->width,
              .source_channels = c->c_in,
              .target_height = c->out_height,
              .target_width = c->out_width,
              .target_channels = c->c_out};
  return run(team, c, &g);
}

bool conv_by_images(Team *team, const Conv *c, const Batch *batch, const float *cotangent,
                    const float *kernel, Ending ending, float *by_images) {
  const Lines lines = winograd_lines(c, batch);
  if (lines)
    return winograd_run(team, lines, c, batch, cotangent, kernel, NULL, ending, true, by_images);
  Gather g = {.source = cotangent,
              .weights = kernel,
              .target = by_images,
              .ending = ending,
              .backwards = true,
              .batch = batch,
              .source_height = c->out_height,
              .source_width = c->out_width,
              .source_channels = c->c_out,
              .target_height = c->height,
              .target_width = c->width,
              .target_channels = c->c_in};
  return run(team, c, &g);
}
