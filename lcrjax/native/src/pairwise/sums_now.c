/* The same kernels for arrays that lie in memory, called from Python as it is: nothing is compiled,
   padded or copied. Threads are our own. */
#include "centre.h"
#include "common/room.h"
#include "sums.h"

/* out (k, n) = Z w for n rows of bytes or floats and m columns, which are NULL where they are the
   rows, with weights (k, m). A split, a multiple of SIDE or zero for none, leaves out pairs of rows
   on one side of it. An Outcome. */
LCRJAX_EXPORT int lcrjax_sums_now(int floats, const void *rows, int64_t n, const void *columns,
                                  int64_t m, int64_t split, int64_t d, const float *weights,
                                  int64_t k, int form, float rate, int threads, float *out) {
  float *centre = floats ? lcrjax_centre(rows, n, d) : NULL;
  if (floats && centre == NULL) return NO_MEMORY;
  Problem p = {
      .kind = lcrjax_kind(floats, (Form)form),
      .form = (Form)form,
      .rate = rate,
      .rows = {.data = rows, .n = n, .dimension = d},
      .columns = {.data = columns ? columns : rows, .n = m, .dimension = d},
      .centre = centre,
      .symmetric = columns == NULL,
      .split = split,
      .weights = weights,
      .k = k,
      .stride = m,
      .out = out,
      .out_stride = n,
  };
  const Outcome outcome = lcrjax_sums((Workers){.threads = threads}, &p);
  lcrjax_release(centre);
  return (int)outcome;
}
