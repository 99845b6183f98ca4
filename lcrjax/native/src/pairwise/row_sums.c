/* Sums of rows and columns of a tile in vector registers. */
#include "row_sums.h"

#include <immintrin.h>
#include <string.h>

#include "common/cpu.h"

VNNI512 void lcrjax_flush(RowSums *s) {
  for (int slot = 0; slot < s->slots; slot++) {
    const float *from = s->lanes + (int64_t)slot * LARGEST_BLOCK * 16;
    double *to = s->sums + s->column[slot] * s->places + s->first;
    for (int64_t i = 0; i < s->count; i++) {
      __m512 v = _mm512_load_ps(from + 16 * i);
      __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(v));
      __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
      to[i] += _mm512_reduce_add_pd(_mm512_add_pd(low, high));
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

VNNI512 void lcrjax_add_rows(const float *z, const float *w, float *lanes) {
  __m512 w0 = _mm512_loadu_ps(w), w1 = _mm512_loadu_ps(w + 16);
  for (int r = 0; r < ROWS; r++, z += COLUMNS, lanes += 16) {
    __m512 sum = _mm512_fmadd_ps(_mm512_load_ps(z), w0, _mm512_load_ps(lanes));
    _mm512_store_ps(lanes, _mm512_fmadd_ps(_mm512_load_ps(z + 16), w1, sum));
  }
}

VNNI512 void lcrjax_add_columns(const float *z, const float *w, float *to) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, t0 = s0, t1 = s0;
  for (int r = 0; r < ROWS; r += 2, z += 2 * COLUMNS) {
    __m512 even = _mm512_set1_ps(w[r]), odd = _mm512_set1_ps(w[r + 1]);
    s0 = _mm512_fmadd_ps(_mm512_load_ps(z), even, s0);
    s1 = _mm512_fmadd_ps(_mm512_load_ps(z + 16), even, s1);
    t0 = _mm512_fmadd_ps(_mm512_load_ps(z + COLUMNS), odd, t0);
    t1 = _mm512_fmadd_ps(_mm512_load_ps(z + COLUMNS + 16), odd, t1);
  }
  _mm512_store_ps(to, _mm512_add_ps(_mm512_load_ps(to), _mm512_add_ps(s0, t0)));
  _mm512_store_ps(to + 16, _mm512_add_ps(_mm512_load_ps(to + 16), _mm512_add_ps(s1, t1)));
}
