/* Z w: elements packed in order, blocks of rows against panels of columns, parts added up. */
#include "sums.h"

#include <string.h>

#include "centre.h"
#include "common/cancel.h"
#include "common/room.h"
#include "order.h"
#include "partition.h"
#include "row_sums.h"

enum {
  FLUSH_EVERY = 16,         /* panels whose sums are added up in float32 */
  CACHE_BYTES = 640 * 1024, /* a block of packed rows stays in a core's second cache */
  BLOCKS = 48,              /* at least, of many rows */
};

typedef struct {
  Problem *p;
  int64_t block, panels, places_rows, places_columns;
  float *weights; /* (k, places_columns), in the order of the places */
  Used panel, group;
  Partition partition;
  double *sums; /* (k, places_rows), but for what parts add */
  atomic_int outcome;
} Plan;

/* What a part works with: its packed rows, the kind's scratch, a panel's sums of the columns; and
   where its own sums begin. */
typedef struct {
  char *groups, *scratch;
  float *down;
  const int64_t *begins;
} Space;

static int64_t up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

static bool weighted(const Used *used, int64_t group, int n) {
  return used->start[group] < used->start[group + n];
}

/* All pairs of the rows of block b with the columns; of a symmetric problem, with those up to the
   diagonal, or up to the split. */
static void do_block(Plan *q, int64_t b, RowSums *rows, const Space *space) {
  Problem *p = q->p;
  int64_t left = q->places_rows - b * q->block, k = p->k;
  int64_t first = rows->first = b * q->block;
  int64_t count = rows->count = left < q->block ? left : q->block;
  if (first + count <= p->split) return;
  int64_t group_bytes = up(p->kind->group_bytes(p->rows.dimension), 64), n_groups = count / ROWS;
  for (int64_t g = 0; g < n_groups; g++)
    p->kind->pack_group(&p->rows, first + g * ROWS, space->groups + g * group_bytes);
  int64_t last = p->symmetric ? (p->split ? p->split : first + count) / COLUMNS : q->panels;
  int64_t panel_bytes = p->kind->panel_bytes(p->columns.dimension), slice = panel_bytes / n_groups;
  float z[STRIP * ROWS * COLUMNS] __attribute__((aligned(64)));
  for (int64_t panel = 0; panel < last; panel++) {
    if (lcrjax_give_up()) {
      q->outcome = CANCELLED;
      return;
    }
    const char *ahead = p->columns.panels + (panel + 1 < last ? panel + 1 : panel) * panel_bytes;
    const int32_t *used = q->panel.used + q->panel.start[panel];
    int64_t n_used = q->panel.start[panel + 1] - q->panel.start[panel];
    int64_t square = panel * COLUMNS / SIDE, g = (p->split ? p->split : square * SIDE) - first;
    bool twice = p->symmetric && square < (first + count - 1) / SIDE;
    if (twice) memset(space->down, 0, sizeof(float) * COLUMNS * (size_t)k);
    g = p->symmetric && g > 0 ? g / ROWS : 0;
    lcrjax_compared((n_groups - g) * ROWS * COLUMNS);
    for (; g < n_groups; g += STRIP) {
      int n = (int)(n_groups - g < STRIP ? n_groups - g : STRIP);
      if (!n_used && !(twice && weighted(&q->group, first / ROWS + g, n))) continue;
      Groups strip = {space->groups + g * group_bytes, group_bytes, ahead + g * slice, slice};
      p->kind->strip(p, &strip, n, first + g * ROWS, panel, space->scratch, z);
      for (int i = 0; i < n; i++) {
        int64_t row = first + (g + i) * ROWS;
        const float *tile = z + i * ROWS * COLUMNS;
        for (int64_t u = 0; u < n_used; u++) {
          const float *w = q->weights + used[u] * q->places_columns + panel * COLUMNS;
          lcrjax_add_rows(tile, w, lcrjax_slot(rows, used[u]) + 16 * (g + i) * ROWS);
        }
        if (!twice || square >= row / SIDE) continue;
        int32_t own = q->group.start[row / ROWS], end = q->group.start[row / ROWS + 1];
        for (; own < end; own++) {
          int32_t c = q->group.used[own];
          lcrjax_add_columns(tile, q->weights + c * q->places_columns + row,
                             space->down + c * COLUMNS);
        }
      }
    }
    if (twice)
      for (int64_t c = 0; c < k; c++) {
        if (space->begins[c] < 0) continue;
        double *to = q->partition.sums + space->begins[c] + panel * COLUMNS;
        for (int j = 0; j < COLUMNS; j++) to[j] += space->down[c * COLUMNS + j];
      }
    if (panel % FLUSH_EVERY == FLUSH_EVERY - 1) lcrjax_flush(rows);
  }
  lcrjax_flush(rows);
}

static void do_part(void *data, int64_t part, int worker) {
  (void)worker;
  Plan *q = data;
  Problem *p = q->p;
  int64_t slots = p->k < SLOTS ? p->k : SLOTS;
  RowSums rows = {.sums = q->sums, .places = q->places_rows};
  rows.lanes = lcrjax_grab(sizeof(float) * 16 * LARGEST_BLOCK * slots);
  Space space = {
      lcrjax_grab(up(p->kind->group_bytes(p->rows.dimension), 64) * (q->block / ROWS)),
      lcrjax_grab(p->kind->scratch_bytes(p->rows.dimension)),
      lcrjax_grab(sizeof(float) * COLUMNS * p->k),
      q->partition.begins + part * p->k,
  };
  if (rows.lanes == NULL || space.groups == NULL || space.scratch == NULL || space.down == NULL)
    q->outcome = NO_MEMORY;
  else {
    memset(space.scratch, 0, (size_t)p->kind->scratch_bytes(p->rows.dimension));
    for (int64_t b = q->partition.blocks[part] - 1; b >= q->partition.blocks[part + 1]; b--)
      do_block(q, b, &rows, &space);
  }
  lcrjax_release(rows.lanes);
  lcrjax_release(space.groups);
  lcrjax_release(space.scratch);
  lcrjax_release(space.down);
}

static void pack(void *data, int64_t panel, int worker) {
  (void)worker;
  Problem *p = ((Plan *)data)->p;
  int64_t bytes = p->kind->panel_bytes(p->columns.dimension);
  p->kind->pack_panel(&p->columns, panel, p->columns.panels + panel * bytes);
}

static void collect(void *data, int64_t c, int worker) {
  (void)worker;
  enum { AT_ONCE = 256 };
  Plan *q = data;
  Problem *p = q->p;
  for (int64_t first = 0; first < p->rows.n; first += AT_ONCE) {
    int64_t n = p->rows.n - first < AT_ONCE ? p->rows.n - first : AT_ONCE;
    double sum[AT_ONCE];
    memcpy(sum, q->sums + c * q->places_rows + first, sizeof(double) * (size_t)n);
    if (p->symmetric)
      lcrjax_add_parts(&q->partition, q->block, q->places_rows, p->k, c, first, n, sum);
    for (int64_t i = 0; i < n; i++)
      p->out[c * p->out_stride + p->rows.order[first + i]] = (float)sum[i];
  }
}

/* As many rows as the cache holds, and few enough to share out. */
static int64_t block_of(const Plan *q) {
  int64_t cached = CACHE_BYTES / q->p->kind->group_bytes(q->p->rows.dimension) * ROWS;
  int64_t shared = q->places_rows / BLOCKS;
  int64_t block = (cached < shared ? cached : shared) / SIDE * SIDE;
  return block < SIDE ? SIDE : block > LARGEST_BLOCK ? LARGEST_BLOCK : block;
}

static Outcome set_up(Workers workers, Plan *q, int32_t *order, int32_t *plain) {
  Problem *p = q->p;
  if (order == NULL || plain == NULL) return NO_MEMORY;
  const Outcome sorted = lcrjax_sorted(workers, p, order);
  if (sorted != DONE) return sorted;
  for (int64_t i = 0; i < p->rows.n; i++) plain[i] = (int32_t)i;
  p->columns.order = order;
  p->rows.order = p->symmetric ? order : plain;
  q->weights = lcrjax_grab(4 * p->k * q->places_columns);
  p->columns.panels = lcrjax_grab(q->panels * p->kind->panel_bytes(p->columns.dimension));
  q->sums = lcrjax_zeros((int64_t)sizeof *q->sums * p->k * q->places_rows);
  if (q->weights == NULL || p->columns.panels == NULL || q->sums == NULL) return NO_MEMORY;
  for (int64_t c = 0; c < p->k; c++)
    for (int64_t i = 0; i < q->places_columns; i++)
      q->weights[c * q->places_columns + i] =
          i < p->columns.n ? p->weights[c * p->stride + order[i]] : 0;
  if (!lcrjax_used(q->weights, p->k, q->places_columns, COLUMNS, &q->panel)) return NO_MEMORY;
  if (p->symmetric && !lcrjax_used(q->weights, p->k, q->places_columns, ROWS, &q->group))
    return NO_MEMORY;
  const bool fits = lcrjax_partition(p, &q->group, q->block, q->places_rows, &q->partition);
  return fits ? DONE : NO_MEMORY;
}

Outcome lcrjax_sums(Workers workers, Problem *p) {
  Plan q = {.p = p};
  p->rows.directions = p->columns.directions = lcrjax_of_directions(p->form);
  Centres centres = {0};
  if (p->centre != NULL && !p->rows.directions) {
    if (!lcrjax_centres(&p->rows, p->centre, &centres)) return NO_MEMORY;
    p->rows.centres = p->columns.centres = &centres;
  }
  q.places_columns = up(p->columns.n, p->symmetric ? SIDE : COLUMNS);
  q.places_rows = p->symmetric ? q.places_columns : up(p->rows.n, ROWS);
  q.panels = q.places_columns / COLUMNS;
  q.block = block_of(&q);
  int32_t *order = lcrjax_grab(4 * p->columns.n), *plain = lcrjax_grab(4 * p->rows.n);
  Outcome outcome = set_up(workers, &q, order, plain);
  if (outcome == DONE) outcome = lcrjax_parallel(workers, q.panels, pack, &q);
  if (outcome == DONE) outcome = lcrjax_parallel(workers, q.partition.count, do_part, &q);
  if (outcome == DONE) outcome = (Outcome)q.outcome;
  if (outcome == DONE) outcome = lcrjax_parallel(workers, p->k, collect, &q);
  lcrjax_release(q.sums);
  lcrjax_release(q.partition.sums);
  lcrjax_release(q.partition.begins);
  lcrjax_release(q.partition.blocks);
  lcrjax_release(p->columns.panels);
  lcrjax_release(q.weights);
  lcrjax_release(q.panel.start);
  lcrjax_release(q.panel.used);
  lcrjax_release(q.group.start);
  lcrjax_release(q.group.used);
  lcrjax_release(order);
  lcrjax_release(plain);
  lcrjax_centres_free(&centres);
  return outcome;
}
