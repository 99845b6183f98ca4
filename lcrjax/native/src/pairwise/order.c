/* The order of elements in memory: by class, and along the axis of their class's sparsity. */
#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "common/cancel.h"
#include "common/room.h"

enum {
  AT_ONCE = 256, /* elements that a task looks at */
  SAMPLE = 256,  /* elements of a class that its axis is drawn from, at most */
  FEW = 512      /* of which an axis would take more time than the products that it saves */
};

typedef struct {
  const Problem *p;
  uint64_t *keys; /* class of each element; then, sorted by class, place along its axis and index */
  int64_t *starts; /* of the classes, among the elements sorted by class: 2 (k + 2), and the end */
  float *axes;     /* (2 (k + 2), axis_floats); NULL for a kind without */
  atomic_int outcome;
} Keys;

static int64_t axis_floats(const Problem *p) { return p->kind->axis_floats(p->columns.dimension); }

static const void *element(const Problem *p, int64_t i) {
  const Elements *e = &p->columns;
  return (const char *)e->data + i * e->dimension * p->kind->component_bytes;
}

/* The one column in which an element has weight; k for several, k + 1 for none. Elements from the
   split on have classes of their own. */
static int64_t class_of(const Problem *p, int64_t i) {
  int64_t several = p->k, none = p->k + 1, class = none;
  for (int64_t c = 0; c < p->k && class != several; c++)
    if (p->weights[c * p->stride + i] != 0) class = class == none ? c : several;
  return class;
}

static int64_t end_of(const Problem *p, int64_t block) {
  return (block + 1) * AT_ONCE < p->columns.n ? (block + 1) * AT_ONCE : p->columns.n;
}

static void classes(void *data, int64_t block, int worker) {
  (void)worker;
  Keys *k = data;
  for (int64_t i = block * AT_ONCE; i < end_of(k->p, block); i++)
    k->keys[i] = (uint64_t)(class_of(k->p, i) + (i < k->p->split ? 0 : k->p->k + 2));
}

static int ascending(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* The axis of a class, from elements evenly spread over it; they are sorted by it. */
static void by_axis(void *data, int64_t class, int worker) {
  (void)worker;
  Keys *k = data;
  const Problem *p = k->p;
  const void *sample[SAMPLE];
  uint64_t *keys = k->keys + k->starts[class];
  int64_t n = k->starts[class + 1] - k->starts[class], size = n < SAMPLE ? n : SAMPLE;
  float *axis = k->axes + class * axis_floats(p);
  for (int64_t i = 0; i < size; i++) sample[i] = element(p, (int64_t)(uint32_t)keys[i * n / size]);
  if (!p->kind->axis(sample, size, p->columns.dimension, axis)) {
    k->outcome = NO_MEMORY;
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    if (lcrjax_give_up()) {
      k->outcome = CANCELLED;
      return;
    }
    uint64_t place = (uint32_t)keys[i];
    keys[i] = (uint64_t)p->kind->along(element(p, (int64_t)place), p->columns.dimension, axis)
                  << 32 |
              place;
  }
  qsort(keys, (size_t)n, 8, ascending);
}

/* Elements by class, in their order. */
static void by_class(Keys *k, int64_t count, int32_t *order) {
  int64_t n = k->p->columns.n;
  memset(k->starts, 0, sizeof(int64_t) * (size_t)(count + 1));
  for (int64_t i = 0; i < n; i++) k->starts[k->keys[i] + 1]++;
  for (int64_t c = 0; c < count; c++) k->starts[c + 1] += k->starts[c];
  for (int64_t i = 0; i < n; i++) order[k->starts[k->keys[i]]++] = (int32_t)i;
  for (int64_t c = count; c > 0; c--) k->starts[c] = k->starts[c - 1]; /* each is its end now */
  k->starts[0] = 0;
}

Outcome lcrjax_sorted(Workers workers, const Problem *p, int32_t *order) {
  int64_t n = p->columns.n, count = 2 * (p->k + 2);
  Keys keys = {.p = p, .keys = lcrjax_grab(8 * n), .starts = lcrjax_grab(8 * (count + 1))};
  bool by_axes = p->kind->axis != NULL && n > FEW;
  if (by_axes) keys.axes = lcrjax_grab(4 * count * axis_floats(p));
  bool room = keys.keys != NULL && keys.starts != NULL && (!by_axes || keys.axes != NULL);
  Outcome outcome = room ? DONE : NO_MEMORY;
  if (outcome == DONE)
    outcome = lcrjax_parallel(workers, (n + AT_ONCE - 1) / AT_ONCE, classes, &keys);
  if (outcome == DONE) by_class(&keys, count, order);
  if (outcome == DONE && by_axes) {
    for (int64_t i = 0; i < n; i++) keys.keys[i] = (uint64_t)order[i];
    outcome = lcrjax_parallel(workers, count, by_axis, &keys);
    for (int64_t i = 0; i < n; i++) order[i] = (int32_t)(uint32_t)keys.keys[i];
  }
  lcrjax_release(keys.keys);
  lcrjax_release(keys.starts);
  lcrjax_release(keys.axes);
  return outcome == DONE ? (Outcome)keys.outcome : outcome;
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
