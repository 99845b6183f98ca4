/* One axis of Winograd's transformations, and where tiles lie. */
#ifndef LCRJAX_WINOGRAD_LINES_H_
#define LCRJAX_WINOGRAD_LINES_H_

#include "winograd.h"

#define SET _mm512_set1_ps
#define ADD _mm512_add_ps
#define SUB _mm512_sub_ps
#define MUL _mm512_mul_ps
#define FMA _mm512_fmadd_ps
#define FNMA _mm512_fnmadd_ps

static const float A = 0.625f, B = 1.5f;

/* Distances between points: a vector more than there is to store, or all points of a value would
   compete for the same places in a cache. */
static inline int64_t apart(int64_t floats) { return floats + LANES; }

INLINE void fours_take_line(const __m512 *d, __m512 *v) {
  const __m512 a = SET(A), b = SET(B), aa = SET(A * A), bb = SET(B * B), sum = SET(A * A + B * B);
  const __m512 product = SET(A * A * B * B);
  const __m512 even = FNMA(bb, d[2], d[4]), odd = FNMA(bb, d[1], d[3]);
  const __m512 other_even = FNMA(aa, d[2], d[4]), other_odd = FNMA(aa, d[1], d[3]);
  v[0] = FMA(product, d[0], FNMA(sum, d[2], d[4]));
  v[1] = FMA(a, odd, even);
  v[2] = FNMA(a, odd, even);
  v[3] = FMA(b, other_odd, other_even);
  v[4] = FNMA(b, other_odd, other_even);
  v[5] = FMA(product, d[1], FNMA(sum, d[3], d[5]));
}

INLINE void fours_kernel_line(const __m512 *g, __m512 *u) {
  const float ca = 1 / (2 * A * A * (A * A - B * B)), cb = 1 / (2 * B * B * (B * B - A * A));
  const __m512 even = FMA(SET(ca * A * A), g[2], MUL(SET(ca), g[0])), odd = MUL(SET(ca * A), g[1]);
  const __m512 other_even = FMA(SET(cb * B * B), g[2], MUL(SET(cb), g[0]));
  const __m512 other_odd = MUL(SET(cb * B), g[1]);
  u[0] = MUL(SET(1 / (A * A * B * B)), g[0]);
  u[1] = ADD(even, odd);
  u[2] = SUB(even, odd);
  u[3] = ADD(other_even, other_odd);
  u[4] = SUB(other_even, other_odd);
  u[5] = g[2];
}

INLINE void fours_give_line(const __m512 *m, __m512 *y) {
  const __m512 even = ADD(m[1], m[2]), odd = SUB(m[1], m[2]);
  const __m512 other_even = ADD(m[3], m[4]), other_odd = SUB(m[3], m[4]);
  y[0] = ADD(m[0], ADD(even, other_even));
  y[1] = FMA(SET(A), odd, MUL(SET(B), other_odd));
  y[2] = FMA(SET(A * A), even, MUL(SET(B * B), other_even));
  y[3] = FMA(SET(A * A * A), odd, FMA(SET(B * B * B), other_odd, m[5]));
}

/* The transposes of fours_give_line and of fours_kernel_line. */
INLINE void fours_take_cotangent_line(const __m512 *y, __m512 *w) {
  const __m512 even = FMA(SET(A * A), y[2], y[0]), odd = FMA(SET(A * A), y[3], y[1]);
  const __m512 other_even = FMA(SET(B * B), y[2], y[0]), other_odd = FMA(SET(B * B), y[3], y[1]);
  w[0] = y[0];
  w[1] = FMA(SET(A), odd, even);
  w[2] = FNMA(SET(A), odd, even);
  w[3] = FMA(SET(B), other_odd, other_even);
  w[4] = FNMA(SET(B), other_odd, other_even);
  w[5] = y[3];
}

INLINE void fours_give_kernel_line(const __m512 *m, __m512 *g) {
  const float ca = 1 / (2 * A * A * (A * A - B * B)), cb = 1 / (2 * B * B * (B * B - A * A));
  const __m512 even = MUL(SET(ca), ADD(m[1], m[2])), odd = MUL(SET(ca * A), SUB(m[1], m[2]));
  const __m512 other_even = MUL(SET(cb), ADD(m[3], m[4]));
  g[0] = FMA(SET(1 / (A * A * B * B)), m[0], ADD(even, other_even));
  g[1] = FMA(SET(cb * B), SUB(m[3], m[4]), odd);
  g[2] = FMA(SET(A * A), even, FMA(SET(B * B), other_even, m[5]));
}

INLINE void take_line(const Lines lines, const __m512 *d, __m512 *v) {
  if (lines == FOURS) {
    fours_take_line(d, v);
    return;
  }
  v[0] = d[1];
  v[1] = ADD(d[0], d[1]);
  v[2] = d[0];
}

INLINE void kernel_line(const Lines lines, const __m512 *g, __m512 *u) {
  if (lines == FOURS) {
    fours_kernel_line(g, u);
    return;
  }
  u[0] = SUB(g[2], g[1]);
  u[1] = g[1];
  u[2] = SUB(g[0], g[1]);
}

INLINE void give_line(const Lines lines, const __m512 *m, __m512 *y) {
  if (lines == FOURS) {
    fours_give_line(m, y);
    return;
  }
  y[0] = ADD(m[1], m[0]);
  y[1] = ADD(m[1], m[2]);
}

/* The transposes of give_line and of kernel_line. */
INLINE void take_cotangent_line(const Lines lines, const __m512 *y, __m512 *w) {
  if (lines == FOURS) {
    fours_take_cotangent_line(y, w);
    return;
  }
  w[0] = y[0];
  w[1] = ADD(y[0], y[1]);
  w[2] = y[1];
}

INLINE void give_kernel_line(const Lines lines, const __m512 *m, __m512 *g) {
  if (lines == FOURS) {
    fours_give_kernel_line(m, g);
    return;
  }
  g[0] = m[2];
  g[1] = SUB(m[1], ADD(m[0], m[2]));
  g[2] = m[0];
}

typedef struct {
  int64_t image;
  int y, x; /* of the first output */
} Place;

static inline Place winograd_place(const Tiles *t, int64_t tile) {
  const int across = lines_tiles(t->lines, t->width), down = lines_tiles(t->lines, t->height);
  const int length = lines_tile(t->lines);
  return (Place){t->batch->images[tile / (across * down)], (int)(tile / across % down) * length,
                 (int)(tile % across) * length};
}

#endif
