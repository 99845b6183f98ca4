/* Sums of a block's rows while its panels go by: floats in registers' lanes, now and then added to
   doubles. A slot is opened for each column of weights that the panels meet. */
#ifndef LCRJAX_ROW_SUMS_H_
#define LCRJAX_ROW_SUMS_H_

#include "sums.h"

enum { SLOTS = 32, LARGEST_BLOCK = 768 };

typedef struct {
  float *lanes; /* (slots, LARGEST_BLOCK, 16): a lane for every sixteenth column */
  double *sums; /* (k, places) */
  int64_t places, first, count;
  int32_t column[SLOTS];
  int slots;
} RowSums;

/* Adds the sums of all slots to `sums` and closes them. */
void lcrjax_flush(RowSums *s);
/* The lanes of the block's rows for a column of weights. */
float *lcrjax_slot(RowSums *s, int32_t column);
/* lanes[r] += z[r] * w, lane by lane, for ROWS rows of a tile. */
void lcrjax_add_rows(const float *z, const float *w, float *lanes);
/* to[j] += sum over r of w[r] z[r][j]: the same tile, used for its columns. */
void lcrjax_add_columns(const float *z, const float *w, float *to);

#endif
