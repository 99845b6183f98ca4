/* Vectors of sixteen lanes for AVX2: two of eight. See lanes.h. What would be slow so, the
   innermost loops, is in pairwise/tile_avx2.h. */
#ifndef LCRJAX_LANES_AVX2_H_
#define LCRJAX_LANES_AVX2_H_

#include <string.h>

#include "lanes.h"

typedef struct {
  __m256 low, high;
} Floats;
typedef struct {
  __m256i low, high;
} Integers;
typedef struct {
  __m256d low, high;
} Doubles;

#define X16_OF_ONE(to, name, from, f) \
  INLINE to name(from x) { return (to){f(x.low), f(x.high)}; }
#define X16_OF_TWO(type, name, f) \
  INLINE type name(type x, type y) { return (type){f(x.low, y.low), f(x.high, y.high)}; }
#define X16_OF_THREE(type, name, f)                                   \
  INLINE type name(type x, type y, type z) {                          \
    return (type){f(x.low, y.low, z.low), f(x.high, y.high, z.high)}; \
  }
#define X16_SHIFT(name, f) \
  INLINE Integers name(Integers x, int by) { return (Integers){f(x.low, by), f(x.high, by)}; }

/* All lanes alike, or each its own. */
INLINE Floats x16_set1_ps(float x) { return (Floats){_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
INLINE Doubles x8_set1_pd(double x) { return (Doubles){_mm256_set1_pd(x), _mm256_set1_pd(x)}; }
INLINE Integers x16_set1_epi32(int32_t x) {
  return (Integers){_mm256_set1_epi32(x), _mm256_set1_epi32(x)};
}
INLINE Integers x16_set1_epi8(char x) {
  return (Integers){_mm256_set1_epi8(x), _mm256_set1_epi8(x)};
}
#define x16_setzero_ps() x16_set1_ps(0)
#define x8_setzero_pd() x8_set1_pd(0)
#define x16_setzero_si512() x16_set1_epi32(0)
#define x16_setr_epi32(a, b, c, d, e, f, g, h, ...) \
  ((Integers){_mm256_setr_epi32(a, b, c, d, e, f, g, h), _mm256_setr_epi32(__VA_ARGS__)})

/* Halves. */
#define x16_low_ps(x) ((x).low)
#define x16_high_ps(x) ((x).high)
#define x16_both_ps(low, high) ((Floats){low, high})
#define x16_both_si512(low, high) ((Integers){low, high})

/* Memory. */
INLINE Floats x16_loadu_ps(const float *x) {
  return (Floats){_mm256_loadu_ps(x), _mm256_loadu_ps(x + 8)};
}
INLINE void x16_storeu_ps(float *to, Floats x) {
  _mm256_storeu_ps(to, x.low);
  _mm256_storeu_ps(to + 8, x.high);
}
INLINE Integers x16_loadu_si512(const void *x) {
  const __m256i *at = x;
  return (Integers){_mm256_loadu_si256(at), _mm256_loadu_si256(at + 1)};
}
INLINE void x16_storeu_si512(void *to, Integers x) {
  _mm256_storeu_si256((__m256i *)to, x.low);
  _mm256_storeu_si256((__m256i *)to + 1, x.high);
}
#define x16_load_ps x16_loadu_ps
#define x16_load_si512 x16_loadu_si512
#define x16_store_ps x16_storeu_ps
#define x16_store_si512 x16_storeu_si512

/* Masks: lanes whose bits are set have all bits; bits are signs of lanes. */
INLINE __m256i x8_lanes(uint32_t mask) {
  const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int32_t)mask), bits), bits);
}
INLINE Integers x16_lanes(__mmask16 mask) {
  return (Integers){x8_lanes(mask), x8_lanes((uint32_t)mask >> 8)};
}
INLINE __mmask16 x16_signs(__m256 low, __m256 high) {
  return (__mmask16)(_mm256_movemask_ps(low) | _mm256_movemask_ps(high) << 8);
}
INLINE Integers x16_where(__mmask16 mask, Integers x) {
  const Integers lanes = x16_lanes(mask);
  return (Integers){_mm256_and_si256(lanes.low, x.low), _mm256_and_si256(lanes.high, x.high)};
}
INLINE __m256 x8_maskz_loadu_ps(__mmask8 mask, const float *x) {
  return _mm256_maskload_ps(x, x8_lanes(mask));
}
INLINE Floats x16_maskz_loadu_ps(__mmask16 mask, const float *x) {
  const Integers lanes = x16_lanes(mask);
  return (Floats){_mm256_maskload_ps(x, lanes.low), _mm256_maskload_ps(x + 8, lanes.high)};
}
INLINE void x16_mask_storeu_ps(float *to, __mmask16 mask, Floats x) {
  const Integers lanes = x16_lanes(mask);
  _mm256_maskstore_ps(to, lanes.low, x.low);
  _mm256_maskstore_ps(to + 8, lanes.high, x.high);
}
/* Of a mask whose bits are the first. */
INLINE Integers x16_maskz_loadu_epi8(__mmask64 mask, const void *x) {
  if (mask == ~0ULL) return x16_loadu_si512(x);
  char bytes[64] = {0};
  memcpy(bytes, x, (size_t)__builtin_popcountll(mask));
  return x16_loadu_si512(bytes);
}
INLINE void x16_mask_compressstoreu_epi32(void *to, __mmask16 mask, Integers x) {
  int32_t lanes[LANES], *out = to;
  x16_storeu_si512(lanes, x);
  for (uint32_t left = mask; left; left &= left - 1) *out++ = lanes[__builtin_ctz(left)];
}
INLINE Integers x16_maskz_compress_epi32(__mmask16 mask, Integers x) {
  int32_t lanes[LANES] = {0};
  x16_mask_compressstoreu_epi32(lanes, mask, x);
  return x16_loadu_si512(lanes);
}
#define x16_mask_compressstoreu_ps(to, mask, x) \
  x16_mask_compressstoreu_epi32(to, mask, x16_castps_si512(x))

/* Arithmetic of floats. */
X16_OF_ONE(Floats, x16_sqrt_ps, Floats, _mm256_sqrt_ps)
X16_OF_TWO(Floats, x16_add_ps, _mm256_add_ps)
X16_OF_TWO(Floats, x16_sub_ps, _mm256_sub_ps)
X16_OF_TWO(Floats, x16_mul_ps, _mm256_mul_ps)
X16_OF_TWO(Floats, x16_max_ps, _mm256_max_ps)
X16_OF_THREE(Floats, x16_fmadd_ps, _mm256_fmadd_ps)
X16_OF_THREE(Floats, x16_fmsub_ps, _mm256_fmsub_ps)
X16_OF_THREE(Floats, x16_fnmadd_ps, _mm256_fnmadd_ps)
INLINE Floats x16_abs_ps(Floats x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return (Floats){_mm256_andnot_ps(sign, x.low), _mm256_andnot_ps(sign, x.high)};
}
INLINE Floats x16_mask_add_ps(Floats otherwise, __mmask16 mask, Floats x, Floats y) {
  const Integers lanes = x16_lanes(mask);
  const Floats sum = x16_add_ps(x, y);
  return (Floats){_mm256_blendv_ps(otherwise.low, sum.low, _mm256_castsi256_ps(lanes.low)),
                  _mm256_blendv_ps(otherwise.high, sum.high, _mm256_castsi256_ps(lanes.high))};
}
/* The lanes of x that a vector of numbers below sixteen names. */
INLINE __m256 x8_named(__m256i lane, Floats x) {
  __m256 low = _mm256_permutevar8x32_ps(x.low, lane), high = _mm256_permutevar8x32_ps(x.high, lane);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(lane, 28)));
}
INLINE Floats x16_permutexvar_ps(Integers lane, Floats x) {
  return (Floats){x8_named(lane.low, x), x8_named(lane.high, x)};
}
#define x16_cmp_ps_mask(x, y, how) \
  x16_signs(_mm256_cmp_ps((x).low, (y).low, how), _mm256_cmp_ps((x).high, (y).high, how))
#define x16_mask_cmp_ps_mask(mask, x, y, how) ((mask)&x16_cmp_ps_mask(x, y, how))

/* Arithmetic of eight doubles. */
X16_OF_TWO(Doubles, x8_add_pd, _mm256_add_pd)
X16_OF_TWO(Doubles, x8_mul_pd, _mm256_mul_pd)
X16_OF_THREE(Doubles, x8_fmadd_pd, _mm256_fmadd_pd)
INLINE Doubles x8_cvtps_pd(__m256 x) {
  return (Doubles){_mm256_cvtps_pd(_mm256_castps256_ps128(x)),
                   _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
}
INLINE __m256 x8_cvtpd_ps(Doubles x) {
  return _mm256_set_m128(_mm256_cvtpd_ps(x.high), _mm256_cvtpd_ps(x.low));
}

/* Arithmetic of integers. */
X16_OF_TWO(Integers, x16_add_epi32, _mm256_add_epi32)
X16_OF_TWO(Integers, x16_sub_epi32, _mm256_sub_epi32)
X16_OF_TWO(Integers, x16_mullo_epi32, _mm256_mullo_epi32)
X16_OF_TWO(Integers, x16_min_epi32, _mm256_min_epi32)
X16_OF_TWO(Integers, x16_max_epi32, _mm256_max_epi32)
X16_OF_TWO(Integers, x16_or_si512, _mm256_or_si256)
X16_OF_TWO(Integers, x16_xor_si512, _mm256_xor_si256)
X16_SHIFT(x16_slli_epi32, _mm256_slli_epi32)
X16_SHIFT(x16_srli_epi32, _mm256_srli_epi32)
X16_SHIFT(x16_srai_epi32, _mm256_srai_epi32)
X16_OF_ONE(Floats, x16_cvtepi32_ps, Integers, _mm256_cvtepi32_ps)
X16_OF_ONE(Integers, x16_cvtps_epi32, Floats, _mm256_cvtps_epi32)
X16_OF_ONE(Floats, x16_castsi512_ps, Integers, _mm256_castsi256_ps)
X16_OF_ONE(Integers, x16_castps_si512, Floats, _mm256_castps_si256)
#define x16_maskz_max_epi32(mask, x, y) x16_where(mask, x16_max_epi32(x, y))
#define x16_maskz_cvtps_epi32(mask, x) x16_where(mask, x16_cvtps_epi32(x))
#define x16_maskz_sub_ps(mask, x, y) \
  x16_castsi512_ps(x16_where(mask, x16_castps_si512(x16_sub_ps(x, y))))
/* Rounded once: both halves of an integer are floats. */
INLINE __m256 x8_cvtepu32_ps(__m256i x) {
  __m256 high = _mm256_cvtepi32_ps(_mm256_srli_epi32(x, 16));
  __m256 low = _mm256_cvtepi32_ps(_mm256_and_si256(x, _mm256_set1_epi32(0xFFFF)));
  return _mm256_fmadd_ps(high, _mm256_set1_ps(65536), low);
}
X16_OF_ONE(Floats, x16_cvtepu32_ps, Integers, x8_cvtepu32_ps)
INLINE __mmask16 x16_test_epi32_mask(Integers x, Integers y) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i low = _mm256_cmpeq_epi32(_mm256_and_si256(x.low, y.low), zero);
  __m256i high = _mm256_cmpeq_epi32(_mm256_and_si256(x.high, y.high), zero);
  return (__mmask16)~x16_signs(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high));
}
/* Two products of bytes may not fit into a word: each word takes one. */
INLINE __m256i x8_dpbusd_epi32(__m256i sum, __m256i x, __m256i y) {
  const __m256i even = _mm256_set1_epi16(0xFF), one = _mm256_set1_epi16(1);
  __m256i first = _mm256_maddubs_epi16(_mm256_and_si256(x, even), y);
  __m256i second = _mm256_maddubs_epi16(_mm256_andnot_si256(even, x), y);
  sum = _mm256_add_epi32(sum, _mm256_madd_epi16(first, one));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(second, one));
}
X16_OF_THREE(Integers, x16_dpbusd_epi32, x8_dpbusd_epi32)
/* Of numbers that fit. */
INLINE __m256i x16_cvtepi32_epi16(Integers x) {
  return _mm256_permute4x64_epi64(_mm256_packs_epi32(x.low, x.high), 0xD8);
}
INLINE __m128i x16_cvtepi32_epi8(Integers x) {
  const __m256i words = x16_cvtepi32_epi16(x);
  return _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

/* Over all lanes. */
INLINE float x16_reduce_add_ps(Floats x) {
  const __m256 eight = _mm256_add_ps(x.low, x.high);
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}
INLINE float x16_reduce_max_ps(Floats x) {
  const __m256 eight = _mm256_max_ps(x.low, x.high);
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}
INLINE double x8_reduce_add_pd(Doubles x) {
  const __m256d four = _mm256_add_pd(x.low, x.high);
  __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}
INLINE int32_t x16_reduce_add_epi32(Integers x) {
  const __m256i eight = _mm256_add_epi32(x.low, x.high);
  __m128i four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  return _mm_cvtsi128_si32(_mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1)));
}

/* Eight vectors of eight, transposed: single lanes, pairs and halves change places. */
INLINE void x8_transpose(__m256 *const a[8]) {
  __m256 b[8], c[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    b[i] = _mm256_unpacklo_ps(*a[i], *a[i + 1]);
    b[i + 1] = _mm256_unpackhi_ps(*a[i], *a[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    const __m256 x = b[i / 2 * 4 + i % 2], y = b[i / 2 * 4 + i % 2 + 2];
    c[i / 2 * 4 + i % 2 * 2] = _mm256_shuffle_ps(x, y, 0x44);
    c[i / 2 * 4 + i % 2 * 2 + 1] = _mm256_shuffle_ps(x, y, 0xEE);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    *a[i] = _mm256_permute2f128_ps(c[i], c[i + 4], 0x20);
    *a[i + 4] = _mm256_permute2f128_ps(c[i], c[i + 4], 0x31);
  }
}

/* Sixteen vectors, transposed: each quarter of the square, and two of them change places. */
INLINE void x16_transpose(Floats *a) {
#pragma GCC unroll 2
  for (int i = 0; i < LANES; i += 8) {
    __m256 *low[8], *high[8];
#pragma GCC unroll 8
    for (int j = 0; j < 8; j++) low[j] = &a[i + j].low, high[j] = &a[i + j].high;
    x8_transpose(low);
    x8_transpose(high);
  }
#pragma GCC unroll 8
  for (int j = 0; j < 8; j++) {
    const __m256 right = a[j].high;
    a[j].high = a[8 + j].low;
    a[8 + j].low = right;
  }
}

#endif
