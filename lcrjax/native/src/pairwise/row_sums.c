/* Sums of rows and columns of a tile in vector registers. */
#include "row_sums.h"

#include <string.h>

#include "common/lanes.h"

KERNEL void lcrjax_flush(RowSums *s) {
  for (int slot = 0; slot < s->slots; slot++) {
    const float *from = s->lanes + (int64_t)slot * LARGEST_BLOCK * 16;
    double *to = s->sums + s->column[slot] * s->places + s->first;
    for (int64_t i = 0; i < s->count; i++) {
      Floats v = x16_load_ps(from + 16 * i);
      Doubles low = x8_cvtps_pd(x16_low_ps(v));
      Doubles high = x8_cvtps_pd(x16_high_ps(v));
      to[i] += x8_reduce_add_pd(x8_add_pd(low, high));
    }
  }
  s->slots = 0;
}

float *lcrjax_slot(RowSums *s, int32_t column) {
  for (int i = 0; i < s->slots; i++)
    if (s->column[i] == column) return s->lanes + (int64_t)i * LARGEST_BLOCK * 16;
  if (s->slots == SLOTS) lcrjax_flush(s);
  float *fresh = s->lanes + (int64_t)s->slots * LARGEST_BLOCK * 16;
  memset(fresh, 0, sizeof(float) * 16 * (size_t)s->count);
  s->column[s->slots++] = column;
  return fresh;
}

KERNEL void lcrjax_add_rows(const float *z, const float *w, float *lanes) {
  Floats w0 = x16_loadu_ps(w), w1 = x16_loadu_ps(w + 16);
  for (int r = 0; r < ROWS; r++, z += COLUMNS, lanes += 16) {
    Floats sum = x16_fmadd_ps(x16_load_ps(z), w0, x16_load_ps(lanes));
    x16_store_ps(lanes, x16_fmadd_ps(x16_load_ps(z + 16), w1, sum));
  }
}

KERNEL void lcrjax_add_columns(const float *z, const float *w, float *to) {
  Floats s0 = x16_setzero_ps(), s1 = s0, t0 = s0, t1 = s0;
  for (int r = 0; r < ROWS; r += 2, z += 2 * COLUMNS) {
    Floats even = x16_set1_ps(w[r]), odd = x16_set1_ps(w[r + 1]);
    s0 = x16_fmadd_ps(x16_load_ps(z), even, s0);
    s1 = x16_fmadd_ps(x16_load_ps(z + 16), even, s1);
    t0 = x16_fmadd_ps(x16_load_ps(z + COLUMNS), odd, t0);
    t1 = x16_fmadd_ps(x16_load_ps(z + COLUMNS + 16), odd, t1);
  }
  x16_store_ps(to, x16_add_ps(x16_load_ps(to), x16_add_ps(s0, t0)));
  x16_store_ps(to + 16, x16_add_ps(x16_load_ps(to + 16), x16_add_ps(s1, t1)));
}
