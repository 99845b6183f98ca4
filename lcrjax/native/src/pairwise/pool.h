/* A pool: elements that stay packed between calls, for whoever asks for few rows of Z at a time. */
#ifndef LCRJAX_POOL_H_
#define LCRJAX_POOL_H_

#include "sums.h"

typedef struct {
  Problem p; /* whose rows and columns have the same data; of its weights nothing is used */
  int64_t panels;
  float *centre;   /* of floats; the pool's own */
  Centres centres; /* likewise */
  int32_t *plain;
} Pool;

/* What is made of a row of Z: itself, or its gain. One of them is NULL. */
typedef struct {
  float *rows;          /* (k, n) */
  double *gains;        /* (k,): sums over j of weights[j] max(z[j] - floor[j], 0) */
  const float *floor;   /* (places,), and zeros beyond the last element */
  const float *weights; /* likewise */
} Wanted;

/* Of the elements `which` (k of them). The bits depend on values and shapes alone. */
Outcome lcrjax_pool_compute(Workers workers, const Pool *pool, const int32_t *which, int64_t k,
                            const Wanted *wanted);

/* Of each of k rows (k, n), the places and values of what lies above the row's floor, written to
   the beginning of its row of `places` and `values` (k, n), and how many they are. */
Outcome lcrjax_above(Workers workers, const float *rows, int64_t k, int64_t n, const float *floor,
                     int64_t *counts, int32_t *places, float *values);

#endif
