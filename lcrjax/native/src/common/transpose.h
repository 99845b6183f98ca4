/* Transposition of small squares. */
#ifndef LCRJAX_TRANSPOSE_H_
#define LCRJAX_TRANSPOSE_H_

#include <stdint.h>

#include "lanes.h"

/* A square of floats in memory, transposed. */
KERNEL static inline void transpose(const float *from, int64_t stride, float *to,
                                    int64_t to_stride) {
  Floats a[LANES];
  for (int i = 0; i < LANES; i++) a[i] = x16_loadu_ps(from + i * stride);
  x16_transpose(a);
  for (int i = 0; i < LANES; i++) x16_storeu_ps(to + i * to_stride, a[i]);
}

/* Writes up to LANES vectors of four-byte items side by side: the first `across` items of a
   transposed square to `count` places, `stride` items apart. */
INLINE void transpose_into(Integers *items, uint32_t *to, int64_t stride, int64_t across,
                           int64_t count) {
  Floats a[LANES];
  for (int i = 0; i < LANES; i++) a[i] = x16_castsi512_ps(items[i]);
  x16_transpose(a);
  const __mmask16 all = across < LANES ? (__mmask16)((1 << across) - 1) : 0xFFFF;
  for (int i = 0; i < LANES; i++)
    if (i < count) x16_mask_storeu_ps((float *)(to + i * stride), all, a[i]);
}

#endif
