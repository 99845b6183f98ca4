/* The point from which squares of vectors are taken. */
#include "centre.h"

#include <stdlib.h>

#include "order.h"

enum { SAMPLE = 1024 };

float *lcrjax_centre(const float *rows, int64_t n, int64_t d) {
  int64_t size = n < SAMPLE ? n : SAMPLE;
  double *sums = calloc((size_t)d, sizeof *sums);
  float *centre = lcrjax_grab((int64_t)sizeof *centre * d);
  if (sums != NULL && centre != NULL) {
    for (int64_t i = 0; i < size; i++)
      for (int64_t k = 0; k < d; k++) sums[k] += rows[i * n / size * d + k];
    for (int64_t k = 0; k < d; k++) centre[k] = (float)(sums[k] / (double)size);
  } else {
    free(centre);
    centre = NULL;
  }
  free(sums);
  return centre;
}
