/* The innermost loops for AVX2: the tiles of tile.h, a quarter of ROWS x COLUMNS at a time, whose
   twelve sums leave four registers of sixteen.

   Without VNNI, products are of words: vpmaddwd adds two of them to a sum of four bytes. Bytes
   become words on their way, even ones and odd ones: rows of images as they are packed, all others
   here. In assembler, since compilers do not keep twelve sums in registers: ymm0 to ymm11, two to a
   row; the columns are in ymm12 and ymm13. */
#ifndef LCRJAX_TILE_AVX2_H_
#define LCRJAX_TILE_AVX2_H_

#include "common/transpose.h"
#include "sums.h"

enum {
  LINE = 2 * ROWS, /* dwords of a line of packed rows of bytes: even bytes of each, odd ones */
  PART_ROWS = 6,
  PART_COLUMNS = 16
};

/* Lays sixteen dwords of each row of bytes, less 128, on up to sixteen lines. */
INLINE void lcrjax_lay_rows(const Integers *pixels, uint32_t *to, int64_t lines) {
  const __m256i low = _mm256_set1_epi16(0xFF), middle = _mm256_set1_epi16(128);
  Integers even[LANES], odd[LANES];
  for (int i = 0; i < LANES; i++) {
    const Integers x = pixels[i];
    even[i].low = _mm256_sub_epi16(_mm256_and_si256(x.low, low), middle);
    even[i].high = _mm256_sub_epi16(_mm256_and_si256(x.high, low), middle);
    odd[i].low = _mm256_sub_epi16(_mm256_srli_epi16(x.low, 8), middle);
    odd[i].high = _mm256_sub_epi16(_mm256_srli_epi16(x.high, 8), middle);
  }
  transpose_into(even, to, LINE, ROWS, lines);
  transpose_into(odd, to + ROWS, LINE, ROWS, lines);
}

/* clang-format off */
#define LCRJAX_EVERY_ROW(f, s) \
  f(s, 0, 0, 1) f(s, 1, 2, 3) f(s, 2, 4, 5) f(s, 3, 6, 7) f(s, 4, 8, 9) f(s, 5, 10, 11)
#define LCRJAX_CLEAR(s, r, a, b)                      \
  "vpxor %%ymm" #a ", %%ymm" #a ", %%ymm" #a "\n\t"   \
  "vpxor %%ymm" #b ", %%ymm" #b ", %%ymm" #b "\n\t"
/* Sums a and b take the products of the row in ymm14. Two products and then two sums take Zen 3 a
   tenth less time than each sum after its product. */
#define LCRJAX_PRODUCTS(a, b)                         \
  "vpmaddwd %%ymm14, %%ymm12, %%ymm15\n\t"            \
  "vpmaddwd %%ymm14, %%ymm13, %%ymm14\n\t"            \
  "vpaddd %%ymm15, %%ymm" #a ", %%ymm" #a "\n\t"      \
  "vpaddd %%ymm14, %%ymm" #b ", %%ymm" #b "\n\t"
#define LCRJAX_ROW(at, a, b) "vpbroadcastd " at ", %%ymm14\n\t" LCRJAX_PRODUCTS(a, b)
/* Even bytes of columns, odd bytes. */
#define LCRJAX_EVEN_COLUMNS(first, second, mask)                                          \
  "vmovdqa " mask ", %%ymm13\n\t"                                                         \
  "vpand " first ", %%ymm13, %%ymm12\n\tvpand " second ", %%ymm13, %%ymm13\n\t"
#define LCRJAX_ODD_COLUMNS(first, second)                                                 \
  "vmovdqa " first ", %%ymm12\n\tvmovdqa " second ", %%ymm13\n\t"                         \
  "vpsrlw $8, %%ymm12, %%ymm12\n\tvpsrlw $8, %%ymm13, %%ymm13\n\t"

#define LCRJAX_EVEN(s, r, a, b) LCRJAX_ROW("4*" #r "(%%rcx)", a, b)
#define LCRJAX_ODD(s, r, a, b) LCRJAX_ROW("48+4*" #r "(%%rcx)", a, b)
#define LCRJAX_STEP_OF_BYTES                                                              \
  "movslq (%3), %%rax\n\tlea (%%rax,%%rax,2), %%rcx\n\tshr %%rcx\n\tadd %1, %%rcx\n\t"    \
  "prefetcht0 960(%%rcx)\n\t"                                                             \
  LCRJAX_EVEN_COLUMNS("(%0,%%rax,2)", "32(%0,%%rax,2)", "(%5)")                           \
  LCRJAX_EVERY_ROW(LCRJAX_EVEN, 0)                                                        \
  LCRJAX_ODD_COLUMNS("(%0,%%rax,2)", "32(%0,%%rax,2)")                                    \
  LCRJAX_EVERY_ROW(LCRJAX_ODD, 0)

#define LCRJAX_WORDS(s, r, a, b) LCRJAX_ROW("48*" #s "+4*" #r "(%1)", a, b)
#define LCRJAX_STEP_OF_WORDS(s)                                                           \
  "vmovdqa 128*" #s "(%0), %%ymm12\n\tvmovdqa 128*" #s "+32(%0), %%ymm13\n\t"             \
  LCRJAX_EVERY_ROW(LCRJAX_WORDS, s)

#define LCRJAX_MORE_EVEN(s, r, a, b)                                                      \
  "vpbroadcastd 48*" #s "+4*" #r "(%1), %%ymm14\n\t"                                      \
  "vpsllw $8, %%ymm14, %%ymm14\n\tvpsraw $8, %%ymm14, %%ymm14\n\t" LCRJAX_PRODUCTS(a, b)
#define LCRJAX_MORE_ODD(s, r, a, b)                                                       \
  "vpbroadcastd 48*" #s "+4*" #r "(%1), %%ymm14\n\t"                                      \
  "vpsraw $8, %%ymm14, %%ymm14\n\t" LCRJAX_PRODUCTS(a, b)
#define LCRJAX_STEP_OF_MORE(s)                                                            \
  LCRJAX_EVEN_COLUMNS("128*" #s "(%0)", "128*" #s "+32(%0)", "(%4)")                      \
  LCRJAX_EVERY_ROW(LCRJAX_MORE_EVEN, s)                                                   \
  LCRJAX_ODD_COLUMNS("128*" #s "(%0)", "128*" #s "+32(%0)")                               \
  LCRJAX_EVERY_ROW(LCRJAX_MORE_ODD, s)

#define LCRJAX_FLOATS(s, r, a, b)                                                         \
  "vbroadcastss 48*" #s "+4*" #r "(%1), %%ymm14\n\t"                                      \
  "vfmadd231ps %%ymm14, %%ymm12, %%ymm" #a "\n\t"                                         \
  "vfmadd231ps %%ymm14, %%ymm13, %%ymm" #b "\n\t"
#define LCRJAX_STEP_OF_FLOATS(s)                                                          \
  "vmovaps 128*" #s "(%0), %%ymm12\n\tvmovaps 128*" #s "+32(%0), %%ymm13\n\t"             \
  LCRJAX_EVERY_ROW(LCRJAX_FLOATS, s)

/* Write the sums as int32, or add them to float32. */
#define LCRJAX_STORE(s, r, a, b)                                                          \
  "vmovdqa %%ymm" #a ", 128*" #r "(%4)\n\tvmovdqa %%ymm" #b ", 128*" #r "+32(%4)\n\t"
#define LCRJAX_ADD(s, r, a, b)                                                            \
  "vcvtdq2ps %%ymm" #a ", %%ymm" #a "\n\tvcvtdq2ps %%ymm" #b ", %%ymm" #b "\n\t"          \
  LCRJAX_ADD_FLOATS(s, r, a, b)
#define LCRJAX_ADD_FLOATS(s, r, a, b)                                                     \
  "vaddps 128*" #r "(%3), %%ymm" #a ", %%ymm" #a "\n\t"                                   \
  "vaddps 128*" #r "+32(%3), %%ymm" #b ", %%ymm" #b "\n\t"                                \
  "vmovaps %%ymm" #a ", 128*" #r "(%3)\n\tvmovaps %%ymm" #b ", 128*" #r "+32(%3)\n\t"
#define LCRJAX_SUMS                                                                       \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",         \
  "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

static const uint16_t lcrjax_even_bytes[LANES] __attribute__((aligned(32))) = {
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

/* Parts of LCRJAX_TILE_OF_BYTES, _WORDS and _MORE, see tile.h, and of _FLOATS. */
KERNEL static inline void lcrjax_part_of_bytes(const char *columns, const char *rows,
                                               const int32_t *list, int64_t count, int32_t *out) {
  __asm__ volatile(
      LCRJAX_EVERY_ROW(LCRJAX_CLEAR, 0)
      "test %2, %2\n\tjz 2f\n\t"
      ".p2align 5\n1:\n\t"
      LCRJAX_STEP_OF_BYTES
      "add $4, %3\n\tdec %2\n\tjnz 1b\n2:\n\t"
      LCRJAX_EVERY_ROW(LCRJAX_STORE, 0)
      : "+r"(columns), "+r"(rows), "+r"(count), "+r"(list)
      : "r"(out), "r"(lcrjax_even_bytes)
      : "memory", "cc", "rax", "rcx", LCRJAX_SUMS);
}
#define LCRJAX_PART_IN_TWOS(name, step, add)                                              \
  KERNEL static inline void name(const char *columns, const char *rows, int64_t count,    \
                                 float *out) {                                            \
    __asm__ volatile(                                                                     \
        LCRJAX_EVERY_ROW(LCRJAX_CLEAR, 0)                                                 \
        ".p2align 5\n1:\n\t"                                                              \
        step(0) step(1)                                                                   \
        "add $256, %0\n\tadd $96, %1\n\tsub $2, %2\n\tjnz 1b\n\t"                        \
        LCRJAX_EVERY_ROW(add, 0)                                                          \
        : "+r"(columns), "+r"(rows), "+r"(count)                                          \
        : "r"(out), "r"(lcrjax_even_bytes)                                                \
        : "memory", "cc", LCRJAX_SUMS);                                                   \
  }
LCRJAX_PART_IN_TWOS(lcrjax_part_of_words, LCRJAX_STEP_OF_WORDS, LCRJAX_ADD)
LCRJAX_PART_IN_TWOS(lcrjax_part_of_more, LCRJAX_STEP_OF_MORE, LCRJAX_ADD)
LCRJAX_PART_IN_TWOS(lcrjax_part_of_floats, LCRJAX_STEP_OF_FLOATS, LCRJAX_ADD_FLOATS)
/* clang-format on */

#define LCRJAX_EVERY_PART(part)                                  \
  for (int column = 0; column < COLUMNS; column += PART_COLUMNS) \
    for (int row = 0; row < ROWS; row += PART_ROWS) part

#define LCRJAX_TILE_OF_BYTES(columns, rows, list, pairs, out)                            \
  LCRJAX_EVERY_PART(lcrjax_part_of_bytes((columns) + 4 * column, (rows) + 4 * row, list, \
                                         2 * (pairs), (out) + row * COLUMNS + column))
#define LCRJAX_TILE_OF_WORDS(columns, rows, count, out)                                   \
  LCRJAX_EVERY_PART(lcrjax_part_of_words((columns) + 4 * column, (rows) + 4 * row, count, \
                                         (out) + row * COLUMNS + column))
#define LCRJAX_TILE_OF_MORE(columns, rows, count, out)                                   \
  LCRJAX_EVERY_PART(lcrjax_part_of_more((columns) + 4 * column, (rows) + 4 * row, count, \
                                        (out) + row * COLUMNS + column))
/* out += the products of floats over an even number of lines. */
#define LCRJAX_TILE_OF_FLOATS(columns, rows, count, out)                                   \
  LCRJAX_EVERY_PART(lcrjax_part_of_floats((columns) + 4 * column, (rows) + 4 * row, count, \
                                          (out) + row * COLUMNS + column))

#endif
