/* The first principal axis of which dwords of images are zero, by power iteration. */
#include "sparsity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/lanes.h"

enum { ROUNDS = 8, LARGEST_SAMPLE = 1 << 20 /* dwords */ };

static int64_t sixteens(int64_t d) { return ((d + 3) / 4 + 15) / 16; }

int64_t lcrjax_sparsity_floats(int64_t d) { return 16 * sixteens(d) + 2; }

/* Which of the sixteen dwords from byte 64 i on are not zero. */
KERNEL static inline __mmask16 nonzero(const uint8_t *image, int64_t i, int64_t d) {
  int64_t left = d - 64 * i;
  Integers pixels = x16_maskz_loadu_epi8(left >= 64 ? ~0ULL : (1ULL << left) - 1, image + 64 * i);
  return x16_test_epi32_mask(pixels, pixels);
}

KERNEL static float dot(const uint8_t *image, int64_t d, const float *axis) {
  Floats sum = x16_setzero_ps();
  for (int64_t i = 0; i < sixteens(d); i++)
    sum = x16_mask_add_ps(sum, nonzero(image, i, d), sum, x16_loadu_ps(axis + 16 * i));
  return x16_reduce_add_ps(sum);
}

/* Adds a multiple of an image's dwords that are not zero, each counted as one. */
KERNEL static void add(const uint8_t *image, int64_t d, float multiple, float *to) {
  Floats m = x16_set1_ps(multiple);
  for (int64_t i = 0; i < sixteens(d); i++) {
    Floats v = x16_loadu_ps(to + 16 * i);
    x16_storeu_ps(to + 16 * i, x16_mask_add_ps(v, nonzero(image, i, d), v, m));
  }
}

/* Power iteration on the covariance, from their number on. */
bool lcrjax_sparsity_axis(const void *const *sample, int64_t size, int64_t d, float *axis) {
  int64_t n = 16 * sixteens(d);
  if (size * n > LARGEST_SAMPLE) size = LARGEST_SAMPLE / n > 0 ? LARGEST_SAMPLE / n : 1;
  float *mean = calloc((size_t)(2 * n), sizeof *mean), *next = mean + n;
  if (mean == NULL) return false;
  for (int64_t i = 0; i < size; i++) add(sample[i], d, 1 / (float)size, mean);
  for (int64_t k = 0; k < n; k++) axis[k] = 1;
  for (int round = 0; round < ROUNDS; round++) {
    float middle = 0, squares = 0, total = 0;
    for (int64_t k = 0; k < n; k++) middle += axis[k] * mean[k];
    memset(next, 0, sizeof *next * (size_t)n);
    for (int64_t i = 0; i < size; i++) {
      float along = dot(sample[i], d, axis) - middle;
      add(sample[i], d, along, next);
      total += along;
    }
    for (int64_t k = 0; k < n; k++) {
      next[k] -= total * mean[k];
      squares += next[k] * next[k];
    }
    if (!(squares > 0)) break; /* all images are zero in the same dwords */
    for (int64_t k = 0; k < n; k++) axis[k] = next[k] / sqrtf(squares);
  }
  float least = 0, most = 0;
  for (int64_t k = 0; k < n; k++) *(axis[k] < 0 ? &least : &most) += axis[k];
  axis[n] = least;
  axis[n + 1] = most - least;
  free(mean);
  return true;
}

uint32_t lcrjax_sparsity_along(const void *image, int64_t d, const float *axis) {
  int64_t n = 16 * sixteens(d);
  float share = (dot(image, d, axis) - axis[n]) / axis[n + 1];
  return share > 0 ? (uint32_t)(share * 0x1p24f) : 0;
}
