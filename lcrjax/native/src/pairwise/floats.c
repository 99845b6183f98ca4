/* Similarities of vectors of floats, from products of 16-bit integers.

   A row x is rounded to s (X - u): a scale s of its own, integers X, and the dither u, random
   numbers in [-1/2, 1/2) that are the same for all rows; a column y to t (Y - v) likewise. Then
   x.y = s t (X.Y - X.v - u.Y + u.v), of which X.Y alone belongs to the pair. s is such that any 64
   components of X have a norm below 2^15.5: by Cauchy and Schwarz int32 holds their product.

   Error. With dither the errors X - u - x/s are independent and uniform in [-1/2, 1/2] whatever x
   (Schuchman 1964), hence strictly sub-Gaussian: |x - y|^2 is off by more than
   2 SIGMAS sqrt((t |x|)^2 + (s |y|)^2) with probability 2 exp(-6 SIGMAS^2) = 5e-13 at most.
   By that much the similarity changes by steepness times it: pairs for which this exceeds
   TOLERANCE, and those of which the squared distance may be off by a twentieth, are computed again
   from sums of squared differences. All forms are convex, so within that twentieth the steepness
   grows by a fifth at most. Rounding to float32 adds some 1e-6 of Z. */
#include <math.h>
#include <string.h>

#include "common/transpose.h"
#include "form.h"
#include "sums.h"
#include "tile.h"

enum {
  CHUNK = 32, /* steps, of two components each, whose products int32 holds */
  DEPTH = 128 /* steps of a panel that stay in the nearest cache for a strip */
};
static const float SIGMAS = 2.2f, TOLERANCE = 8e-6f;

/* A row or column: the square of its norm, its scale, and its product with the other side's dither
   (of columns, less that of both dithers). */
typedef struct {
  float squares, scale, dithered;
} Terms;

static int64_t steps(int64_t d) { return (d + 7) / 8 * 4; } /* in fours, for the innermost loop */
/* Terms of a panel end with the largest square of a scale, the largest of a norm, and padding. */
static int64_t panel_bytes(int64_t d) { return (steps(d) * 4 + 12) * COLUMNS + 64; }
static int64_t group_bytes(int64_t d) { return (steps(d) * 4 + 12) * ROWS; }
static int64_t scratch_bytes(int64_t d) {
  (void)d;
  return sizeof(float) * STRIP * ROWS * COLUMNS;
}

static const float *vector(const Elements *e, int64_t place) {
  return place < e->n ? (const float *)e->data + e->order[place] * e->dimension : NULL;
}

/* Random in [-1/2, 1/2), of components k to k + 15 of rows (side 0) or columns (side 1). */
INLINE __m512 dither(int64_t k, int side) {
  const __m512i each = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  __m512i h = _mm512_add_epi32(each, _mm512_set1_epi32((int32_t)(2 * k + side + 1)));
  h = _mm512_mullo_epi32(h, _mm512_set1_epi32((int32_t)0x9E3779B1));
  h = _mm512_xor_si512(h, _mm512_srli_epi32(h, 16));
  h = _mm512_mullo_epi32(h, _mm512_set1_epi32((int32_t)0x85EBCA6B));
  h = _mm512_xor_si512(h, _mm512_srli_epi32(h, 13));
  h = _mm512_mullo_epi32(h, _mm512_set1_epi32((int32_t)0xC2B2AE35));
  h = _mm512_xor_si512(h, _mm512_srli_epi32(h, 16));
  return _mm512_mul_ps(_mm512_cvtepi32_ps(h), _mm512_set1_ps(0x1p-32f));
}

VNNI512 static inline __mmask16 among(int64_t k, int64_t d) {
  return d - k >= 16 ? 0xFFFF : d > k ? (__mmask16)((1u << (d - k)) - 1) : 0;
}

/* Sixteen components from k on, less those of the centre. */
INLINE __m512 centred(const float *x, const float *centre, int64_t k, __mmask16 here) {
  __m512 v = _mm512_maskz_loadu_ps(here, x + k);
  return centre ? _mm512_sub_ps(v, _mm512_maskz_loadu_ps(here, centre + k)) : v;
}

/* Adds eight lanes after another to doubles. */
INLINE __m512d widened(__m512 v) {
  return _mm512_add_pd(_mm512_cvtps_pd(_mm512_castps512_ps256(v)),
                       _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1)));
}

/* The square of the norm, and the scale at which no product of chunks leaves int32. */
VNNI512 static Terms measured(const float *x, const float *centre, int64_t d) {
  __m512d squares = _mm512_setzero_pd();
  __m512 largest = _mm512_setzero_ps();
  float longest = 0;
  for (int64_t k = 0; k < d; k += 2 * CHUNK) {
    __m512 chunk = _mm512_setzero_ps();
    for (int64_t i = k; i < d && i < k + 2 * CHUNK; i += 16) {
      __m512 v = centred(x, centre, i, among(i, d));
      chunk = _mm512_fmadd_ps(v, v, chunk);
      largest = _mm512_max_ps(largest, _mm512_abs_ps(v));
    }
    squares = _mm512_add_pd(squares, widened(chunk));
    longest = fmaxf(longest, _mm512_reduce_add_ps(chunk));
  }
  float by_norm = sqrtf(longest) / 46000, by_size = _mm512_reduce_max_ps(largest) / 32700;
  float scale = by_norm > by_size ? by_norm : by_size;
  return (Terms){(float)_mm512_reduce_add_pd(squares), scale > 0x1p-100f ? scale : 0x1p-100f, 0};
}

/* Sixteen components rounded to words; adds their products with the other side's dither. */
INLINE __m256i words(__m512 v, __mmask16 here, __m512 inverse, __m512 own, __m512 other, int side,
                     __m512 *dithered) {
  __m512i word = _mm512_maskz_cvtps_epi32(here, _mm512_fmadd_ps(v, inverse, own));
  __m512 value = _mm512_cvtepi32_ps(word);
  if (side) value = _mm512_maskz_sub_ps(here, value, own);
  *dithered = _mm512_fmadd_ps(value, other, *dithered);
  return _mm512_cvtepi32_epi16(word);
}

/* Rounds `count` vectors from `first` on, or zeros where there are no more; a step's words lie side
   by side, and after all of them the squares, the scales and the products with dither. */
INLINE void pack(const Elements *e, int64_t first, int64_t count, int side, char *out) {
  int64_t d = e->dimension, n = steps(d);
  uint32_t *to = (uint32_t *)out;
  float *squares = (float *)(to + n * count), *scales = squares + count, *products = scales + count;
  const float *x[COLUMNS];
  float inverse[COLUMNS];
  __m512d dithered[COLUMNS];
  for (int64_t i = 0; i < count; i++) {
    x[i] = vector(e, first + i);
    Terms terms = x[i] ? measured(x[i], e->centre, d) : (Terms){0, 0x1p-100f, 0};
    squares[i] = terms.squares;
    scales[i] = terms.scale;
    inverse[i] = 1 / terms.scale;
    dithered[i] = _mm512_setzero_pd();
  }
  for (int64_t k = 0; k < 2 * n; k += 32, to += 16 * count) {
    __mmask16 here[2] = {among(k, d), among(k + 16, d)};
    __m512 own[2] = {dither(k, side), dither(k + 16, side)};
    __m512 other[2] = {dither(k, !side), dither(k + 16, !side)};
    for (int64_t part = 0; part < count; part += 16) {
      __m512i pairs[16];
      for (int i = 0; i < 16; i++) {
        int64_t j = part + i;
        pairs[i] = _mm512_setzero_si512();
        if (j >= count || !x[j]) continue;
        __m512 scale = _mm512_set1_ps(inverse[j]), sum = _mm512_setzero_ps();
        __m256i half[2];
        for (int h = 0; h < 2; h++)
          half[h] = words(centred(x[j], e->centre, k + 16 * h, here[h]), here[h], scale, own[h],
                          other[h], side, &sum);
        dithered[j] = _mm512_add_pd(dithered[j], widened(sum));
        pairs[i] = _mm512_inserti64x4(_mm512_castsi256_si512(half[0]), half[1], 1);
      }
      transpose_into(pairs, to + part, count, count - part, n - k / 2);
    }
  }
  for (int64_t i = 0; i < count; i++) products[i] = (float)_mm512_reduce_add_pd(dithered[i]);
}

VNNI512 static void pack_panel(const Elements *e, int64_t panel, char *out) {
  pack(e, panel * COLUMNS, COLUMNS, 1, out);
  const float *terms = (const float *)(out + steps(e->dimension) * 4 * COLUMNS);
  float *largest = (float *)terms + 3 * COLUMNS;
  largest[0] = largest[1] = 0;
  for (int64_t j = 0; j < COLUMNS; j++) {
    largest[0] = fmaxf(largest[0], terms[COLUMNS + j] * terms[COLUMNS + j]);
    largest[1] = fmaxf(largest[1], terms[j]);
  }
}

VNNI512 static void pack_group(const Elements *e, int64_t first, char *out) {
  pack(e, first, ROWS, 0, out);
}

VNNI512 static void product(const char *columns, const char *rows, int64_t count, float *out) {
  LCRJAX_TILE_OF_WORDS(columns, rows, count, out);
}

/* |x - y|^2 by differences, of one x and up to four y. */
VNNI512 static void differences(const float *x, const float *const *y, int64_t d, float *out) {
  __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                   _mm512_setzero_ps()};
  for (int64_t k = 0; k < d; k += 16) {
    __mmask16 left = among(k, d);
    __m512 own = _mm512_maskz_loadu_ps(left, x + k);
    for (int i = 0; i < 4; i++) {
      __m512 gap = _mm512_sub_ps(own, _mm512_maskz_loadu_ps(left, y[i] + k));
      sum[i] = _mm512_fmadd_ps(gap, gap, sum[i]);
    }
  }
  for (int i = 0; i < 4; i++) out[i] = _mm512_reduce_add_ps(sum[i]);
}

/* Replaces the squared distances of the pairs of row `place` whose bits are set in `close`. */
static void recompute(const Problem *p, int64_t place, int64_t column, uint32_t close,
                      float *squared) {
  const float *x = vector(&p->rows, place), *y[4];
  int at[4], count = 0;
  float found[4];
  while (x && close) {
    int j = __builtin_ctz(close);
    close &= close - 1;
    if (column + j < p->columns.n) {
      at[count] = j;
      y[count++] = vector(&p->columns, column + j);
    }
    if (count == 0 || (count < 4 && close)) continue;
    for (int i = count; i < 4; i++) y[i] = y[0];
    differences(x, y, p->rows.dimension, found);
    for (int i = 0; i < count; i++) squared[at[i]] = found[i];
    count = 0;
  }
}

typedef struct {
  __m512 exponent, rate; /* -log2(e) times the rate; the rate */
  float limit;           /* (TOLERANCE / steepness)^2 */
} Constants;

/* What a row's pairs with a panel's columns have in common. */
typedef struct {
  __m512 squares, twice_scale, dithered;
  __m512 certain; /* squared distances from here on are off by less than a twentieth */
  __m512 error;   /* square of the error of a squared distance, over the limit */
} Row;

INLINE Constants constants(Form form, float rate) {
  float steepness = form == EXPONENTIAL ? rate / 2
                    : form == GAUSSIAN  ? rate
                    : form == MATERN32  ? rate * rate / 2
                                        : rate * rate / 6;
  float limit = TOLERANCE / steepness;
  Constants c = {_mm512_set1_ps(rate * -1.44269504088896341f), _mm512_set1_ps(rate), limit * limit};
  return c;
}

INLINE Row row_of(const float *row, const float *largest, float limit) {
  float squares = row[0], scale = row[ROWS];
  float error = 4 * SIGMAS * SIGMAS * (largest[0] * squares + scale * scale * largest[1]);
  return (Row){_mm512_set1_ps(squares), _mm512_set1_ps(2 * scale), _mm512_set1_ps(row[2 * ROWS]),
               _mm512_set1_ps(20 * sqrtf(error)), _mm512_set1_ps(error / limit)};
}

/* Similarities of sixteen pairs, and which of them must be computed again. */
INLINE __mmask16 sixteen(Form form, Constants c, Row row, const float *product, const float *column,
                         float *squared, float *z) {
  __m512 gap = _mm512_sub_ps(_mm512_load_ps(product), _mm512_load_ps(column + 2 * COLUMNS));
  gap = _mm512_mul_ps(_mm512_sub_ps(gap, row.dithered), _mm512_load_ps(column + COLUMNS));
  gap = _mm512_fnmadd_ps(gap, row.twice_scale, _mm512_add_ps(_mm512_load_ps(column), row.squares));
  gap = _mm512_max_ps(gap, _mm512_setzero_ps());
  __m512 similar = lcrjax_similarity(form, gap, c.exponent, c.rate);
  __m512 change = _mm512_mul_ps(_mm512_mul_ps(similar, similar), row.error);
  __m512 allowed = form == EXPONENTIAL ? gap : _mm512_set1_ps(1);
  _mm512_store_ps(squared, gap);
  _mm512_store_ps(z, similar);
  return _mm512_cmp_ps_mask(change, allowed, _CMP_NLE_UQ) |
         _mm512_cmp_ps_mask(gap, row.certain, _CMP_NGE_UQ);
}

INLINE void similarities(Form form, const Problem *p, const float *products, const float *rows,
                         const float *columns, int64_t first_row, int64_t first_column, float *z) {
  Constants c = constants(form, p->rate);
  for (int r = 0; r < ROWS; r++, products += COLUMNS, z += COLUMNS) {
    float squared[COLUMNS] __attribute__((aligned(64)));
    Row row = row_of(rows + r, columns + 3 * COLUMNS, c.limit);
    uint32_t low = sixteen(form, c, row, products, columns, squared, z);
    uint32_t high = sixteen(form, c, row, products + 16, columns + 16, squared + 16, z + 16);
    if (!(low | high)) continue;
    recompute(p, first_row + r, first_column, low | high << 16, squared);
    for (int j = 0; j < COLUMNS; j += 16)
      _mm512_store_ps(z + j,
                      lcrjax_similarity(form, _mm512_load_ps(squared + j), c.exponent, c.rate));
  }
}

VNNI512 static void tile(const Problem *p, const float *products, const float *rows,
                         const float *columns, int64_t row, int64_t column, float *z) {
  switch (p->form) {
    case EXPONENTIAL: similarities(EXPONENTIAL, p, products, rows, columns, row, column, z); break;
    case GAUSSIAN: similarities(GAUSSIAN, p, products, rows, columns, row, column, z); break;
    case MATERN32: similarities(MATERN32, p, products, rows, columns, row, column, z); break;
    case MATERN52: similarities(MATERN52, p, products, rows, columns, row, column, z); break;
  }
}

VNNI512 static void strip(const Problem *p, const Groups *groups, int n, int64_t first_row,
                          int64_t panel, char *scratch, float *z) {
  int64_t d = p->columns.dimension, all = steps(d);
  const char *packed = p->columns.panels + panel * panel_bytes(d);
  float *products = (float *)scratch;
  const char *ahead = groups->ahead;
  memset(products, 0, sizeof(float) * ROWS * COLUMNS * (size_t)n);
  for (int64_t from = 0; from < all; from += DEPTH) {
    int64_t to = all - from < DEPTH ? all : from + DEPTH;
    for (int i = 0; i < n; i++)
      for (int64_t k = from; k < to; k += CHUNK) {
        ahead = lcrjax_fetch(ahead, groups->share * CHUNK / all);
        product(packed + k * 4 * COLUMNS, groups->first + i * groups->stride + k * 4 * ROWS,
                to - k < CHUNK ? to - k : CHUNK, products + i * ROWS * COLUMNS);
      }
  }
  for (int i = 0; i < n; i++) {
    tile(p, products + i * ROWS * COLUMNS,
         (const float *)(groups->first + i * groups->stride + all * 4 * ROWS),
         (const float *)(packed + all * 4 * COLUMNS), first_row + i * ROWS, panel * COLUMNS,
         z + i * ROWS * COLUMNS);
  }
}

const Kind lcrjax_floats = {
    .component_bytes = 4,
    .panel_bytes = panel_bytes,
    .group_bytes = group_bytes,
    .pack_panel = pack_panel,
    .pack_group = pack_group,
    .scratch_bytes = scratch_bytes,
    .strip = strip,
};
