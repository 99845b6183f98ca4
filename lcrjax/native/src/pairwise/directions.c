/* Cosines and inner products of vectors of length one, for AVX2: products of floats.

   They need 24 bits of each component in every tile. As integers these take three products (see
   floats.c), which AVX2 does in twice the time of one product of floats. A line of a panel or a
   group has one component of each vector. Products are added up over DEPTH components, these sums
   over LONG components, and so on, so that rounding errors stay small in long vectors. With
   AVX-512 VNNI integers are quicker: there floats.c compares directions. */
#include "sums.h"

#ifdef LCRJAX_AVX2

#include <string.h>

#include "tile.h"
#include "vectors.h"

enum {
  DEPTH = 128, /* lines of a panel that stay in the nearest cache for a strip */
  LONG = 32 * DEPTH
};

static int64_t lines(int64_t d) { return (d + 1) / 2 * 2; } /* in twos, for the innermost loop */
static int64_t panel_bytes(int64_t d) { return lines(d) * 4 * COLUMNS; }
static int64_t group_bytes(int64_t d) { return lines(d) * 4 * ROWS; }
static int64_t scratch_bytes(int64_t d) {
  (void)d;
  return sizeof(float) * STRIP * ROWS * COLUMNS;
}

/* The directions of `count` vectors from `first` on, or zeros where there are no more. */
INLINE void pack(const Elements *e, int64_t first, int64_t count, char *out) {
  const int64_t d = e->dimension, n = lines(d);
  uint32_t *to = (uint32_t *)out;
  Vector x[COLUMNS];
  for (int64_t i = 0; i < count; i++) {
    x[i] = (Vector){.at = vector(e, first + i)};
    if (x[i].at) x[i].unit = unit_of(e, x[i].at);
  }
  for (int64_t k = 0; k < n; k += 16, to += 16 * count)
    for (int64_t part = 0; part < count; part += 16) {
      Integers some[16];
      for (int i = 0; i < 16; i++) {
        const bool there = part + i < count && x[part + i].at;
        some[i] = there ? x16_castps_si512(components(e, x[part + i], k, among(k, d)))
                        : x16_setzero_si512();
      }
      transpose_into(some, to + part, count, count - part, n - k);
    }
}

KERNEL static void pack_panel(const Elements *e, int64_t panel, char *out) {
  pack(e, panel * COLUMNS, COLUMNS, out);
}

KERNEL static void pack_group(const Elements *e, int64_t first, char *out) {
  pack(e, first, ROWS, out);
}

/* Adds the products of a tile over an even number of lines. */
KERNEL static void add(const char *columns, const char *rows, int64_t count, float *z) {
  LCRJAX_TILE_OF_FLOATS(columns, rows, count, z);
}

KERNEL static void strip(const Problem *p, const Groups *groups, int n, int64_t first_row,
                         int64_t panel, char *scratch, float *z) {
  const int64_t all = lines(p->columns.dimension), size = n * ROWS * COLUMNS;
  const char *packed = p->columns.panels + panel * panel_bytes(p->columns.dimension);
  const char *ahead = groups->ahead;
  float *sums = (float *)scratch;
  for (int64_t from = 0; from < all; from += DEPTH) {
    const int64_t count = all - from < DEPTH ? all - from : DEPTH;
    float *to = from < LONG ? z : sums;
    if (from % LONG == 0) memset(to, 0, sizeof(float) * (size_t)size);
    for (int i = 0; i < n; i++) {
      ahead = lcrjax_fetch(ahead, groups->share * count / all);
      add(packed + from * 4 * COLUMNS, groups->first + i * groups->stride + from * 4 * ROWS, count,
          to + i * ROWS * COLUMNS);
    }
    if (to == z || ((from + DEPTH) % LONG && from + DEPTH < all)) continue;
    for (int64_t i = 0; i < size; i += LANES)
      x16_store_ps(z + i, x16_add_ps(x16_load_ps(z + i), x16_load_ps(sums + i)));
  }
  if (p->form != COSINE) return;
  for (int64_t i = 0; i < size; i += LANES)
    x16_store_ps(z + i, x16_max_ps(x16_load_ps(z + i), x16_setzero_ps()));
  for (int i = 0; i < n; i++)
    lcrjax_itself(p, first_row + i * ROWS, panel * COLUMNS, z + i * ROWS * COLUMNS);
}

const Kind lcrjax_directions = {
    .component_bytes = 4,
    .panel_bytes = panel_bytes,
    .group_bytes = group_bytes,
    .pack_panel = pack_panel,
    .pack_group = pack_group,
    .scratch_bytes = scratch_bytes,
    .strip = strip,
};

#endif
