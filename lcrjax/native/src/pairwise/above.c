/* What lies above a floor in rows of Z. */
#include "pool.h"

typedef struct {
  const float *rows, *floor;
  int64_t n, *counts;
  int32_t *places;
  float *values;
} Sieve;

KERNEL static void sift(void *data, int64_t r, int worker) {
  (void)worker;
  const Sieve *s = data;
  const float *row = s->rows + r * s->n;
  int32_t *place = s->places + r * s->n;
  float *value = s->values + r * s->n;
  const Floats floor = x16_set1_ps(s->floor[r]);
  Integers j = x16_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (int64_t i = 0; i < s->n; i += 16, j = x16_add_epi32(j, x16_set1_epi32(16))) {
    __mmask16 here = s->n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (s->n - i)) - 1);
    Floats z = x16_maskz_loadu_ps(here, row + i);
    __mmask16 above = x16_mask_cmp_ps_mask(here, z, floor, _CMP_GT_OQ);
    x16_mask_compressstoreu_epi32(place, above, j);
    x16_mask_compressstoreu_ps(value, above, z);
    place += __builtin_popcount(above);
    value += __builtin_popcount(above);
  }
  s->counts[r] = value - (s->values + r * s->n);
}

Outcome lcrjax_above(Workers workers, const float *rows, int64_t k, int64_t n, const float *floor,
                     int64_t *counts, int32_t *places, float *values) {
  Sieve sieve = {rows, floor, n, counts, places, values};
  return lcrjax_parallel(workers, k, sift, &sieve);
}
