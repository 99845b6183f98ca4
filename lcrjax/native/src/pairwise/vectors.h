/* Vectors of floats as they are given: where one lies, and its components about a centre, or those
   of its direction. */
#ifndef LCRJAX_VECTORS_H_
#define LCRJAX_VECTORS_H_

#include <math.h>

#include "common/lanes.h"
#include "sums.h"

/* The vector at a place; NULL beyond the last. */
static inline const float *vector(const Elements *e, int64_t place) {
  return place < e->n ? (const float *)e->data + e->order[place] * e->dimension : NULL;
}

/* Which of the sixteen components from k on there are. */
KERNEL static inline __mmask16 among(int64_t k, int64_t d) {
  return d - k >= 16 ? 0xFFFF : d > k ? (__mmask16)((1u << (d - k)) - 1) : 0;
}

/* One over the norm; zero for zeros, and for vectors that keep their length. */
KERNEL static inline double unit_of(const Elements *e, const float *x) {
  Doubles sum = x8_setzero_pd();
  for (int64_t k = 0; e->directions && k < e->dimension; k += 8) {
    int64_t left = e->dimension - k;
    __mmask8 here = left >= 8 ? 0xFF : (__mmask8)((1u << left) - 1);
    Doubles v = x8_cvtps_pd(x8_maskz_loadu_ps(here, x + k));
    sum = x8_fmadd_pd(v, v, sum);
  }
  double squares = x8_reduce_add_pd(sum);
  return squares > 0 ? 1 / sqrt(squares) : 0;
}

/* A vector, the centre that it is taken about or NULL, and one over its norm. */
typedef struct {
  const float *at, *centre;
  double unit;
} Vector;

/* Sixteen components from k on: less those of the centre, or of the vector's direction. */
INLINE Floats components(const Elements *e, Vector x, int64_t k, __mmask16 here) {
  Floats v = x16_maskz_loadu_ps(here, x.at + k);
  if (x.centre) v = x16_sub_ps(v, x16_maskz_loadu_ps(here, x.centre + k));
  if (!e->directions) return v;
  const Doubles by = x8_set1_pd(x.unit);
  Doubles low = x8_mul_pd(x8_cvtps_pd(x16_low_ps(v)), by);
  Doubles high = x8_mul_pd(x8_cvtps_pd(x16_high_ps(v)), by);
  return x16_both_ps(x8_cvtpd_ps(low), x8_cvtpd_ps(high));
}

/* The cosine of a vector and itself is one, that of zeros too. */
static inline void lcrjax_itself(const Problem *p, int64_t row, int64_t column, float *z) {
  for (int r = 0; p->symmetric && r < ROWS; r++)
    if (row + r >= column && row + r < column + COLUMNS) z[r * COLUMNS + row + r - column] = 1;
}

#endif
