/* Vectors of sixteen lanes, for the processors that the library is compiled for.

   x16_add_ps and the like are what AVX-512 calls _mm512_add_ps: arguments, rounding and masks are
   the same, and so are results, but for sums over lanes, which AVX2 adds up in another order, and
   square roots, of which it computes the last digit too. x8_... have eight lanes. */
#ifndef LCRJAX_LANES_H_
#define LCRJAX_LANES_H_

#include <immintrin.h>
#include <stdint.h>

#include "cpu.h"

enum { LANES = 16 };

#ifdef LCRJAX_AVX2
#include "lanes_avx2.h"
#else
#include "lanes_avx512.h"
#endif

#endif
