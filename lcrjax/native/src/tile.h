/* The innermost loop: ROWS x COLUMNS integer inner products, kept in registers.

   A step takes four bytes of each row and column (four pixels, or two words): one vector for each
   sixteen columns, one broadcast for each row. 24 sums are enough to hide the latency of both vector
   units, and of the 32 registers they leave three loads. In assembler, since compilers do not keep
   24 sums in registers: zmm0 to zmm23, two to a row of the tile. Only the listed steps are taken:
   16 times their number is 1/8 of their place in packed columns, 1/3 of that in packed rows. */
#ifndef LCRJAX_TILE_H_
#define LCRJAX_TILE_H_

#define LCRJAX_EVERY_ROW(f)                                                      \
  f(0, 0, 1) f(1, 2, 3) f(2, 4, 5) f(3, 6, 7) f(4, 8, 9) f(5, 10, 11) f(6, 12, 13) \
  f(7, 14, 15) f(8, 16, 17) f(9, 18, 19) f(10, 20, 21) f(11, 22, 23)
#define LCRJAX_CLEAR(r, a, b)                        \
  "vpxord %%zmm" #a ", %%zmm" #a ", %%zmm" #a "\n\t" \
  "vpxord %%zmm" #b ", %%zmm" #b ", %%zmm" #b "\n\t"
#define LCRJAX_BYTES(r, a, b)                    \
  "vpbroadcastd 4*" #r "(%1,%%rcx), %%zmm26\n\t" \
  "vpdpbusd %%zmm26, %%zmm24, %%zmm" #a "\n\t"   \
  "vpdpbusd %%zmm26, %%zmm25, %%zmm" #b "\n\t"
#define LCRJAX_WORDS(r, a, b)                    \
  "vpbroadcastd 4*" #r "(%1,%%rcx), %%zmm26\n\t" \
  "vpdpwssd %%zmm26, %%zmm24, %%zmm" #a "\n\t"   \
  "vpdpwssd %%zmm26, %%zmm25, %%zmm" #b "\n\t"
/* Write the sums as int32, or add them to float32. */
#define LCRJAX_STORE(r, a, b)               \
  "vmovdqa32 %%zmm" #a ", 128*" #r "(%4)\n\t" \
  "vmovdqa32 %%zmm" #b ", 128*" #r "+64(%4)\n\t"
#define LCRJAX_ADD(r, a, b)                                 \
  "vcvtdq2ps %%zmm" #a ", %%zmm" #a "\n\t"                  \
  "vcvtdq2ps %%zmm" #b ", %%zmm" #b "\n\t"                  \
  "vaddps 128*" #r "(%4), %%zmm" #a ", %%zmm" #a "\n\t"     \
  "vaddps 128*" #r "+64(%4), %%zmm" #b ", %%zmm" #b "\n\t"  \
  "vmovaps %%zmm" #a ", 128*" #r "(%4)\n\t"                 \
  "vmovaps %%zmm" #b ", 128*" #r "+64(%4)\n\t"

/* Rows are asked for so many steps early; lists are as much longer, whatever stands there. */
#define AHEAD 8
#define LCRJAX_TEXT_OF(x) #x
#define LCRJAX_TEXT(x) LCRJAX_TEXT_OF(x)

/* The `count` listed steps of packed `columns` and `rows`. */
#define LCRJAX_TILE(MULTIPLY, FINISH, columns, rows, list, count, out)                            \
  __asm__ volatile(                                                                              \
      LCRJAX_EVERY_ROW(LCRJAX_CLEAR)                                                             \
      "test %2, %2\n\tjz 2f\n\t"                                                                 \
      ".p2align 5\n1:\n\t"                                                                       \
      "movslq (%3), %%rax\n\tlea (%%rax,%%rax,2), %%rcx\n\t"                                     \
      "movslq 4*" LCRJAX_TEXT(AHEAD) "(%3), %%rdx\n\tlea (%%rdx,%%rdx,2), %%rdx\n\t"                \
      "prefetcht0 (%1,%%rdx)\n\t"                                                                \
      "vmovdqa32 (%0,%%rax,8), %%zmm24\n\tvmovdqa32 64(%0,%%rax,8), %%zmm25\n\t"                 \
      LCRJAX_EVERY_ROW(MULTIPLY)                                                                 \
      "add $4, %3\n\tdec %2\n\tjnz 1b\n2:\n\t"                                                 \
      LCRJAX_EVERY_ROW(FINISH)                                                                   \
      : "+r"(columns), "+r"(rows), "+r"(count), "+r"(list)                                       \
      : "r"(out)                                                                                 \
      : "memory", "cc", "rax", "rcx", "rdx", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",    \
        "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16", "xmm17",  \
        "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26")

#endif
