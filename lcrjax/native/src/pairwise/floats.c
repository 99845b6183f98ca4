/* Similarities of vectors of floats, from products of integers of 16 bits, and of 8.

   A row x is rounded to s (X - u): a scale s of its own, integers X, and the dither u, random
   numbers in [-1/2, 1/2) that are the same for all rows; a column y to t (Y - v) likewise. Then
   x.y = s t (X.Y - X.v - u.Y + u.v), of which X.Y alone belongs to the pair. s is such that any 16
   components of X have a norm below 2^15.5: by Cauchy and Schwarz int32 holds their product.

   Error. With dither the errors r = x/s - (X - u) are independent and uniform in [-1/2, 1/2]
   whatever x (Schuchman 1964), hence strictly sub-Gaussian: |x - y|^2 is off by more than
   2 SIGMAS sqrt((t |x|)^2 + (s |y|)^2) with probability 2 exp(-6 SIGMAS^2) = 8e-11 at most.
   By that much the similarity changes by steepness times it: pairs for which this exceeds
   TOLERANCE, and those of which the squared distance may be off by a twentieth, are uncertain. All
   radial forms are convex, so within that twentieth the steepness grows by a fifth at most.
   Rounding to float32 adds some 1e-6 of Z.

   Where MANY pairs of a tile are uncertain, what was rounded off is added for more and more
   components: x.y / (s t) = (X - u).(Y - v) + r.(y/t) + (X - u).q, of which the last two need no
   more than eight bits, 256 r and X / 256, four products at once. That leaves errors of r d and
   d' q, d = y/t - 256 round(Y / 256), and of y / 256. What is uncertain still, the pairs that are
   next to each other, comes from sums of squared differences.

   Vectors in clusters. x and y are taken about the centres a and b that are nearest to them, so
   that integers hold what differs within a cluster:
   |x - y|^2 = |x - b|^2 + |y - a|^2 - |a - b|^2 - 2 (x - a).(y - b).

   Inner products of vectors of length one come from their distances. */
#include <math.h>
#include <string.h>

#include "centre.h"
#include "form.h"
#include "sums.h"
#include "tile.h"
#include "vectors.h"

enum {
  CHUNK = 8,   /* steps, of two components each, whose products int32 holds */
  DEPTH = 128, /* steps of a panel that stay in the nearest cache for a strip */
  MANY = 32,   /* uncertain pairs of a tile that are done again one by one, */
  FEW = 4,     /* and of directions, whose lengths that takes as well */
  LEVELS = 3   /* of components whose products are done to 24 bits: none, three quarters, all */
};
static const float SIGMAS = 2, TOLERANCE = 8e-6f, STRAIGHT_TOLERANCE = 9e-6f;

/* A row or column: the square of its norm, its scale, its product with the other side's dither (of
   columns, less that of both dithers); the squares of the components that level 1 leaves out, those
   of what eight bits leave out of it, and what columns of unsigned bytes add at each level. */
enum { SQUARES, SCALE, DITHERED, TAIL, SPILL, BIAS, TERMS = BIAS + LEVELS };

static int64_t steps(int64_t d) { return (d + 7) / 8 * 4; } /* in fours, for the innermost loop */
static int64_t steps_at(int level, int64_t d) {
  return level == 0 ? 0 : level == 1 ? steps(d) * 3 / 4 / 16 * 16 : steps(d);
}
/* Words, terms and bytes, `count` side by side; then squared distances from all centres, and the
   number of the nearest. */
static int64_t packed_bytes(int64_t d, int64_t count) {
  return (2 * steps(d) + TERMS + CENTRES + 1) * 4 * count;
}
static const float *terms_of(const char *packed, int64_t d, int64_t count) {
  return (const float *)packed + steps(d) * count;
}
static const char *bytes_of(const char *packed, int64_t d, int64_t count) {
  return packed + (steps(d) + TERMS) * 4 * count;
}
static const float *from_centres(const char *packed, int64_t d, int64_t count) {
  return (const float *)(packed + (2 * steps(d) + TERMS) * 4 * count);
}
static const int32_t *nearest(const char *packed, int64_t d, int64_t count) {
  return (const int32_t *)from_centres(packed, d, count) + CENTRES * count;
}
static int64_t panel_bytes(int64_t d) { return packed_bytes(d, COLUMNS); }
static int64_t group_bytes(int64_t d) { return packed_bytes(d, ROWS); }

/* A worker's own: the level of the strip before, and products and squared distances. */
typedef struct {
  int level, strips;
  float products[STRIP * ROWS * COLUMNS] __attribute__((aligned(64)));
  float squared[ROWS * COLUMNS] __attribute__((aligned(64)));
} Scratch;
static int64_t scratch_bytes(int64_t d) {
  (void)d;
  return sizeof(Scratch);
}

/* Random in [-1/2, 1/2), of components k to k + 15 of rows (side 0) or columns (side 1). */
INLINE Floats dither(int64_t k, int side) {
  const Integers each = x16_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  Integers h = x16_add_epi32(each, x16_set1_epi32((int32_t)(2 * k + side + 1)));
  h = x16_mullo_epi32(h, x16_set1_epi32((int32_t)0x9E3779B1));
  h = x16_xor_si512(h, x16_srli_epi32(h, 16));
  h = x16_mullo_epi32(h, x16_set1_epi32((int32_t)0x85EBCA6B));
  h = x16_xor_si512(h, x16_srli_epi32(h, 13));
  h = x16_mullo_epi32(h, x16_set1_epi32((int32_t)0xC2B2AE35));
  h = x16_xor_si512(h, x16_srli_epi32(h, 16));
  return x16_mul_ps(x16_cvtepi32_ps(h), x16_set1_ps(0x1p-32f));
}

/* Adds eight lanes after another to doubles. */
INLINE Doubles widened(Floats v) {
  return x8_add_pd(x8_cvtps_pd(x16_low_ps(v)), x8_cvtps_pd(x16_high_ps(v)));
}

/* Squares of all components and of the tail, and the scale at which no product of chunks leaves
   int32. */
INLINE void measure(const Elements *e, Vector x, float *terms, int64_t stride) {
  Doubles squares = x8_setzero_pd(), tail = x8_setzero_pd();
  Floats largest = x16_setzero_ps();
  int64_t d = e->dimension, head = 2 * steps_at(1, d);
  float longest = 0;
  for (int64_t k = 0; k < d; k += 2 * CHUNK) {
    Floats v = components(e, x, k, among(k, d)), square = x16_mul_ps(v, v);
    largest = x16_max_ps(largest, x16_abs_ps(v));
    squares = x8_add_pd(squares, widened(square));
    if (k >= head) tail = x8_add_pd(tail, widened(square));
    longest = fmaxf(longest, x16_reduce_add_ps(square));
  }
  float by_norm = sqrtf(longest) / 46000, by_size = x16_reduce_max_ps(largest) / 32500;
  terms[SQUARES * stride] = (float)x8_reduce_add_pd(squares);
  terms[SCALE * stride] = fmaxf(fmaxf(by_norm, by_size), 0x1p-100f);
  terms[TAIL * stride] = (float)x8_reduce_add_pd(tail);
}

/* The centre nearest to a vector; writes its number, and squared distances from all where there are
   several, of the columns (side 1) with one centre for all of them side by side. */
INLINE const float *about(const Elements *e, const float *x, int64_t i, int64_t count, int side,
                          float *squared, int32_t *number) {
  const Centres *centres = e->centres;
  if (!centres) return NULL;
  const float *points = centres->points;
  int64_t d = e->dimension, best = 0;
  double least = INFINITY;
  for (int64_t c = 0; centres->count > 1 && c < centres->count; c++) {
    double found = lcrjax_squared(x, points + c * d, d);
    squared[side ? c * count + i : i * CENTRES + c] = (float)found;
    if (found < least) least = found, best = c;
  }
  number[i] = (int32_t)best;
  return points + best * d;
}

/* What sums over a vector's components: products with the other side's dither, squares of what
   eight bits leave out, and the bytes. */
typedef struct {
  Doubles dithered;
  Floats spill;
  Integers bytes;
} Sums;

/* Sixteen components rounded to words; and bytes: of what this leaves and of the words, in turn two
   of each, the other way round in columns (side 1), which are unsigned. */
INLINE __m256i rounded(Floats v, __mmask16 here, Floats inverse, Floats own, Floats other, int side,
                       Sums *sums, __m256i *bytes) {
  Floats scaled = x16_mul_ps(v, inverse);
  Integers word = x16_maskz_cvtps_epi32(here, x16_fmadd_ps(v, inverse, own));
  Floats value = x16_cvtepi32_ps(word), kept = x16_maskz_sub_ps(here, value, own);
  Floats dithered = x16_mul_ps(side ? kept : value, other);
  sums->dithered = x8_add_pd(sums->dithered, widened(dithered));
  Integers high = x16_srai_epi32(x16_add_epi32(word, x16_set1_epi32(128)), 8);
  Floats off = x16_mul_ps(x16_sub_ps(scaled, kept), x16_set1_ps(256));
  Integers low = x16_min_epi32(x16_cvtps_epi32(off), x16_set1_epi32(127));
  low = x16_maskz_max_epi32(here, low, x16_set1_epi32(-128));
  Floats spill = x16_fnmadd_ps(x16_cvtepi32_ps(high), x16_set1_ps(256), scaled);
  sums->spill = x16_fmadd_ps(spill, spill, sums->spill);
  sums->bytes = x16_add_epi32(sums->bytes, x16_add_epi32(high, low));
  __m128i first = x16_cvtepi32_epi8(side ? high : low);
  __m128i second = x16_cvtepi32_epi8(side ? low : high);
  __m256i both =
      _mm256_set_m128i(_mm_unpackhi_epi16(first, second), _mm_unpacklo_epi16(first, second));
  *bytes = side ? _mm256_xor_si256(both, _mm256_set1_epi8((char)128)) : both;
  return x16_cvtepi32_epi16(word);
}

/* Rounds `count` vectors from `first` on, or zeros where there are no more; a step's words lie side
   by side, after all of them the terms, and then its bytes. */
INLINE void pack(const Elements *e, int64_t first, int64_t count, int side, char *out) {
  int64_t d = e->dimension, n = steps(d);
  uint32_t *to = (uint32_t *)out, *to_bytes = (uint32_t *)bytes_of(out, d, count);
  float *terms = (float *)terms_of(out, d, count);
  float *squared = (float *)from_centres(out, d, count);
  int32_t *number = (int32_t *)nearest(out, d, count);
  Vector x[COLUMNS];
  Sums sums[COLUMNS];
  memset(terms, 0, sizeof(float) * TERMS * (size_t)count);
  memset(squared, 0, sizeof(float) * (CENTRES + 1) * (size_t)count);
  for (int64_t i = 0; i < count; i++) {
    x[i].at = vector(e, first + i);
    terms[SCALE * count + i] = 0x1p-100f;
    sums[i] = (Sums){x8_setzero_pd(), x16_setzero_ps(), x16_setzero_si512()};
    if (!x[i].at) continue;
    x[i].unit = unit_of(e, x[i].at);
    x[i].centre = about(e, x[i].at, i, count, side, squared, number);
    measure(e, x[i], terms + i, count);
  }
  for (int64_t k = 0; k < 2 * n; k += 32, to += 16 * count, to_bytes += 16 * count) {
    __mmask16 here[2] = {among(k, d), among(k + 16, d)};
    Floats own[2] = {dither(k, side), dither(k + 16, side)};
    Floats other[2] = {dither(k, !side), dither(k + 16, !side)};
    for (int64_t part = 0; part < count; part += 16) {
      Integers words[16], bytes[16];
      for (int i = 0; i < 16; i++) {
        int64_t j = part + i;
        words[i] = bytes[i] = x16_setzero_si512();
        if (j >= count || !x[j].at) continue;
        if (k == 2 * steps_at(1, d))
          terms[(BIAS + 1) * count + j] = 128 * (float)x16_reduce_add_epi32(sums[j].bytes);
        Floats inverse = x16_set1_ps(1 / terms[SCALE * count + j]);
        __m256i half[2], low[2];
        for (int h = 0; h < 2; h++)
          half[h] = rounded(components(e, x[j], k + 16 * h, here[h]), here[h], inverse, own[h],
                            other[h], side, &sums[j], &low[h]);
        words[i] = x16_both_si512(half[0], half[1]);
        bytes[i] = x16_both_si512(low[0], low[1]);
      }
      transpose_into(words, to + part, count, count - part, n - k / 2);
      transpose_into(bytes, to_bytes + part, count, count - part, n - k / 2);
    }
  }
  for (int64_t i = 0; i < count; i++) {
    terms[DITHERED * count + i] = (float)x8_reduce_add_pd(sums[i].dithered);
    terms[SPILL * count + i] = x16_reduce_add_ps(sums[i].spill);
    terms[(BIAS + 2) * count + i] = 128 * (float)x16_reduce_add_epi32(sums[i].bytes);
  }
}

KERNEL static void pack_panel(const Elements *e, int64_t panel, char *out) {
  pack(e, panel * COLUMNS, COLUMNS, 1, out);
}

KERNEL static void pack_group(const Elements *e, int64_t first, char *out) {
  pack(e, first, ROWS, 0, out);
}

/* Adds the products of a tile over the steps from `from` to `to`, of words or of bytes. */
KERNEL static void add_words(const char *columns, const char *rows, int64_t count, float *out) {
  LCRJAX_TILE_OF_WORDS(columns, rows, count, out);
}
KERNEL static void add_bytes(const char *columns, const char *rows, int64_t count, float *out) {
  LCRJAX_TILE_OF_MORE(columns, rows, count, out);
}

/* |x - y|^2 by differences, of one x and up to four y, times one over their norms if that counts.
 */
KERNEL static void differences(const Problem *p, const float *x, const float *const *y,
                               float *out) {
  const Elements plain = {.directions = p->rows.directions, .dimension = p->rows.dimension};
  int64_t d = plain.dimension;
  const Vector one = {x, NULL, unit_of(&plain, x)};
  Vector others[4];
  Floats sum[4];
  for (int i = 0; i < 4; i++) {
    others[i] = (Vector){y[i], NULL, unit_of(&plain, y[i])};
    sum[i] = x16_setzero_ps();
  }
  for (int64_t k = 0; k < d; k += 16) {
    __mmask16 left = among(k, d);
    Floats own = components(&plain, one, k, left);
    for (int i = 0; i < 4; i++) {
      Floats gap = x16_sub_ps(own, components(&plain, others[i], k, left));
      sum[i] = x16_fmadd_ps(gap, gap, sum[i]);
    }
  }
  for (int i = 0; i < 4; i++) out[i] = x16_reduce_add_ps(sum[i]);
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
    differences(p, x, y, found);
    for (int i = 0; i < count; i++) squared[at[i]] = found[i];
    count = 0;
  }
}

typedef struct {
  Floats exponent, rate; /* -log2(e) times the rate; the rate */
  float strict;          /* (steepness over the tolerance)^2 */
  Floats noise;     /* of float32 in a squared distance, of the sum of squares, times its root */
  Floats twentieth; /* `strict` over 400 */
} Constants;

/* What a row's pairs have in common, and what a column's have beside. The square of the error of a
   squared distance, times `strict`, is scale column.error + column.scales error. */
typedef struct {
  Floats squares, twice_scale, dithered, scales, error;
} Row;
typedef struct {
  Floats squares, scale, dithered, scales, error;
} Column;

/* In clusters the squares are of distances from the other side's centres instead: of a row from all
   of them, of columns from the row's own. Those between it and all; the centres of the columns. */
typedef struct {
  Floats row, column, apart;
  Integers nearest;
} Clusters;

INLINE Constants constants(Form form, float rate, int64_t d) {
  float steepness = form == EXPONENTIAL ? rate / 2
                    : form == GAUSSIAN  ? rate
                    : form == MATERN32  ? rate * rate / 2
                    : form == MATERN52  ? rate * rate / 6
                                        : 0.5f;
  float tolerance = lcrjax_of_directions(form) ? STRAIGHT_TOLERANCE : TOLERANCE;
  float root = fminf(steepness / tolerance, 1e15f);
  float noise = 0x1p-24f * (8 + 1.5f * sqrtf((float)(steps(d) / CHUNK)));
  return (Constants){x16_set1_ps(rate * -1.44269504088896341f), x16_set1_ps(rate), root * root,
                     x16_set1_ps(noise * root), x16_set1_ps(root * root / 400)};
}

/* What level leaves out of the squares, and eight bits of the rest. */
INLINE float left_out(const float *terms, int64_t stride, int level) {
  float squares = terms[SQUARES * stride], scale = terms[SCALE * stride];
  if (level == 0) return squares;
  float tail = level == 1 ? terms[TAIL * stride] : 0;
  return tail + squares / 32768 + 2 * scale * scale * terms[SPILL * stride];
}

INLINE Row row_of(const float *terms, float strict, int level) {
  float scale = terms[SCALE * ROWS], by = 4 * SIGMAS * SIGMAS * strict;
  return (Row){x16_set1_ps(terms[SQUARES * ROWS]), x16_set1_ps(2 * scale),
               x16_set1_ps(terms[DITHERED * ROWS] + terms[(BIAS + level) * ROWS]),
               x16_set1_ps(by * scale * scale), x16_set1_ps(by * left_out(terms, ROWS, level))};
}

INLINE Column column_of(const float *terms, int level) {
  float error[16] __attribute__((aligned(64)));
  for (int j = 0; j < 16; j++) error[j] = left_out(terms + j, COLUMNS, level);
  Floats scale = x16_load_ps(terms + SCALE * COLUMNS);
  return (Column){x16_load_ps(terms + SQUARES * COLUMNS), scale,
                  x16_load_ps(terms + DITHERED * COLUMNS), x16_mul_ps(scale, scale),
                  x16_load_ps(error)};
}

/* Similarities at squared distances of vectors whose squares have these sums, and their slopes. */
INLINE Floats similar(Form form, Constants c, Floats squared, Floats sums, Floats *slope) {
  if (!lcrjax_of_directions(form))
    return lcrjax_similarity(form, squared, c.exponent, c.rate, slope);
  Floats product = x16_mul_ps(x16_sub_ps(sums, squared), x16_set1_ps(0.5f));
  return form == COSINE ? x16_max_ps(product, x16_setzero_ps()) : product;
}

/* Of sixteen columns from j on, of a panel that is packed, with a row of a group. */
INLINE Clusters clusters_of(const Problem *p, const char *group, int r, const char *packed, int j) {
  int64_t d = p->columns.dimension, own = nearest(group, d, ROWS)[r];
  return (Clusters){x16_loadu_ps(from_centres(group, d, ROWS) + r * CENTRES),
                    x16_loadu_ps(from_centres(packed, d, COLUMNS) + own * COLUMNS + j),
                    x16_loadu_ps(p->rows.centres->apart[own]),
                    x16_loadu_si512(nearest(packed, d, COLUMNS) + j)};
}

/* Similarities of sixteen pairs, and which of them are uncertain. */
INLINE __mmask16 sixteen(Form form, Constants c, Row row, Column column, const Clusters *clusters,
                         const float *product, float *squared, float *z) {
  Floats gap = x16_sub_ps(x16_load_ps(product), column.dithered);
  Floats sums = x16_add_ps(column.squares, row.squares), all = sums;
  if (clusters) {
    Floats apart = x16_permutexvar_ps(clusters->nearest, clusters->apart);
    sums = x16_add_ps(x16_permutexvar_ps(clusters->nearest, clusters->row), clusters->column);
    all = x16_add_ps(sums, apart);
    sums = x16_sub_ps(sums, apart);
  }
  gap = x16_mul_ps(x16_sub_ps(gap, row.dithered), column.scale);
  gap = x16_max_ps(x16_fnmadd_ps(gap, row.twice_scale, sums), x16_setzero_ps());
  Floats slope, value = similar(form, c, gap, sums, &slope), noise = x16_mul_ps(all, c.noise);
  x16_store_ps(squared, gap);
  x16_store_ps(z, value);
  Floats error = x16_mul_ps(row.error, column.scales);
  error = x16_fmadd_ps(row.scales, column.error, error);
  error = x16_fmadd_ps(noise, noise, error);
  if (lcrjax_of_directions(form)) return x16_cmp_ps_mask(error, x16_set1_ps(1), _CMP_NLE_UQ);
  Floats allowed = form == EXPONENTIAL ? gap : x16_set1_ps(1);
  Floats change = x16_mul_ps(x16_mul_ps(slope, slope), error);
  Floats known = x16_mul_ps(x16_mul_ps(gap, gap), c.twentieth);
  return x16_cmp_ps_mask(change, allowed, _CMP_NLE_UQ) | x16_cmp_ps_mask(known, error, _CMP_NGE_UQ);
}

/* Similarities of a tile from products at a level; counts the pairs that are uncertain. */
INLINE int similarities(Form form, bool clustered, const Problem *p, const char *group,
                        const char *packed, int level, const float *products, float *squared,
                        uint32_t *uncertain, float *z) {
  int64_t d = p->columns.dimension;
  const float *rows = terms_of(group, d, ROWS), *columns = terms_of(packed, d, COLUMNS);
  Constants c = constants(form, p->rate, d);
  const Column column[2] = {column_of(columns, level), column_of(columns + 16, level)};
  int count = 0;
  for (int r = 0; r < ROWS; r++) {
    Row row = row_of(rows + r, c.strict, level);
    uncertain[r] = 0;
    for (int half = 0; half < 2; half++) {
      int64_t at = r * COLUMNS + 16 * half;
      Clusters clusters;
      if (clustered) clusters = clusters_of(p, group, r, packed, 16 * half);
      uint32_t found = sixteen(form, c, row, column[half], clustered ? &clusters : NULL,
                               products + at, squared + at, z + at);
      uncertain[r] |= found << 16 * half;
    }
    count += __builtin_popcount(uncertain[r]);
  }
  return count;
}

/* Those of uncertain pairs from differences. */
INLINE void exactly(Form form, const Problem *p, const float *rows, const float *columns,
                    int64_t first_row, int64_t first_column, float *squared,
                    const uint32_t *uncertain, float *z) {
  Constants c = constants(form, p->rate, p->rows.dimension);
  for (int r = 0; r < ROWS; r++, squared += COLUMNS, z += COLUMNS) {
    if (!uncertain[r]) continue;
    recompute(p, first_row + r, first_column, uncertain[r], squared);
    for (int j = 0; j < COLUMNS; j += 16) {
      Floats sums = x16_add_ps(x16_set1_ps(rows[r]), x16_load_ps(columns + j)), slope;
      x16_store_ps(z + j, similar(form, c, x16_load_ps(squared + j), sums, &slope));
    }
  }
}

/* Adds the bytes of the steps from one level to another to the products of n groups. */
static void refine(const Problem *p, const Groups *groups, int n, const char *packed, int from,
                   int to, float *products) {
  int64_t d = p->columns.dimension, last = steps_at(to, d);
  const char *columns = bytes_of(packed, d, COLUMNS), *rows = bytes_of(groups->first, d, ROWS);
  for (int64_t k = steps_at(from, d); k < last; k += DEPTH)
    for (int i = 0; i < n; i++)
      add_bytes(columns + k * 4 * COLUMNS, rows + i * groups->stride + k * 4 * ROWS,
                last - k < DEPTH ? last - k : DEPTH, products + i * ROWS * COLUMNS);
}

/* A tile of similarities whose products are done to a level; returns that which it took. */
INLINE int tile(Form form, bool clustered, const Problem *p, const Groups *group,
                const char *packed, int level, int64_t row, int64_t column, float *products,
                float *squared, float *z) {
  int64_t d = p->columns.dimension;
  const float *rows = terms_of(group->first, d, ROWS), *columns = terms_of(packed, d, COLUMNS);
  uint32_t uncertain[ROWS];
  int count = similarities(form, clustered, p, group->first, packed, level, products, squared,
                           uncertain, z);
  for (; count > (lcrjax_of_directions(form) ? FEW : MANY) && level + 1 < LEVELS; level++) {
    refine(p, group, 1, packed, level, level + 1, products);
    count = similarities(form, clustered, p, group->first, packed, level + 1, products, squared,
                         uncertain, z);
  }
  if (count) exactly(form, p, rows, columns, row, column, squared, uncertain, z);
  if (form == COSINE) lcrjax_itself(p, row, column, z);
  return level;
}

KERNEL static int tile_of(const Problem *p, const Groups *group, const char *packed, int level,
                          int64_t row, int64_t column, float *products, float *squared, float *z) {
#define LCRJAX_TILE(form, clustered) \
  tile(form, clustered, p, group, packed, level, row, column, products, squared, z)
#define LCRJAX_CASE(form) \
  case form: return clustered ? LCRJAX_TILE(form, true) : LCRJAX_TILE(form, false)
  bool clustered = p->rows.centres && p->rows.centres->count > 1;
  switch (p->form) {
    LCRJAX_CASE(EXPONENTIAL);
    LCRJAX_CASE(GAUSSIAN);
    LCRJAX_CASE(MATERN32);
    LCRJAX_CASE(MATERN52);
    case COSINE: return LCRJAX_TILE(COSINE, false);
    case LINEAR: return LCRJAX_TILE(LINEAR, false);
  }
#undef LCRJAX_CASE
#undef LCRJAX_TILE
  return level;
}

KERNEL static void strip(const Problem *p, const Groups *groups, int n, int64_t first_row,
                         int64_t panel, char *scratch, float *z) {
  int64_t d = p->columns.dimension, all = steps(d);
  const char *packed = p->columns.panels + panel * panel_bytes(d), *ahead = groups->ahead;
  Scratch *own = (Scratch *)scratch;
  memset(own->products, 0, sizeof(float) * ROWS * COLUMNS * (size_t)n);
  for (int64_t from = 0; from < all; from += DEPTH) {
    int64_t to = all - from < DEPTH ? all : from + DEPTH;
    for (int i = 0; i < n; i++)
      for (int64_t k = from; k < to; k += CHUNK) {
        ahead = lcrjax_fetch(ahead, groups->share * CHUNK / all);
        add_words(packed + k * 4 * COLUMNS, groups->first + i * groups->stride + k * 4 * ROWS,
                  to - k < CHUNK ? to - k : CHUNK, own->products + i * ROWS * COLUMNS);
      }
  }
  /* What the strip before took is taken at once; a lower level now and then, to see if it serves.
   */
  int start = own->level - (own->level > 0 && ++own->strips % 8 == 0), most = 0;
  refine(p, groups, n, packed, 0, start, own->products);
  for (int i = 0; i < n; i++) {
    const Groups group = {groups->first + i * groups->stride, groups->stride, NULL, 0};
    int took = tile_of(p, &group, packed, start, first_row + i * ROWS, panel * COLUMNS,
                       own->products + i * ROWS * COLUMNS, own->squared, z + i * ROWS * COLUMNS);
    most = took > most ? took : most;
  }
  own->level = most;
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
