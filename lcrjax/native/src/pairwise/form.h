/* Forms of similarities, and similarity at a squared distance, sixteen at a time. */
#ifndef LCRJAX_FORM_H_
#define LCRJAX_FORM_H_

#include <stdbool.h>

#include "common/lanes.h"

/* Numbered as `FORMS` in lcrjax/native/calls.py, which passes them. */
typedef enum { EXPONENTIAL, GAUSSIAN, MATERN32, MATERN52, COSINE, LINEAR } Form;

/* Forms of the angle between two vectors, whatever their lengths. */
static inline bool lcrjax_of_directions(Form form) { return form == COSINE || form == LINEAR; }

/* 2^(s rate) for s >= 0 and rate <= 0; below -126 it is 2^-126. */
INLINE Floats lcrjax_power_of_two(Floats s, Floats rate) {
  const Floats magic = x16_set1_ps(12582912.0f); /* 1.5 * 2^23: adding it rounds */
  const Floats least = x16_set1_ps(12582912.0f - 126);
  Floats shifted = x16_max_ps(x16_fmadd_ps(s, rate, magic), least);
  Floats f = x16_fmsub_ps(s, rate, x16_sub_ps(shifted, magic));
  f = x16_max_ps(f, x16_set1_ps(-0.5f));
  /* The polynomial of least relative error (9e-8) on [-1/2, 1/2] with value 1 at 0. */
  Floats y = x16_set1_ps(0.0013264727252582573f);
  y = x16_fmadd_ps(y, f, x16_set1_ps(0.009671512785774987f));
  y = x16_fmadd_ps(y, f, x16_set1_ps(0.055507337444712646f));
  y = x16_fmadd_ps(y, f, x16_set1_ps(0.24022242083111817f));
  y = x16_fmadd_ps(y, f, x16_set1_ps(0.6931469775976776f));
  y = x16_fmadd_ps(y, f, x16_set1_ps(1.0f));
  Integers exponent = x16_slli_epi32(x16_castps_si512(shifted), 23);
  return x16_castsi512_ps(x16_add_epi32(x16_castps_si512(y), exponent));
}

/* Similarity at a squared distance, of a radial form, and its slope there: the derivative by the
   squared distance, over minus the form's steepness (see floats.c); of EXPONENTIAL times the
   distance. `rate` is that of the problem times -log2(e), `positive` that of the problem; the form
   is a constant where this is inlined. */
INLINE Floats lcrjax_similarity(Form form, Floats squared, Floats rate, Floats positive,
                                Floats *slope) {
  if (form == GAUSSIAN) return *slope = lcrjax_power_of_two(squared, rate);
  Floats distance = x16_sqrt_ps(squared);
  Floats z = *slope = lcrjax_power_of_two(distance, rate);
  if (form == EXPONENTIAL) return z;
  Floats a = x16_mul_ps(distance, positive), third = x16_mul_ps(a, x16_set1_ps(1 / 3.0f));
  if (form == MATERN32) return x16_fmadd_ps(z, a, z);
  *slope = x16_fmadd_ps(z, a, z);
  return x16_fmadd_ps(x16_mul_ps(z, a), third, *slope);
}

#endif
