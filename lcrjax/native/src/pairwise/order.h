/* The order in which elements are laid out, and which columns of weights are used where. */
#ifndef LCRJAX_ORDER_H_
#define LCRJAX_ORDER_H_

#include "sums.h"

/* Columns by class, and along its axis; `order` takes the index of the element at each place. */
Outcome lcrjax_sorted(Workers workers, const Problem *p, int32_t *order);

/* For every `step` places, the columns of weights that are not all zero there: those of group g
   are used[start[g]] to used[start[g + 1]]. */
typedef struct {
  int32_t *start, *used;
} Used;

bool lcrjax_used(const float *weights, int64_t k, int64_t places, int64_t step, Used *out);

#endif
