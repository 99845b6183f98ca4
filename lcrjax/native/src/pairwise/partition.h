/* A partition of the blocks of rows into parts, which threads draw one after another.

   A block adds to sums of its own rows, and in a symmetric problem to sums of the columns before
   them: those are a part's own, of the distributions in which its rows have weight and no others,
   and are added up in the end. The problem alone decides the partition, so that threads change no
   bit. */
#ifndef LCRJAX_PARTITION_H_
#define LCRJAX_PARTITION_H_

#include "order.h"
#include "sums.h"

typedef struct {
  int64_t count;
  int64_t *blocks; /* (count + 1): part i does blocks[i + 1] to blocks[i] - 1, from the end */
  int64_t *begins; /* (count, k): where its sums for a distribution begin, or -1 */
  double *sums;
} Partition;

/* False if memory runs out. `group` may be empty unless the problem is symmetric. */
bool lcrjax_partition(const Problem *p, const Used *group, int64_t block, int64_t places,
                      Partition *out);
/* Adds to `sum` those of distribution c for `n` places from `first` on, part by part. */
void lcrjax_add_parts(const Partition *partition, int64_t block, int64_t places, int64_t k,
                      int64_t c, int64_t first, int64_t n, double *sum);

#endif
