/* Transposition of small squares. */
#ifndef LCRJAX_TURN_H_
#define LCRJAX_TURN_H_

#include "conv.h"

/* A square of LANES x LANES floats, turned: blocks change places, half by half. */
VNNI512 static inline void turn(const float *from, int64_t stride, float *to, int64_t to_stride) {
  __m512 a[LANES];
  const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  for (int i = 0; i < LANES; i++) a[i] = _mm512_loadu_ps(from + i * stride);
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
  for (int i = 0; i < LANES; i++) _mm512_storeu_ps(to + i * to_stride, a[i]);
}

#endif
