#include "order.h"

#include <stdlib.h>

enum { AT_ONCE = 256 }; /* elements that a task looks at */

void *lcrjax_grab(int64_t size) {
  void *memory = NULL;
  return posix_memalign(&memory, 64, size > 0 ? (size_t)size : 64) ? NULL : memory;
}

typedef struct {
  const Problem *p;
  uint64_t *keys;
} Keys;

/* Class, rank and index, from the highest bits to the lowest: all keys differ. */
static void some_keys(void *data, int64_t block, int worker) {
  (void)worker;
  const Problem *p = ((Keys *)data)->p;
  const Elements *e = &p->columns;
  int64_t step = e->dimension * p->kind->component_bytes;
  int64_t end = (block + 1) * AT_ONCE < e->n ? (block + 1) * AT_ONCE : e->n;
  for (int64_t i = block * AT_ONCE; i < end; i++) {
    uint64_t several = p->k, none = p->k + 1, class = none;
    for (int64_t c = 0; c < p->k && class != several; c++)
      if (p->weights[c * p->stride + i] != 0) class = class == none ? (uint64_t)c : several;
    uint64_t rank = p->kind->rank ? p->kind->rank((const char *)e->data + i * step, e->dimension) : 0;
    if (class > 0xFFF) class = 0xFFF;
    ((Keys *)data)->keys[i] = class << 52 | (rank & 0xFFFFF) << 32 | (uint64_t)i;
  }
}

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

bool lcrjax_sorted(XLA_FFI_CallFrame *frame, const Problem *p, int32_t *order) {
  int64_t n = p->columns.n;
  Keys keys = {p, lcrjax_grab(8 * n)};
  if (keys.keys == NULL) return false;
  lcrjax_parallel(frame, (n + AT_ONCE - 1) / AT_ONCE, some_keys, &keys);
  qsort(keys.keys, (size_t)n, 8, ascending);
  for (int64_t i = 0; i < n; i++) order[i] = (int32_t)(uint32_t)keys.keys[i];
  free(keys.keys);
  return true;
}

bool lcrjax_used(const float *weights, int64_t k, int64_t places, int64_t step, Used *out) {
  int64_t count = places / step;
  int32_t total = 0;
  out->start = lcrjax_grab(4 * (count + 1));
  out->used = lcrjax_grab(4 * count * k);
  if (out->start == NULL || out->used == NULL) return false;
  for (int64_t g = 0; g < count; g++) {
    out->start[g] = total;
    for (int64_t c = 0; c < k; c++) {
      const float *w = weights + c * places + g * step;
      bool any = false;
      for (int64_t i = 0; i < step; i++) any |= w[i] != 0;
      if (any) out->used[total++] = (int32_t)c;
    }
  }
  out->start[count] = total;
  return true;
}
