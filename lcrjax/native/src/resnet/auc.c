/* Area under the ROC curve by rank: the share of pairs of a positive and a negative that the
   positive wins, ties counting half. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/ffi.h"

typedef struct {
  const float *scores;
  const uint8_t *positive;
  float *auc;
  uint64_t *keys;
  int64_t n;
} Ranks;

/* Integers in the order of the numbers. Adding zero leaves one zero only. */
static uint32_t ordered(float score) {
  const float plain = score + 0.0f;
  uint32_t bits;
  memcpy(&bits, &plain, sizeof bits);
  return bits >> 31 ? ~bits : bits | 1u << 31;
}

static int compare(const void *a, const void *b) {
  const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void rank_row(void *data, int64_t row, int worker) {
  (void)worker;
  const Ranks *r = data;
  uint64_t *keys = r->keys + row * r->n;
  for (int64_t i = 0; i < r->n; i++)
    keys[i] =
        (uint64_t)ordered(r->scores[row * r->n + i]) << 1 | (r->positive[row * r->n + i] != 0);
  qsort(keys, (size_t)r->n, sizeof *keys, compare);
  int64_t positives = 0, negatives = 0;
  double won = 0;
  for (int64_t i = 0; i < r->n;) {
    int64_t mine = 0, others = 0;
    for (const uint64_t score = keys[i] >> 1; i < r->n && keys[i] >> 1 == score; i++)
      if (keys[i] & 1) mine++;
      else others++;
    won += (double)mine * ((double)negatives + 0.5 * (double)others);
    positives += mine;
    negatives += others;
  }
  const double pairs = (double)positives * (double)negatives;
  r->auc[row] = pairs > 0 ? (float)(won / pairs) : NAN;
}

/* Operands are (rows, n) scores, float32, and which are positive; the result is (rows,), NaN where
   there are no pairs. */
LCRJAX_EXPORT XLA_FFI_Error *lcrjax_auc(XLA_FFI_CallFrame *frame) {
  LCRJAX_METADATA(frame);
  const XLA_FFI_Buffer *scores = lcrjax_operand(frame, 0);
  const int64_t rows = scores->dims[0], n = scores->dims[1];
  Ranks ranks = {scores->data, lcrjax_operand(frame, 1)->data, lcrjax_result(frame, 0)->data,
                 malloc(sizeof(uint64_t) * (size_t)(rows * n + 1)), n};
  if (ranks.keys == NULL) return lcrjax_error(frame, "no memory is left to rank scores");
  lcrjax_parallel((Workers){.frame = frame}, rows, rank_row, &ranks);
  free(ranks.keys);
  return NULL;
}
