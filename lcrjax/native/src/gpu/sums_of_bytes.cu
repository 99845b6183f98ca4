/* Weighted sums of exp(-rate distance) of bytes, for NVIDIA GPUs from compute capability 8.0 on.

   Inner products of signed bytes on tensor units, tile by tile; distances, similarities and their
   sums in registers. Nothing of a tile is written. HOPPER says that the GPU has the units of
   capability 9.0, which four warps use together and which read shared memory themselves.

   Also C, so that it can run without a GPU: see tests/native/emulated_gpu.h. */
#include "problem.h"

#if HOPPER
enum { WARP_ROWS = 16, WARP_COLUMNS = 256, LEAD = STAGES - 2 };
#else
enum { WARP_ROWS = 64, WARP_COLUMNS = 64, LEAD = STAGES - 1 };
#endif
enum { DOWN = WARP_ROWS / 16, ALONG = WARP_COLUMNS / 8 };
/* A thread has rows g and g + 8 of each 16 and columns 2 t and 2 t + 1 of each 8, where its lane is
   4 g + t. LEAD pieces are fetched ahead; of the others one is worked on, or two. */

#ifdef __CUDACC__
#define DEVICE static __device__ __forceinline__
#define UNROLL _Pragma("unroll")
#define KERNEL extern "C" __global__ void __launch_bounds__(THREADS, 1)

/* Copies 16 bytes to shared memory, some time. */
DEVICE void fetch(void *to, const void *from) {
  asm volatile(
      "cp.async.cg.shared.global [%0], [%1], 16;" ::"r"((unsigned)__cvta_generic_to_shared(to)),
      "l"(from));
}

DEVICE void end_of_piece() { asm volatile("cp.async.commit_group;"); }

/* Waits for all pieces but the latest few, and shows them to the tensor units. */
DEVICE void wait_for_piece() {
  asm volatile("cp.async.wait_group %0;" ::"n"(LEAD - 1));
#if HOPPER
  asm volatile("fence.proxy.async.shared::cta;");
#endif
}

#if HOPPER
/* What the units need to know of rows of DEPTH bytes that lie as `place` says. */
DEVICE unsigned long long described(const char *rows) {
  const unsigned long long at = __cvta_generic_to_shared(rows), turned = 2, eight_rows = 8 * DEPTH;
  return (at & 0x3ffff) >> 4 | 1 << 16 | eight_rows >> 4 << 32 | turned << 62;
}

#define FOUR(n) "+r"(acc[0][n][0]), "+r"(acc[0][n][1]), "+r"(acc[0][n][2]), "+r"(acc[0][n][3])
#define SIXTEEN(n) FOUR(n), FOUR(n + 1), FOUR(n + 2), FOUR(n + 3)
#define SIXTY_FOUR(n) SIXTEEN(n), SIXTEEN(n + 4), SIXTEEN(n + 8), SIXTEEN(n + 12)

/* Begins to add the inner products of 64 rows and all columns of 32 bytes, from byte 32 part on. */
DEVICE void add_products_of_four_warps(int acc[1][32][4], const char *rows, const char *columns,
                                       int part) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, "
      "%111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, "
      "%125, %126, %127}, %128, %129, 1;"
      : SIXTY_FOUR(0), SIXTY_FOUR(16)
      : "l"(described(rows) + 2 * part), "l"(described(columns) + 2 * part));
}

DEVICE void begin_products() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

/* Waits for all products but those of the latest piece. */
DEVICE void end_products() {
  asm volatile("wgmma.commit_group.sync.aligned;");
  asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
}

DEVICE void wait_for_products(int acc[1][32][4]) {
  asm volatile("wgmma.wait_group.sync.aligned 0;" : SIXTY_FOUR(0), SIXTY_FOUR(16)::"memory");
}
#else
/* Four matrices of 8 rows of 16 bytes; lane l names row l % 8 of matrix l / 8, and has four bytes
   of each: those from 4 (l % 4) on of row l / 4. */
DEVICE void four_matrices(int r[4], const void *row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"((unsigned)__cvta_generic_to_shared(row)));
}

/* Adds the inner products of 16 rows and 8 columns of 32 bytes. */
DEVICE void add_products(int c[4], const int a[4], int b0, int b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9}, {%0, %1, %2, %3};"
      : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
#endif

DEVICE float power_of_two(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

DEVICE float over_root(float x) {
  float y;
  asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
#else
#include "emulated_gpu.h"
#endif

#define ALL 0xffffffffu
#define UNIT 2305843009213693952.0f /* 2^61 */

/* A walk along the tiles of a block: groups of rows of tiles one after another, in each the columns
   from the diagonal (or the left) to the right. */
typedef struct {
  long long next, start; /* tile, and first tile of the group */
  int group, i, j;       /* place of the tile */
} Walk;

DEVICE int advance(Walk *walk, const Problem *p) {
  const int rows = p->counts[0], columns = (p->counts[1] + COLUMNS - 1) / COLUMNS;
  while (walk->next < p->last) {
    const long long tile = walk->next;
    walk->next += gridDim.x;
    for (;;) {
      if ((long long)walk->group * GROUP * ROWS >= rows) return 0;
      const int from = p->symmetric ? walk->group * (GROUP * ROWS / COLUMNS) : 0;
      const long long size = (long long)GROUP * (columns > from ? columns - from : 0);
      if (tile < walk->start + size) {
        const long long place = tile - walk->start;
        walk->i = walk->group * GROUP + (int)(place % GROUP);
        walk->j = from + (int)(place / GROUP);
        break;
      }
      walk->start += size;
      walk->group++;
    }
    if ((long long)walk->i * ROWS >= rows) continue;
    if (p->symmetric && (walk->j + 1) * COLUMNS <= walk->i * ROWS) continue;
    return 1;
  }
  return 0;
}

/* Where a stage keeps 16 bytes: turned from row to row, so that eight rows lie in all banks. */
DEVICE int place(int row, int part) { return row * DEPTH + ((part ^ (row >> 1 & 3)) << 4); }

/* Begins to fetch a piece of a tile: DEPTH bytes of its rows, and below them of its columns. */
DEVICE void fetch_piece(char *stage, const Problem *p, const Walk *tile, int piece) {
  const signed char *x = p->x + (long long)tile->i * ROWS * p->depth + piece * DEPTH;
  const signed char *y = p->y + (long long)tile->j * COLUMNS * p->depth + piece * DEPTH;
  UNROLL for (int c = 0; c < (ROWS + COLUMNS) * (DEPTH / 16) / THREADS; c++) {
    const int row = (threadIdx.x + c * THREADS) / (DEPTH / 16), part = threadIdx.x % (DEPTH / 16);
    const signed char *from = c < ROWS * (DEPTH / 16) / THREADS
                                  ? x + (long long)row * p->depth
                                  : y + (long long)(row - ROWS) * p->depth;
    fetch(stage + place(row, part), from + part * 16);
  }
}

/* Adds the products of a piece, so many times 32 bytes, to those of a warp's part of the tile. */
DEVICE void multiply(int acc[DOWN][ALONG][4], const char *stage, int steps, int down, int along) {
#if HOPPER
  (void)along; /* a warp has all columns */
  begin_products();
  for (int s = 0; s < steps; s++)
    add_products_of_four_warps(acc, stage + down / 64 * 64 * DEPTH, stage + ROWS * DEPTH, s);
  end_products();
#else
  const int lane = threadIdx.x % 32;
  for (int s = 0; s < steps; s++) {
    int a[DOWN][4];
    UNROLL for (int m = 0; m < DOWN; m++)
        four_matrices(a[m], stage + place(down + m * 16 + lane % 16, s * 2 + lane / 16));
    UNROLL for (int pair = 0; pair < ALONG / 2; pair++) {
      const int row = ROWS + along + pair * 16 + lane % 8 + lane / 16 * 8;
      int b[4];
      four_matrices(b, stage + place(row, s * 2 + lane / 8 % 2));
      UNROLL for (int m = 0; m < DOWN; m++) {
        add_products(acc[m][2 * pair], a[m], b[0], b[1]);
        add_products(acc[m][2 * pair + 1], a[m], b[2], b[3]);
      }
    }
  }
#endif
}

/* What a tile takes beside its elements, in shared memory: squared lengths, and weights of the
   first distribution that has any there. */
typedef struct {
  int y_squares[COLUMNS], x_squares[ROWS];
  float x_weights[ROWS], y_weights[COLUMNS];
} Beside;

/* A thread's part of it, on the way. */
typedef struct {
  int y_square, x;
  float y_weight;
} Carried;

/* The first distribution whose bit is set; 0 where there is none, and all weights are 0. */
DEVICE int first_present(unsigned present) { return present ? __ffs((int)present) - 1 : 0; }

DEVICE Carried carry(const Problem *p, const Walk *tile) {
  const int t = threadIdx.x, half = t % ROWS;
  const long long row = (long long)tile->i * ROWS + half;
  const long long column = (long long)tile->j * COLUMNS + t;
  const float *x_weights = p->x_weights + first_present(p->x_present[tile->i]) * p->n;
  const float *y_weights = p->y_weights + first_present(p->y_present[tile->j]) * p->m;
  Carried part;
  part.y_square = p->y_squares[column];
  part.x = t < ROWS ? p->x_squares[row] : __float_as_int(x_weights[row]);
  part.y_weight = y_weights[column];
  return part;
}

DEVICE void put(Beside *beside, Carried part) {
  const int t = threadIdx.x;
  beside->y_squares[t] = part.y_square;
  beside->y_weights[t] = part.y_weight;
  if (t < ROWS) beside->x_squares[t] = part.x;
  else beside->x_weights[t - ROWS] = __int_as_float(part.x);
}

/* Where a thread's part of a tile begins, in the tile. */
typedef struct {
  int row, column;
} Corner;

DEVICE void add_sum(const Problem *p, int c, long long element, float sum) {
  atomicAdd(p->out + c * p->width + element, (unsigned long long)__float2ll_rn(sum * UNIT));
}

/* Turns products into similarities. */
DEVICE void compare(int acc[DOWN][ALONG][4], const Problem *p, const Walk *tile,
                    const Beside *beside, Corner at) {
  const float factor = *p->factor;
  int own[2 * DOWN];
  UNROLL for (int r = 0; r < 2 * DOWN; r++) own[r] =
      beside->x_squares[at.row + r / 2 * 16 + r % 2 * 8];
  UNROLL for (int n = 0; n < ALONG; n++) {
    const int *its = beside->y_squares + at.column + n * 8;
    UNROLL for (int m = 0; m < DOWN; m++) {
      UNROLL for (int e = 0; e < 4; e++) {
        const float squared = (float)(own[2 * m + e / 2] + its[e % 2] - 2 * acc[m][n][e]);
        const float distance = squared * over_root(squared < 1 ? 1 : squared);
        acc[m][n][e] = __float_as_int(power_of_two(factor * distance));
      }
    }
  }
  if (!p->symmetric || tile->j * COLUMNS >= (tile->i + 1) * ROWS) return;
  /* On the diagonal pairs count once, and an element half for its row and half for its column. */
  const int ahead = tile->j * COLUMNS + at.column - tile->i * ROWS - at.row;
  UNROLL for (int n = 0; n < ALONG; n++) {
    UNROLL for (int m = 0; m < DOWN; m++) {
      UNROLL for (int e = 0; e < 4; e++) {
        const int beyond = ahead + n * 8 + e % 2 - m * 16 - e / 2 * 8;
        if (beyond <= 0) acc[m][n][e] = __float_as_int(beyond < 0 ? 0.0f : 0.5f);
      }
    }
  }
}

/* Adds the weighted sums of a warp's part of the tile to those of its rows. */
DEVICE void add_to_rows(int acc[DOWN][ALONG][4], const Problem *p, const Walk *tile,
                        const Beside *beside, Corner at) {
  const float *weights = beside->y_weights + at.column;
  for (unsigned left = p->y_present[tile->j]; left; left &= left - 1) {
    const int c = __ffs((int)left) - 1;
    float sums[2 * DOWN];
    UNROLL for (int r = 0; r < 2 * DOWN; r++) sums[r] = 0;
    UNROLL for (int n = 0; n < ALONG; n++) {
      const float w0 = weights[n * 8], w1 = weights[n * 8 + 1];
      UNROLL for (int r = 0; r < 2 * DOWN; r++) {
        sums[r] += __int_as_float(acc[r / 2][n][r % 2 * 2]) * w0;
        sums[r] += __int_as_float(acc[r / 2][n][r % 2 * 2 + 1]) * w1;
      }
    }
    const long long row = (long long)tile->i * ROWS + at.row;
    UNROLL for (int r = 0; r < 2 * DOWN; r++) {
      sums[r] += __shfl_xor_sync(ALL, sums[r], 1);
      sums[r] += __shfl_xor_sync(ALL, sums[r], 2);
      if (r % 4 == threadIdx.x % 4) add_sum(p, c, row + r / 2 * 16 + r % 2 * 8, sums[r]);
    }
    const int next = first_present(left & (left - 1));
    weights = p->y_weights + next * p->m + (long long)tile->j * COLUMNS + at.column;
  }
}

/* What a thread's rows add to one of its columns. */
DEVICE float column_sum(int acc[DOWN][ALONG][4], const float own[2 * DOWN], int q) {
  float sum = 0;
  UNROLL for (int r = 0; r < 2 * DOWN; r++) sum +=
      __int_as_float(acc[r / 2][q / 2][r % 2 * 2 + q % 2]) * own[r];
  return sum;
}

/* The same for its columns. Of two lanes each keeps half of the columns and adds what the other has
   of them, three times: a thread ends with an eighth. */
DEVICE void add_to_columns(int acc[DOWN][ALONG][4], const Problem *p, const Walk *tile,
                           const Beside *beside, Corner at) {
  enum { HALF = ALONG, QUARTER = ALONG / 2, EIGHTH = ALONG / 4 };
  const int upper = threadIdx.x & 16, later = threadIdx.x & 8, last = threadIdx.x & 4;
  const long long first = p->behind + (long long)tile->j * COLUMNS + at.column;
  const float *weights = beside->x_weights + at.row;
  for (unsigned left = p->x_present[tile->i]; left; left &= left - 1) {
    const int c = __ffs((int)left) - 1;
    float own[2 * DOWN], sums[HALF];
    UNROLL for (int r = 0; r < 2 * DOWN; r++) own[r] = weights[r / 2 * 16 + r % 2 * 8];
    UNROLL for (int q = 0; q < HALF; q++) {
      const float a = column_sum(acc, own, q), b = column_sum(acc, own, q + HALF);
      sums[q] = (upper ? b : a) + __shfl_xor_sync(ALL, upper ? a : b, 16);
    }
    UNROLL for (int q = 0; q < QUARTER; q++) {
      const float a = sums[q], b = sums[q + QUARTER];
      sums[q] = (later ? b : a) + __shfl_xor_sync(ALL, later ? a : b, 8);
    }
    UNROLL for (int q = 0; q < EIGHTH; q++) {
      const float a = sums[q], b = sums[q + EIGHTH];
      const float sum = (last ? b : a) + __shfl_xor_sync(ALL, last ? a : b, 4);
      const int place = (upper ? HALF : 0) + (later ? QUARTER : 0) + (last ? EIGHTH : 0) + q;
      add_sum(p, c, first + place / 2 * 8 + place % 2, sum);
    }
    const int next = first_present(left & (left - 1));
    weights = p->x_weights + next * p->n + (long long)tile->i * ROWS + at.row;
  }
}

KERNEL sums_of_bytes(const Problem given) {
#ifdef __CUDACC__
  extern __shared__ __align__(1024) char stages[];
#endif
  const Problem *p = &given;
  const int warp = threadIdx.x / 32, pieces = p->depth / DEPTH;
  const int down = warp / (COLUMNS / WARP_COLUMNS) * WARP_ROWS;
  const int along = warp % (COLUMNS / WARP_COLUMNS) * WARP_COLUMNS;
  const Corner at = {down + threadIdx.x % 32 / 4, along + threadIdx.x % 4 * 2};
  Beside *beside = (Beside *)(stages + STAGES * STAGE);
  Walk ahead = {p->first + blockIdx.x, 0, 0, 0, 0}, now = ahead;
  int more = advance(&ahead, p), piece_ahead = 0, slot_ahead = 0, slot = 0;

#define FETCH_NEXT                                                      \
  do {                                                                  \
    if (more) {                                                         \
      fetch_piece(stages + slot_ahead * STAGE, p, &ahead, piece_ahead); \
      if (++piece_ahead == pieces) {                                    \
        piece_ahead = 0;                                                \
        more = advance(&ahead, p);                                      \
      }                                                                 \
    }                                                                   \
    end_of_piece();                                                     \
    slot_ahead = (slot_ahead + 1) % STAGES;                             \
  } while (0)

  for (int s = 0; s < LEAD; s++) FETCH_NEXT;
  while (advance(&now, p)) {
    const Carried part = carry(p, &now);
    int acc[DOWN][ALONG][4];
    UNROLL for (int m = 0; m < DOWN; m++) UNROLL for (int n = 0; n < ALONG; n++)
        UNROLL for (int e = 0; e < 4; e++) acc[m][n][e] = 0;
    for (int piece = 0; piece < pieces; piece++) {
      wait_for_piece();
      __syncthreads(); /* of all threads, and nobody reads the slot that is filled next */
      FETCH_NEXT;
      const char *stage = stages + slot * STAGE;
      const int steps = p->steps - piece * (DEPTH / 32);
      multiply(acc, stage, steps < DEPTH / 32 ? steps : DEPTH / 32, down, along);
      slot = (slot + 1) % STAGES;
    }
#if HOPPER
    wait_for_products(acc);
#endif
    put(beside, part);
    __syncthreads(); /* before the next piece nobody puts anything there again */
    compare(acc, p, &now, beside, at);
    add_to_rows(acc, p, &now, beside, at);
    if (p->symmetric || p->mutual) add_to_columns(acc, p, &now, beside, at);
  }
}
