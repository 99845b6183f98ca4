/* Transposition of small squares. */
#ifndef LCRJAX_TRANSPOSE_H_
#define LCRJAX_TRANSPOSE_H_

#include <immintrin.h>
#include <stdint.h>

#include "cpu.h"

enum { SQUARE = 16 };

/* SQUARE vectors, transposed: blocks change places, half by half. */
INLINE void transpose_vectors(__m512 *a) {
  const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
#pragma GCC unroll 4
  for (int half = SQUARE / 2; half; half /= 2) {
    const __mmask16 upper = _mm512_test_epi32_mask(lane, _mm512_set1_epi32(half));
    const __m512i low = _mm512_mask_add_epi32(lane, upper, lane, _mm512_set1_epi32(SQUARE - half));
    const __m512i high = _mm512_mask_add_epi32(_mm512_add_epi32(lane, _mm512_set1_epi32(half)),
                                               upper, lane, _mm512_set1_epi32(SQUARE));
#pragma GCC unroll 16
    for (int i = 0; i < SQUARE; i++) {
      if (i & half) continue;
      const __m512 x = a[i], y = a[i + half];
      a[i] = _mm512_permutex2var_ps(x, low, y);
      a[i + half] = _mm512_permutex2var_ps(x, high, y);
    }
  }
}

/* A square of floats in memory, transposed. */
VNNI512 static inline void transpose(const float *from, int64_t stride, float *to,
                                     int64_t to_stride) {
  __m512 a[SQUARE];
  for (int i = 0; i < SQUARE; i++) a[i] = _mm512_loadu_ps(from + i * stride);
  transpose_vectors(a);
  for (int i = 0; i < SQUARE; i++) _mm512_storeu_ps(to + i * to_stride, a[i]);
}

/* Writes up to SQUARE vectors of four-byte items side by side: the first `across` items of a
   transposed square to `count` places, `stride` items apart. */
INLINE void transpose_into(__m512i *items, uint32_t *to, int64_t stride, int64_t across,
                           int64_t count) {
  __m512 a[SQUARE];
  for (int i = 0; i < SQUARE; i++) a[i] = _mm512_castsi512_ps(items[i]);
  transpose_vectors(a);
  const __mmask16 all = across < SQUARE ? (__mmask16)((1 << across) - 1) : 0xFFFF;
  for (int i = 0; i < SQUARE; i++)
    if (i < count) _mm512_mask_storeu_ps(to + i * stride, all, a[i]);
}

#endif
