/* The same kernels for arrays that lie in memory, called from Python as it is: nothing is compiled,
   padded or copied. Threads are our own. */
#include <stdlib.h>

#include "order.h"
#include "sums.h"

enum { SAMPLE = 1024 };

/* The mean of rows spread evenly, near which all have small squares. NULL if memory runs out. */
static float *centre_of(const float *rows, int64_t n, int64_t d) {
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

/* out (k, n) = Z w for n rows of bytes or floats and m columns, which are NULL where they are the
   rows, with weights (k, m). An Outcome. */
LCRJAX_EXPORT int lcrjax_sums_now(int floats, const void *rows, int64_t n, const void *columns,
                                  int64_t m, int64_t d, const float *weights, int64_t k, int form,
                                  float rate, int threads, float *out) {
  float *centre = floats ? centre_of(rows, n, d) : NULL;
  if (floats && centre == NULL) return NO_MEMORY;
  Problem p = {
      .kind = floats ? &lcrjax_floats : &lcrjax_bytes,
      .form = (Form)form,
      .rate = rate,
      .rows = {.data = rows, .centre = centre, .n = n, .dimension = d},
      .columns = {.data = columns ? columns : rows, .centre = centre, .n = m, .dimension = d},
      .symmetric = columns == NULL,
      .weights = weights,
      .k = k,
      .stride = m,
      .out = out,
      .out_stride = n,
  };
  const Outcome outcome = lcrjax_sums((Workers){.threads = threads}, &p);
  free(centre);
  return (int)outcome;
}
