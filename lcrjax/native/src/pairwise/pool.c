/* Rows of Z and what they would add to sums of largest similarities, from a packed pool. */
#include "pool.h"

#include <string.h>

#include "common/cancel.h"
#include "common/room.h"

enum {
  AT_ONCE = 10 * STRIP * ROWS, /* rows that are packed together: they stay in a second cache */
  PARTS = 64,                  /* of the panels, which threads draw one after another */
};

typedef struct {
  const Pool *pool;
  const Wanted *wanted;
  Problem p; /* of the rows that are packed now */
  char *groups;
  int64_t group_bytes, n_groups, first; /* of all rows that are wanted */
  double *sums;                         /* (PARTS, AT_ONCE) */
  atomic_int outcome;
} Work;

static int64_t up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

/* A tile's part of the rows. */
static void keep(const Work *w, const float *z, int64_t row, int64_t panel) {
  int64_t n = w->p.columns.n, j = panel * COLUMNS, count = n - j < COLUMNS ? n - j : COLUMNS;
  for (int64_t r = 0; r < ROWS && row + r < w->p.rows.n; r++)
    memcpy(w->wanted->rows + (w->first + row + r) * n + j, z + r * COLUMNS,
           sizeof(float) * (size_t)count);
}

/* Adds what a tile's columns gain. */
KERNEL static void gain(const Wanted *wanted, const float *z, int64_t panel, double *sums) {
  const Floats none = x16_setzero_ps();
  const float *floor = wanted->floor + panel * COLUMNS, *w = wanted->weights + panel * COLUMNS;
  Floats f0 = x16_loadu_ps(floor), f1 = x16_loadu_ps(floor + 16);
  Floats w0 = x16_loadu_ps(w), w1 = x16_loadu_ps(w + 16);
  for (int r = 0; r < ROWS; r++, z += COLUMNS) {
    Floats a = x16_max_ps(x16_sub_ps(x16_load_ps(z), f0), none);
    Floats b = x16_max_ps(x16_sub_ps(x16_load_ps(z + 16), f1), none);
    sums[r] += (double)x16_reduce_add_ps(x16_fmadd_ps(a, w0, x16_mul_ps(b, w1)));
  }
}

/* The packed rows against a part of the panels. */
static void do_part(void *data, int64_t part, int worker) {
  (void)worker;
  Work *w = data;
  int64_t panels = w->pool->panels, last = (part + 1) * panels / PARTS;
  char *scratch = lcrjax_grab(w->p.kind->scratch_bytes(w->p.columns.dimension));
  if (scratch == NULL) {
    w->outcome = NO_MEMORY;
    return;
  }
  memset(scratch, 0, (size_t)w->p.kind->scratch_bytes(w->p.columns.dimension));
  float z[STRIP * ROWS * COLUMNS] __attribute__((aligned(64)));
  for (int64_t panel = part * panels / PARTS; panel < last && !lcrjax_give_up(); panel++) {
    for (int64_t g = 0; g < w->n_groups; g += STRIP) {
      int n = (int)(w->n_groups - g < STRIP ? w->n_groups - g : STRIP);
      const char *from = w->groups + g * w->group_bytes;
      Groups strip = {from, w->group_bytes, from, 0};
      w->p.kind->strip(&w->p, &strip, n, g * ROWS, panel, scratch, z);
      for (int i = 0; i < n; i++) {
        const float *tile = z + i * ROWS * COLUMNS;
        if (w->wanted->rows) keep(w, tile, (g + i) * ROWS, panel);
        else gain(w->wanted, tile, panel, w->sums + part * AT_ONCE + (g + i) * ROWS);
      }
    }
  }
  lcrjax_release(scratch);
}

/* Packs some rows and computes what is wanted of them. */
static Outcome some(Workers workers, Work *w, const int32_t *which, int64_t count) {
  w->p.rows.order = which;
  w->p.rows.n = count;
  w->n_groups = (count + ROWS - 1) / ROWS;
  for (int64_t g = 0; g < w->n_groups; g++)
    w->p.kind->pack_group(&w->p.rows, g * ROWS, w->groups + g * w->group_bytes);
  if (w->wanted->gains) memset(w->sums, 0, sizeof(double) * PARTS * AT_ONCE);
  Outcome outcome = lcrjax_parallel(workers, PARTS, do_part, w);
  if (outcome == DONE) outcome = lcrjax_give_up() ? CANCELLED : (Outcome)w->outcome;
  if (outcome == DONE && w->wanted->gains)
    for (int64_t i = 0; i < count; i++) {
      double sum = 0;
      for (int64_t part = 0; part < PARTS; part++) sum += w->sums[part * AT_ONCE + i];
      w->wanted->gains[w->first + i] = sum;
    }
  return outcome;
}

Outcome lcrjax_pool_compute(Workers workers, const Pool *pool, const int32_t *which, int64_t k,
                            const Wanted *wanted) {
  Work w = {.pool = pool, .wanted = wanted, .p = pool->p};
  w.group_bytes = up(w.p.kind->group_bytes(w.p.columns.dimension), 64);
  w.groups = lcrjax_grab(w.group_bytes * (AT_ONCE / ROWS));
  w.sums = lcrjax_grab((int64_t)sizeof(double) * PARTS * AT_ONCE);
  Outcome outcome = w.groups && w.sums ? DONE : NO_MEMORY;
  for (; outcome == DONE && w.first < k; w.first += AT_ONCE)
    outcome = some(workers, &w, which + w.first, k - w.first < AT_ONCE ? k - w.first : AT_ONCE);
  lcrjax_release(w.groups);
  lcrjax_release(w.sums);
  return outcome;
}
