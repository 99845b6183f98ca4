/* Weighted sums of similarities, a tile of ROWS x COLUMNS pairs at a time: Z w without Z.

   A tile is computed, weighed and forgotten while it lies in the first cache. Elements are laid out
   anew in the order of their classes (of the one column in which they have weight), so that nearly
   every tile meets a single column of weights. `kind` says what elements are: bytes or floats. */
#ifndef LCRJAX_SUMS_H_
#define LCRJAX_SUMS_H_

#include <stdint.h>

#include "common/ffi.h"
#include "form.h"

/* Squares of SIDE lie on the diagonal of a symmetric problem: of those before it each pair serves
   twice, of those after it none is computed. SIDE is a multiple of ROWS and COLUMNS. */
enum { ROWS = 12, COLUMNS = 32, SIDE = 96 };

/* Tiles side by side in a panel that are computed together. */
enum { STRIP = 4 };

/* Points that are taken from floats: each vector is packed about the one that is nearest. */
enum { CENTRES = 16 };
typedef struct {
  int64_t count;
  float *points;                 /* (count, dimension) */
  float apart[CENTRES][CENTRES]; /* squared distances */
} Centres;

/* One set of elements, in the order in which they are laid out. */
typedef struct {
  const void *data;       /* (n, dimension), as given */
  const Centres *centres; /* of floats; NULL for none */
  int64_t n, dimension;
  bool directions;      /* floats count as if they had length one */
  const int32_t *order; /* the element at each place */
  char *panels;         /* packed, COLUMNS at a time */
} Elements;

struct Problem;

/* Packed rows: a group every `stride` bytes. Meanwhile memory from `ahead` on is asked for, so that
   the next panel, which comes from far away, is there in time: `share` bytes for each group. */
typedef struct {
  const char *first;
  int64_t stride;
  const char *ahead;
  int64_t share;
} Groups;

/* Asks for memory, little at a time, and returns where to go on. */
static inline const char *lcrjax_fetch(const char *from, int64_t bytes) {
  const char *to = from + bytes;
  for (; from < to; from += 64) __builtin_prefetch(from, 0, 2);
  return from;
}

/* How elements of a kind are packed and compared. Places beyond the last element pack as zeros. */
typedef struct {
  int64_t component_bytes;
  int64_t (*panel_bytes)(int64_t dimension); /* a multiple of 64 */
  int64_t (*group_bytes)(int64_t dimension); /* a multiple of 4 */
  void (*pack_panel)(const Elements *e, int64_t panel, char *out);
  void (*pack_group)(const Elements *e, int64_t first_row, char *out);
  int64_t (*scratch_bytes)(int64_t dimension); /* of a worker's own, aligned to 64, zeros */
  /* Similarities of `n` groups of ROWS packed rows, from `first_row` on, with the columns of a
     panel: n tiles, one after another. */
  void (*strip)(const struct Problem *p, const Groups *groups, int n, int64_t first_row,
                int64_t panel, char *scratch, float *z);
  /* The axis along which the elements of a class are laid out, from a sample, and the place of an
     element on it; NULL where that is no use. False where memory runs out. */
  int64_t (*axis_floats)(int64_t dimension);
  bool (*axis)(const void *const *sample, int64_t size, int64_t dimension, float *axis);
  uint32_t (*along)(const void *element, int64_t dimension, const float *axis);
} Kind;

typedef struct Problem {
  const Kind *kind;
  Form form;
  float rate; /* of the distance, or of its square for GAUSSIAN, in the form's exponential */
  Elements rows, columns;
  const float *centre;  /* (dimension,), of floats: where squares are small */
  bool symmetric;       /* the columns are the rows */
  int64_t split;        /* of these, a multiple of SIDE: pairs on one side of it count nothing */
  const float *weights; /* (k, stride): a column of Z has a weight for each of k distributions */
  int64_t k, stride;
  float *out; /* (k, out_stride) */
  int64_t out_stride;
} Problem;

/* Computes p->out. The bits of the result depend on shapes and values alone, not on threads. */
Outcome lcrjax_sums(Workers workers, Problem *p);

extern const Kind lcrjax_bytes, lcrjax_floats, lcrjax_directions;

/* The kind that compares bytes, or floats, by a form. */
static inline const Kind *lcrjax_kind(bool floats, Form form) {
#ifdef LCRJAX_AVX2
  if (floats && lcrjax_of_directions(form)) return &lcrjax_directions;
#else
  (void)form;
#endif
  return floats ? &lcrjax_floats : &lcrjax_bytes;
}

#endif
