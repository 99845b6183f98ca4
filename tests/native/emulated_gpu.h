/* A GPU as far as sums_of_bytes.cu uses one: the threads of a block take turns, and meet.

   What a GPU does some time is done as late as it may be, so that a wait too few is found. */
#include <math.h>
#include <string.h>
#include <ucontext.h>

#define DEVICE static
#define KERNEL static void
#define UNROLL
#define LANES 32

enum { MOST_COPIES = 64, MOST_PIECES = 64 };
typedef struct {
  void *to[MOST_COPIES];
  const void *from[MOST_COPIES];
  int count;
} Copies;

/* What four warps have begun to multiply. */
typedef struct {
  const char *rows, *columns;
  int part, piece;
} Product;

typedef struct {
  int x;
} Index;

typedef struct {
  ucontext_t context;
  Index index;
  int over;
  Copies pending[MOST_PIECES];
  int oldest, newest; /* pieces begun and not yet waited for */
  Product begun[MOST_PIECES];
  int first_product, last_product, piece;
} Thread;

/* Threads that wait for one another: how often all have come, and how many have since. */
typedef struct {
  int size, times, here;
} Meeting;

static Thread threads[THREADS], *me;
static Meeting all, warps[THREADS / LANES];
static Index blockIdx, gridDim;
static char stages[SHARED];
#define threadIdx (me->index)

/* The next thread goes on. */
static void yield(void) {
  Thread *from = me;
  do me = &threads[(me->index.x + 1) % THREADS];
  while (me->over && me != from);
  if (me != from) swapcontext(&from->context, &me->context);
}

static void meet(Meeting *meeting) {
  const int times = meeting->times;
  if (++meeting->here == meeting->size) meeting->here = 0, meeting->times++;
  while (meeting->times == times) yield();
}
static void meet_warp(void) { meet(&warps[threadIdx.x / LANES]); }
static void __syncthreads(void) { meet(&all); }

static void fetch(void *to, const void *from) {
  Copies *piece = &me->pending[me->newest % MOST_PIECES];
  piece->to[piece->count] = to;
  piece->from[piece->count++] = from;
}
static void end_of_piece(void) { me->pending[++me->newest % MOST_PIECES].count = 0; }
static void wait_for_piece(void) {
  for (; me->newest - me->oldest > LEAD - 1; me->oldest++) {
    Copies *piece = &me->pending[me->oldest % MOST_PIECES];
    for (int i = 0; i < piece->count; i++) memcpy(piece->to[i], piece->from[i], 16);
  }
}

#if HOPPER
static int place(int row, int part);

static void begin_products(void) {}
static void add_products_of_four_warps(int acc[1][32][4], const char *rows, const char *columns,
                                       int part) {
  (void)acc;
  me->begun[me->last_product++ % MOST_PIECES] = (Product){rows, columns, part, me->piece};
}
static void multiply_until(int acc[1][32][4], int piece) {
  const int lane = threadIdx.x % LANES, warp = threadIdx.x / LANES % 4;
  for (; me->first_product < me->last_product; me->first_product++) {
    const Product *now = &me->begun[me->first_product % MOST_PIECES];
    if (now->piece > piece) return;
    for (int n = 0; n < 32; n++)
      for (int e = 0; e < 4; e++) {
        const int row = warp * 16 + lane / 4 + e / 2 * 8, column = n * 8 + lane % 4 * 2 + e % 2;
        for (int k = 0; k < 32; k++)
          acc[0][n][e] += (signed char)now->rows[place(row, now->part * 2 + k / 16) + k % 16] *
                          (signed char)now->columns[place(column, now->part * 2 + k / 16) + k % 16];
      }
  }
}
static void wait_for_products(int acc[1][32][4]) { multiply_until(acc, me->piece); }
#define end_products() multiply_until(acc, me->piece++ - 1)
#else
static const void *named[THREADS];
static void four_matrices(int r[4], const void *row) {
  const int lane = threadIdx.x % LANES, first = threadIdx.x - lane;
  named[threadIdx.x] = row;
  meet_warp();
  for (int m = 0; m < 4; m++)
    memcpy(&r[m], (const char *)named[first + m * 8 + lane / 4] + lane % 4 * 4, 4);
  meet_warp();
}

static int left[THREADS][4], right[THREADS][2];
static void add_products(int c[4], const int a[4], int b0, int b1) {
  const int lane = threadIdx.x % LANES, first = threadIdx.x - lane;
  memcpy(left[threadIdx.x], a, sizeof left[0]);
  right[threadIdx.x][0] = b0;
  right[threadIdx.x][1] = b1;
  meet_warp();
  for (int e = 0; e < 4; e++) {
    const int row = lane / 4 + e / 2 * 8, column = lane % 4 * 2 + e % 2;
    for (int k = 0; k < 32; k++) {
      const int from = k % 16 / 4;
      const signed char *x = (signed char *)&left[first + row % 8 * 4 + from][k / 16 * 2 + row / 8];
      const signed char *y = (signed char *)&right[first + column * 4 + from][k / 16];
      c[e] += x[k % 4] * y[k % 4];
    }
  }
  meet_warp();
}
#endif

static float shown[THREADS];
static float __shfl_xor_sync(unsigned mask, float value, int other) {
  (void)mask;
  shown[threadIdx.x] = value;
  meet_warp();
  const float found = shown[threadIdx.x ^ other];
  meet_warp();
  return found;
}

static float power_of_two(float x) { return exp2f(x); }
static float over_root(float x) { return 1 / sqrtf(x); }
static int __ffs(int x) { return __builtin_ffs(x); }
static long long __float2ll_rn(float x) { return llrintf(x); }
static void atomicAdd(unsigned long long *to, unsigned long long part) {
  __atomic_fetch_add(to, part, __ATOMIC_RELAXED);
}
static int __float_as_int(float x) {
  int bits;
  memcpy(&bits, &x, 4);
  return bits;
}
static float __int_as_float(int bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}
