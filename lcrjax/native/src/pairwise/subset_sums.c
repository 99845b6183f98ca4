/* Similarities exp(-f |x - y|) of the images of many small subsets, summed within classes and over
   the subset. Called from Python as it is, with the addresses of NumPy's arrays: a copy of all
   images, which XLA takes, would cost more than small subsets do. A thread works on a subset of its
   own, whatever else runs, so that results do not depend on the number of threads. */
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#include "common/cpu.h"
#include "common/ffi.h"

enum { ROWS = 4, LANES = 16, BYTES = 64, KEPT = 1 << 20 }; /* KEPT: bytes of columns in L2 */

typedef struct {
  const uint8_t *images;  /* (N, d) */
  const int32_t *subsets; /* (k, n) indices of images */
  const int32_t *classes; /* (k, n) */
  double *own, *everyone; /* (k, n) */
  int64_t d, n;
  float factor;
  int64_t stride, padded; /* of a copy: bytes of a row, and rows, in whole vectors */
  char *copies;           /* one for each thread */
} Work;

/* One thread's copy of a subset. */
typedef struct {
  uint8_t *pixels;         /* as they are */
  int8_t *shifted;         /* less 128 */
  int32_t *squares, *less; /* sum of squares; that less 256 times the sum of pixels */
  double *own, *everyone;
  int64_t stride;
} Subset;

static size_t copy_bytes(const Work *w) {
  return (size_t)w->padded * (2 * (size_t)w->stride + 2 * sizeof(double) + 2 * sizeof(int32_t));
}

static Subset copy_of(const Work *w, int worker) {
  Subset s = {.pixels = (uint8_t *)w->copies + (size_t)worker * copy_bytes(w), .stride = w->stride};
  s.shifted = (int8_t *)(s.pixels + w->padded * w->stride);
  s.own = (double *)(s.shifted + w->padded * w->stride);
  s.everyone = s.own + w->padded;
  s.squares = (int32_t *)(s.everyone + w->padded);
  s.less = s.squares + w->padded;
  return s;
}

VNNI512 static void gather(const Work *w, const int32_t *rows, Subset *s) {
  const __m512i flip = _mm512_set1_epi8((char)128), one = _mm512_set1_epi8(1);
  for (int64_t i = 0; i < w->n; i++) {
    const uint8_t *image = w->images + rows[i] * w->d;
    __m512i product = _mm512_setzero_si512(), sum = product;
    for (int64_t at = 0; at < w->d; at += BYTES) {
      const __mmask64 left = w->d - at >= BYTES ? ~0ULL : (1ULL << (w->d - at)) - 1;
      const __m512i x = _mm512_maskz_loadu_epi8(left, image + at);
      const __m512i y = _mm512_xor_si512(x, flip);
      _mm512_store_si512(s->pixels + i * s->stride + at, x);
      _mm512_store_si512(s->shifted + i * s->stride + at, y);
      product = _mm512_dpbusd_epi32(product, x, y);
      sum = _mm512_dpbusd_epi32(sum, x, one);
    }
    const uint32_t total = (uint32_t)_mm512_reduce_add_epi32(sum);
    const uint32_t squares = (uint32_t)_mm512_reduce_add_epi32(product) + 128 * total;
    s->squares[i] = (int32_t)squares;
    s->less[i] = (int32_t)(squares - 256 * total);
  }
}

/* The sums of the lanes of four vectors. */
VNNI512 static inline __m128i sums_of_four(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
  const __m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
  const __m512i all =
      _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/* sum += x y, in place: from the intrinsic GCC makes a copy of every sum in every step. */
VNNI512 static inline void accumulate(__m512i *sum, __m512i x, __m512i y) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(*sum) : "v"(x), "v"(y));
}

/* Inner products of four rows with four columns; row r's go to out + 16 r. */
VNNI512 static inline void products(const uint8_t *rows, const int8_t *columns, int64_t stride,
                                    int32_t *out) {
  __m512i sum[ROWS][4];
  for (int r = 0; r < ROWS; r++)
    for (int c = 0; c < 4; c++) sum[r][c] = _mm512_setzero_si512();
  for (int64_t at = 0; at < stride; at += BYTES) {
    __m512i y[4];
    for (int c = 0; c < 4; c++) y[c] = _mm512_load_si512(columns + c * stride + at);
    for (int r = 0; r < ROWS; r++) {
      const __m512i x = _mm512_load_si512(rows + r * stride + at);
      for (int c = 0; c < 4; c++) accumulate(&sum[r][c], x, y[c]);
    }
  }
  for (int r = 0; r < ROWS; r++)
    _mm_store_si128((__m128i *)(out + r * LANES),
                    sums_of_four(sum[r][0], sum[r][1], sum[r][2], sum[r][3]));
}

/* exp(x) for x <= 0, to a unit in the last place. */
VNNI512 static inline __m512 exponential(__m512 x) {
  const __m512 k = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  __m512 r = _mm512_fnmadd_ps(k, _mm512_set1_ps(0.693145752f), x);
  r = _mm512_fnmadd_ps(k, _mm512_set1_ps(1.42860677e-6f), r);
  static const float series[] = {1.f / 720, 1.f / 120, 1.f / 24, 1.f / 6, 0.5f, 1.f, 1.f};
  __m512 p = _mm512_set1_ps(1.f / 5040);
  for (int i = 0; i < 7; i++) p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(series[i]));
  return _mm512_scalef_ps(p, k);
}

VNNI512 static inline void add_lanes(double *sums, __m512 x) {
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(x));
  const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
  _mm512_storeu_pd(sums, _mm512_add_pd(_mm512_loadu_pd(sums), low));
  _mm512_storeu_pd(sums + 8, _mm512_add_pd(_mm512_loadu_pd(sums + 8), high));
}

/* Four rows from i on with the columns from `first` to `last`, of which those beyond the row
   itself count: for the row, and by symmetry for the column. */
VNNI512 static void band(const Work *w, const int32_t *classes, Subset *s, int64_t i, int64_t first,
                         int64_t last) {
  __m512 all[ROWS], own[ROWS];
  for (int r = 0; r < ROWS; r++) all[r] = own[r] = _mm512_setzero_ps();
  const int rows = w->n - i < ROWS ? (int)(w->n - i) : ROWS;
  const __m512 factor = _mm512_set1_ps(-w->factor);
  for (int64_t j = first > i / LANES * LANES ? first : i / LANES * LANES; j < last; j += LANES) {
    _Alignas(64) int32_t product[ROWS * LANES];
    for (int c = 0; c < LANES; c += 4)
      products(s->pixels + i * s->stride, s->shifted + (j + c) * s->stride, s->stride, product + c);
    const __mmask16 inside = w->n - j >= LANES ? 0xffff : (__mmask16)((1 << (w->n - j)) - 1);
    const __m512i squares = _mm512_loadu_si512(s->squares + j);
    const __m512i here = _mm512_maskz_loadu_epi32(inside, classes + j);
    __m512 column = _mm512_setzero_ps(), column_own = column;
    for (int r = 0; r < rows; r++) {
      const int64_t before = i + r + 1 - j; /* columns of this tile that do not count */
      const __mmask16 mask = before <= 0       ? inside
                             : before >= LANES ? 0
                                               : inside & (__mmask16)(0xffff << before);
      const __mmask16 same =
          _mm512_mask_cmpeq_epi32_mask(mask, here, _mm512_set1_epi32(classes[i + r]));
      const __m512i twice = _mm512_slli_epi32(_mm512_load_si512(product + r * LANES), 1);
      const __m512i squared =
          _mm512_sub_epi32(_mm512_add_epi32(squares, _mm512_set1_epi32(s->less[i + r])), twice);
      const __m512 distance = _mm512_sqrt_ps(_mm512_cvtepi32_ps(squared));
      const __m512 z = exponential(_mm512_mul_ps(factor, distance));
      all[r] = _mm512_mask_add_ps(all[r], mask, all[r], z);
      own[r] = _mm512_mask_add_ps(own[r], same, own[r], z);
      column = _mm512_mask_add_ps(column, mask, column, z);
      column_own = _mm512_mask_add_ps(column_own, same, column_own, z);
    }
    add_lanes(s->everyone + j, column);
    add_lanes(s->own + j, column_own);
  }
  for (int r = 0; r < rows; r++) {
    s->everyone[i + r] += _mm512_reduce_add_ps(all[r]);
    s->own[i + r] += _mm512_reduce_add_ps(own[r]);
  }
}

static void one_subset(void *data, int64_t number, int worker) {
  const Work *w = data;
  Subset s = copy_of(w, worker);
  const int32_t *classes = w->classes + number * w->n;
  const int64_t padding = w->padded - w->n; /* counts nowhere, but is read */
  gather(w, w->subsets + number * w->n, &s);
  memset(s.pixels + w->n * s.stride, 0, (size_t)(padding * s.stride));
  memset(s.shifted + w->n * s.stride, 0, (size_t)(padding * s.stride));
  memset(s.squares + w->n, 0, (size_t)padding * sizeof(int32_t));
  for (int64_t i = 0; i < w->padded; i++) s.own[i] = s.everyone[i] = 1; /* each to itself */
  const int64_t columns = KEPT / s.stride < LANES ? LANES : KEPT / s.stride / LANES * LANES;
  for (int64_t first = 0; first < w->n; first += columns) {
    const int64_t last = first + columns < w->padded ? first + columns : w->padded;
    for (int64_t i = 0; i < last && i < w->n; i += ROWS) band(w, classes, &s, i, first, last);
  }
  memcpy(w->own + number * w->n, s.own, (size_t)w->n * sizeof(double));
  memcpy(w->everyone + number * w->n, s.everyone, (size_t)w->n * sizeof(double));
}

/* Sums of similarities of each image of k subsets of n to its own class and to all of its subset,
   itself included, (k, n). Squared distances must fit an int32: d <= 33025. Nonzero if memory ran
   out. */
LCRJAX_EXPORT int lcrjax_subset_sums(const uint8_t *images, int64_t d, const int32_t *subsets,
                                     const int32_t *classes, int64_t k, int64_t n, float factor,
                                     int threads, double *own, double *everyone) {
  Work w = {images, subsets, classes, own, everyone, d, n, factor, 0, 0, NULL};
  w.stride = (d + BYTES - 1) / BYTES * BYTES;
  w.padded = (n + LANES - 1) / LANES * LANES;
  if (threads > k) threads = (int)k;
  w.copies = aligned_alloc(BYTES, (size_t)threads * copy_bytes(&w));
  if (w.copies == NULL) return 1;
  lcrjax_parallel((Workers){.threads = threads}, k, one_subset, &w);
  free(w.copies);
  return 0;
}
