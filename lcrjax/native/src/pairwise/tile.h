/* The innermost loops: ROWS x COLUMNS integer inner products, kept in registers.

   A step takes four bytes of each row and column (four pixels, or two words): one vector for each
   sixteen columns, one broadcast for each row. 24 sums are enough to hide the latency of both
   vector units. In assembler, since compilers do not keep 24 sums in registers: zmm0 to zmm23, two
   to a row of the tile. Every second row is broadcast by the multiplications themselves: that takes
   one micro-operation less and one load more, and a processor that shares its front end with
   another thread is short of the former. */
#ifndef LCRJAX_TILE_H_
#define LCRJAX_TILE_H_

#include "common/transpose.h"
#include "sums.h"

#ifdef LCRJAX_AVX2
#include "tile_avx2.h"
#else

enum { LINE = 16 }; /* dwords of a line of packed rows of bytes */

/* Lays sixteen dwords of each row of bytes, less 128, on up to sixteen lines. */
INLINE void lcrjax_lay_rows(const Integers *pixels, uint32_t *to, int64_t lines) {
  Integers x[16];
  for (int i = 0; i < 16; i++)
    x[i] = x16_xor_si512(pixels[i], x16_set1_epi32((int32_t)0x80808080u));
  transpose_into(x, to, LINE, LINE, lines);
}

/* clang-format off */
/* Rows in twos, of step s; rows are numbered by their place in memory, sums by register. */
#define LCRJAX_IN_TWOS(one, other, s)                                                          \
  one(s, 0, 0, 1) other(s, 1, 2, 3) one(s, 2, 4, 5) other(s, 3, 6, 7) one(s, 4, 8, 9)           \
  other(s, 5, 10, 11) one(s, 6, 12, 13) other(s, 7, 14, 15) one(s, 8, 16, 17)                   \
  other(s, 9, 18, 19) one(s, 10, 20, 21) other(s, 11, 22, 23)
#define LCRJAX_EVERY_ROW(f) LCRJAX_IN_TWOS(f, f, 0)
#define LCRJAX_CLEAR(s, r, a, b)                     \
  "vpxord %%zmm" #a ", %%zmm" #a ", %%zmm" #a "\n\t" \
  "vpxord %%zmm" #b ", %%zmm" #b ", %%zmm" #b "\n\t"
#define LCRJAX_BYTES(s, r, a, b)             \
  "vpbroadcastd 4*" #r "(%%rcx), %%zmm26\n\t" \
  "vpdpbusd %%zmm26, %%zmm24, %%zmm" #a "\n\t" \
  "vpdpbusd %%zmm26, %%zmm25, %%zmm" #b "\n\t"
#define LCRJAX_BYTES_AT_ONCE(s, r, a, b)                              \
  "vpdpbusd 4*" #r "(%%rcx)%{1to16%}, %%zmm24, %%zmm" #a "\n\t" \
  "vpdpbusd 4*" #r "(%%rcx)%{1to16%}, %%zmm25, %%zmm" #b "\n\t"
#define LCRJAX_STEP_OF_BYTES(s)                                                     \
  "movslq 4*" #s "(%3), %%rax\n\tlea (%1,%%rax), %%rcx\n\tprefetcht0 960(%%rcx)\n\t" \
  "vmovdqa32 (%0,%%rax,2), %%zmm24\n\tvmovdqa32 64(%0,%%rax,2), %%zmm25\n\t"      \
  LCRJAX_IN_TWOS(LCRJAX_BYTES_AT_ONCE, LCRJAX_BYTES, s)
#define LCRJAX_WORDS(s, r, a, b)                      \
  "vpbroadcastd 48*" #s "+4*" #r "(%1), %%zmm26\n\t" \
  "vpdpwssd %%zmm26, %%zmm24, %%zmm" #a "\n\t"       \
  "vpdpwssd %%zmm26, %%zmm25, %%zmm" #b "\n\t"
#define LCRJAX_WORDS_AT_ONCE(s, r, a, b)                                    \
  "vpdpwssd 48*" #s "+4*" #r "(%1)%{1to16%}, %%zmm24, %%zmm" #a "\n\t" \
  "vpdpwssd 48*" #s "+4*" #r "(%1)%{1to16%}, %%zmm25, %%zmm" #b "\n\t"
#define LCRJAX_STEP_OF_WORDS(s)                                                         \
  "vmovdqa32 128*" #s "(%0), %%zmm24\n\tvmovdqa32 128*" #s "+64(%0), %%zmm25\n\t" \
  LCRJAX_IN_TWOS(LCRJAX_WORDS_AT_ONCE, LCRJAX_WORDS, s)
#define LCRJAX_MORE(s, r, a, b)                       \
  "vpbroadcastd 48*" #s "+4*" #r "(%1), %%zmm26\n\t" \
  "vpdpbusd %%zmm26, %%zmm24, %%zmm" #a "\n\t"       \
  "vpdpbusd %%zmm26, %%zmm25, %%zmm" #b "\n\t"
#define LCRJAX_MORE_AT_ONCE(s, r, a, b)                                     \
  "vpdpbusd 48*" #s "+4*" #r "(%1)%{1to16%}, %%zmm24, %%zmm" #a "\n\t" \
  "vpdpbusd 48*" #s "+4*" #r "(%1)%{1to16%}, %%zmm25, %%zmm" #b "\n\t"
#define LCRJAX_STEP_OF_MORE(s)                                                          \
  "vmovdqa32 128*" #s "(%0), %%zmm24\n\tvmovdqa32 128*" #s "+64(%0), %%zmm25\n\t" \
  LCRJAX_IN_TWOS(LCRJAX_MORE_AT_ONCE, LCRJAX_MORE, s)
/* Write the sums as int32, or add them to float32. */
#define LCRJAX_STORE(s, r, a, b)              \
  "vmovdqa32 %%zmm" #a ", 128*" #r "(%4)\n\t" \
  "vmovdqa32 %%zmm" #b ", 128*" #r "+64(%4)\n\t"
#define LCRJAX_ADD(s, r, a, b)                             \
  "vcvtdq2ps %%zmm" #a ", %%zmm" #a "\n\t"                 \
  "vcvtdq2ps %%zmm" #b ", %%zmm" #b "\n\t"                 \
  "vaddps 128*" #r "(%3), %%zmm" #a ", %%zmm" #a "\n\t"    \
  "vaddps 128*" #r "+64(%3), %%zmm" #b ", %%zmm" #b "\n\t" \
  "vmovaps %%zmm" #a ", 128*" #r "(%3)\n\t"                \
  "vmovaps %%zmm" #b ", 128*" #r "+64(%3)\n\t"

#define LCRJAX_SUMS                                                                              \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",       \
      "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20",  \
      "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26"

/* out = the products of bytes over the listed steps of packed `columns` and `rows`, twice `pairs`
   of them. 64 times a step's number stands in the list: its place among rows, half of that among
   columns. Rows are asked for fifteen steps early. */
#define LCRJAX_TILE_OF_BYTES(columns, rows, list, pairs, out)                               \
  __asm__ volatile(                                                                         \
      LCRJAX_EVERY_ROW(LCRJAX_CLEAR)                                                        \
      "test %2, %2\n\tjz 2f\n\t"                                                            \
      ".p2align 5\n1:\n\t"                                                                  \
      LCRJAX_STEP_OF_BYTES(0) LCRJAX_STEP_OF_BYTES(1)                                       \
      "add $8, %3\n\tdec %2\n\tjnz 1b\n2:\n\t"                                              \
      LCRJAX_EVERY_ROW(LCRJAX_STORE)                                                        \
      : "+r"(columns), "+r"(rows), "+r"(pairs), "+r"(list)                                  \
      : "r"(out)                                                                            \
      : "memory", "cc", "rax", "rcx", LCRJAX_SUMS)

/* out += the products over `count` steps, a positive multiple of four: of words, or of bytes that
   lie as words do. */
#define LCRJAX_TILE_OF_WORDS(columns, rows, count, out) \
  LCRJAX_TILE_IN_FOURS(LCRJAX_STEP_OF_WORDS, columns, rows, count, out)
#define LCRJAX_TILE_OF_MORE(columns, rows, count, out) \
  LCRJAX_TILE_IN_FOURS(LCRJAX_STEP_OF_MORE, columns, rows, count, out)
#define LCRJAX_TILE_IN_FOURS(step, columns, rows, count, out)                               \
  __asm__ volatile(                                                                         \
      LCRJAX_EVERY_ROW(LCRJAX_CLEAR)                                                        \
      ".p2align 5\n1:\n\t"                                                                  \
      "prefetcht0 384(%1)\n\tprefetcht0 448(%1)\n\tprefetcht0 512(%1)\n\t"                  \
      step(0) step(1) step(2) step(3)                                                       \
      "add $512, %0\n\tadd $192, %1\n\tsub $4, %2\n\tjnz 1b\n\t"                            \
      LCRJAX_EVERY_ROW(LCRJAX_ADD)                                                          \
      : "+r"(columns), "+r"(rows), "+r"(count)                                              \
      : "r"(out)                                                                            \
      : "memory", "cc", LCRJAX_SUMS)

#endif
#endif
