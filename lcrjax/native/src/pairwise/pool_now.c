/* Pools as Python makes, asks and frees them: their arrays outlive the calls. */
#include <string.h>

#include "centre.h"
#include "common/room.h"
#include "pool.h"

static void pack(void *data, int64_t panel, int worker) {
  (void)worker;
  Pool *pool = data;
  Elements *e = &pool->p.columns;
  pool->p.kind->pack_panel(e, panel, e->panels + panel * pool->p.kind->panel_bytes(e->dimension));
}

LCRJAX_EXPORT void lcrjax_pool_free(Pool *pool) {
  if (pool == NULL) return;
  lcrjax_release(pool->centre);
  lcrjax_centres_free(&pool->centres);
  lcrjax_release(pool->plain);
  lcrjax_release(pool->p.columns.panels);
  lcrjax_release(pool);
}

/* Of n rows of bytes or floats, which must live as long; NULL if memory runs out. */
LCRJAX_EXPORT Pool *lcrjax_pool_new(int floats, const void *data, int64_t n, int64_t d, int form,
                                    float rate, int threads) {
  Pool *pool = lcrjax_zeros(sizeof *pool);
  if (pool == NULL) return NULL;
  Problem *p = &pool->p;
  p->kind = lcrjax_kind(floats, (Form)form);
  p->form = (Form)form;
  p->rate = rate;
  pool->panels = (n + COLUMNS - 1) / COLUMNS;
  pool->centre = floats ? lcrjax_centre(data, n, d) : NULL;
  pool->plain = lcrjax_grab((int64_t)sizeof(int32_t) * n);
  p->columns.panels = lcrjax_grab(pool->panels * p->kind->panel_bytes(d));
  if ((floats && pool->centre == NULL) || pool->plain == NULL || p->columns.panels == NULL) {
    lcrjax_pool_free(pool);
    return NULL;
  }
  for (int64_t i = 0; i < n; i++) pool->plain[i] = (int32_t)i;
  p->columns.data = data;
  p->columns.directions = lcrjax_of_directions(p->form);
  p->columns.n = n;
  p->columns.dimension = d;
  p->columns.order = pool->plain;
  if (floats && !p->columns.directions) {
    if (!lcrjax_centres(&p->columns, pool->centre, &pool->centres)) {
      lcrjax_pool_free(pool);
      return NULL;
    }
    p->columns.centres = &pool->centres;
  }
  p->rows = p->columns;
  if (lcrjax_parallel((Workers){.threads = threads}, pool->panels, pack, pool) != DONE) {
    lcrjax_pool_free(pool);
    return NULL;
  }
  return pool;
}

/* rows (k, n) of the elements `which`, or, where that is NULL, their gains (k,): see `Wanted`. An
   Outcome. */
LCRJAX_EXPORT int lcrjax_pool_now(const Pool *pool, const int32_t *which, int64_t k, float *rows,
                                  double *gains, const float *floor, const float *weights,
                                  int threads) {
  const Wanted wanted = {rows, gains, floor, weights};
  return (int)lcrjax_pool_compute((Workers){.threads = threads}, pool, which, k, &wanted);
}

/* See `lcrjax_above`. */
LCRJAX_EXPORT int lcrjax_above_now(const float *rows, int64_t k, int64_t n, const float *floor,
                                   int64_t *counts, int32_t *places, float *values, int threads) {
  const Workers workers = {.threads = threads};
  return (int)lcrjax_above(workers, rows, k, n, floor, counts, places, values);
}
