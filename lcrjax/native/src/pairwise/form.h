/* Forms of similarities, and similarity at a squared distance, sixteen at a time. */
#ifndef LCRJAX_FORM_H_
#define LCRJAX_FORM_H_

#include <immintrin.h>
#include <stdbool.h>

#include "common/cpu.h"

/* Numbered as `FORMS` in lcrjax/native/calls.py, which passes them. */
typedef enum { EXPONENTIAL, GAUSSIAN, MATERN32, MATERN52, COSINE, LINEAR } Form;

/* Forms of the angle between two vectors, whatever their lengths. */
static inline bool lcrjax_of_directions(Form form) { return form == COSINE || form == LINEAR; }

/* Square root to the last place or so: a table's fourteen bits, doubled by one step of Newton's. */
INLINE __m512 lcrjax_root(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(1e-30f)); /* whose root is 1e-15: a similarity of 1 */
  __m512 r = _mm512_rsqrt14_ps(x);
  __m512 s = _mm512_mul_ps(x, r);
  __m512 gap = _mm512_fnmadd_ps(s, s, x);
  return _mm512_fmadd_ps(_mm512_mul_ps(r, _mm512_set1_ps(0.5f)), gap, s);
}

/* 2^(s rate) for s >= 0 and rate <= 0; below -126 it is 2^-126. */
INLINE __m512 lcrjax_power_of_two(__m512 s, __m512 rate) {
  const __m512 magic = _mm512_set1_ps(12582912.0f); /* 1.5 * 2^23: adding it rounds */
  const __m512 least = _mm512_set1_ps(12582912.0f - 126);
  __m512 shifted = _mm512_max_ps(_mm512_fmadd_ps(s, rate, magic), least);
  __m512 f = _mm512_fmsub_ps(s, rate, _mm512_sub_ps(shifted, magic));
  f = _mm512_max_ps(f, _mm512_set1_ps(-0.5f));
  /* The polynomial of least relative error (9e-8) on [-1/2, 1/2] with value 1 at 0. */
  __m512 y = _mm512_set1_ps(0.0013264727252582573f);
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(0.009671512785774987f));
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(0.055507337444712646f));
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(0.24022242083111817f));
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(0.6931469775976776f));
  y = _mm512_fmadd_ps(y, f, _mm512_set1_ps(1.0f));
  __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(y), exponent));
}

/* Similarity at a squared distance, of a radial form, and its slope there: the derivative by the
   squared distance, over minus the form's steepness (see floats.c); of EXPONENTIAL times the
   distance. `rate` is that of the problem times -log2(e), `positive` that of the problem; the form
   is a constant where this is inlined. */
INLINE __m512 lcrjax_similarity(Form form, __m512 squared, __m512 rate, __m512 positive,
                                __m512 *slope) {
  if (form == GAUSSIAN) return *slope = lcrjax_power_of_two(squared, rate);
  __m512 distance = lcrjax_root(squared);
  __m512 z = *slope = lcrjax_power_of_two(distance, rate);
  if (form == EXPONENTIAL) return z;
  __m512 a = _mm512_mul_ps(distance, positive), third = _mm512_mul_ps(a, _mm512_set1_ps(1 / 3.0f));
  if (form == MATERN32) return _mm512_fmadd_ps(z, a, z);
  *slope = _mm512_fmadd_ps(z, a, z);
  return _mm512_fmadd_ps(_mm512_mul_ps(z, a), third, *slope);
}

#endif
