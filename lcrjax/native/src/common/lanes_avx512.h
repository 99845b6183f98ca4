/* Vectors of sixteen lanes for AVX-512: one register. See lanes.h. */
#ifndef LCRJAX_LANES_AVX512_H_
#define LCRJAX_LANES_AVX512_H_

#include "lanes.h"

typedef __m512 Floats;
typedef __m512i Integers;
typedef __m512d Doubles;

#define x16_abs_ps _mm512_abs_ps
#define x16_add_epi32 _mm512_add_epi32
#define x16_add_ps _mm512_add_ps
#define x16_castps_si512 _mm512_castps_si512
#define x16_castsi512_ps _mm512_castsi512_ps
#define x16_cmp_ps_mask _mm512_cmp_ps_mask
#define x16_cvtepi32_epi16 _mm512_cvtepi32_epi16
#define x16_cvtepi32_epi8 _mm512_cvtepi32_epi8
#define x16_cvtepi32_ps _mm512_cvtepi32_ps
#define x16_cvtepu32_ps _mm512_cvtepu32_ps
#define x16_cvtps_epi32 _mm512_cvtps_epi32
#define x16_dpbusd_epi32 _mm512_dpbusd_epi32
#define x16_fmadd_ps _mm512_fmadd_ps
#define x16_fmsub_ps _mm512_fmsub_ps
#define x16_fnmadd_ps _mm512_fnmadd_ps
#define x16_load_ps _mm512_load_ps
#define x16_load_si512 _mm512_load_si512
#define x16_loadu_ps _mm512_loadu_ps
#define x16_loadu_si512 _mm512_loadu_si512
#define x16_mask_add_ps _mm512_mask_add_ps
#define x16_mask_cmp_ps_mask _mm512_mask_cmp_ps_mask
#define x16_mask_compressstoreu_epi32 _mm512_mask_compressstoreu_epi32
#define x16_mask_compressstoreu_ps _mm512_mask_compressstoreu_ps
#define x16_mask_storeu_ps _mm512_mask_storeu_ps
#define x16_maskz_compress_epi32 _mm512_maskz_compress_epi32
#define x16_maskz_cvtps_epi32 _mm512_maskz_cvtps_epi32
#define x16_maskz_loadu_epi8 _mm512_maskz_loadu_epi8
#define x16_maskz_loadu_ps _mm512_maskz_loadu_ps
#define x16_maskz_max_epi32 _mm512_maskz_max_epi32
#define x16_maskz_sub_ps _mm512_maskz_sub_ps
#define x16_max_ps _mm512_max_ps
#define x16_min_epi32 _mm512_min_epi32
#define x16_mul_ps _mm512_mul_ps
#define x16_mullo_epi32 _mm512_mullo_epi32
#define x16_or_si512 _mm512_or_si512
#define x16_permutexvar_ps _mm512_permutexvar_ps
#define x16_reduce_add_epi32 _mm512_reduce_add_epi32
#define x16_reduce_add_ps _mm512_reduce_add_ps
#define x16_reduce_max_ps _mm512_reduce_max_ps
#define x16_set1_epi32 _mm512_set1_epi32
#define x16_set1_epi8 _mm512_set1_epi8
#define x16_set1_ps _mm512_set1_ps
#define x16_setr_epi32 _mm512_setr_epi32
#define x16_setzero_ps _mm512_setzero_ps
#define x16_setzero_si512 _mm512_setzero_si512
#define x16_slli_epi32 _mm512_slli_epi32
#define x16_srai_epi32 _mm512_srai_epi32
#define x16_srli_epi32 _mm512_srli_epi32
#define x16_store_ps _mm512_store_ps
#define x16_store_si512 _mm512_store_si512
#define x16_storeu_ps _mm512_storeu_ps
#define x16_storeu_si512 _mm512_storeu_si512
#define x16_sub_epi32 _mm512_sub_epi32
#define x16_sub_ps _mm512_sub_ps
#define x16_test_epi32_mask _mm512_test_epi32_mask
#define x16_xor_si512 _mm512_xor_si512
#define x8_add_pd _mm512_add_pd
#define x8_cvtpd_ps _mm512_cvtpd_ps
#define x8_cvtps_pd _mm512_cvtps_pd
#define x8_fmadd_pd _mm512_fmadd_pd
#define x8_mul_pd _mm512_mul_pd
#define x8_reduce_add_pd _mm512_reduce_add_pd
#define x8_set1_pd _mm512_set1_pd
#define x8_setzero_pd _mm512_setzero_pd
#define x8_maskz_loadu_ps _mm256_maskz_loadu_ps

/* Halves. */
#define x16_low_ps _mm512_castps512_ps256
#define x16_high_ps(x) _mm512_extractf32x8_ps(x, 1)
#define x16_both_ps(low, high) _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1)
#define x16_both_si512(low, high) _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1)

/* Square root to the last place or so: a table's fourteen bits, doubled by one step of Newton's. */
INLINE __m512 x16_sqrt_ps(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(1e-30f)); /* whose root is 1e-15: a similarity of 1 */
  __m512 r = _mm512_rsqrt14_ps(x);
  __m512 s = _mm512_mul_ps(x, r);
  __m512 gap = _mm512_fnmadd_ps(s, s, x);
  return _mm512_fmadd_ps(_mm512_mul_ps(r, _mm512_set1_ps(0.5f)), gap, s);
}

/* Sixteen vectors, transposed: blocks change places, half by half. */
INLINE void x16_transpose(__m512 *a) {
  const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
#pragma GCC unroll 4
  for (int half = LANES / 2; half; half /= 2) {
    const __mmask16 upper = _mm512_test_epi32_mask(lane, _mm512_set1_epi32(half));
    const __m512i low = _mm512_mask_add_epi32(lane, upper, lane, _mm512_set1_epi32(LANES - half));
    const __m512i high = _mm512_mask_add_epi32(_mm512_add_epi32(lane, _mm512_set1_epi32(half)),
                                               upper, lane, _mm512_set1_epi32(LANES));
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) {
      if (i & half) continue;
      const __m512 x = a[i], y = a[i + half];
      a[i] = _mm512_permutex2var_ps(x, low, y);
      a[i + half] = _mm512_permutex2var_ps(x, high, y);
    }
  }
}

#endif
