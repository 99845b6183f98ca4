/* What a GPU is told of weighted sums of similarities; launch.c and sums_of_bytes.cu share it. */
#ifndef LCRJAX_GPU_PROBLEM_H_
#define LCRJAX_GPU_PROBLEM_H_

#ifndef STAGES
#define STAGES 4 /* pieces of a tile that have a place in shared memory: as many as it holds */
#endif

/* Sizes, of which lcrjax/pairwise/gpu_sums.py knows the first three. */
enum {
  ROWS = 128,    /* of a tile of pairs */
  COLUMNS = 256, /* of the same */
  DEPTH = 64,    /* bytes of an element in a piece, which is fetched at a time */
  THREADS = 256, /* of a block, which works on one tile; a processor has one block */
  GROUP = 16,    /* tiles above one another whose columns are walked along together */
  STAGE = (ROWS + COLUMNS) * DEPTH,  /* bytes of a piece */
  BESIDE = (ROWS + COLUMNS) * 4 * 2, /* bytes of what a tile takes beside its elements */
  SHARED = STAGES * STAGE + BESIDE
};

/* Elements are rows of signed bytes, a multiple of ROWS of x and of COLUMNS of y, padded by zeros
   to `depth` bytes. Sums are integers in units of 2^-61: additions in any order give the same. */
typedef struct {
  const signed char *x, *y;  /* (n, depth), (m, depth) */
  const int *x_squares;      /* (n,) squared lengths */
  const int *y_squares;      /* (m,) */
  const float *x_weights;    /* (k, n), absolute values of each row together at most 1 */
  const float *y_weights;    /* (k, m) */
  const unsigned *x_present; /* (n / ROWS,) bit c: some weight of row c in this tile is not 0 */
  const unsigned *y_present; /* (m / COLUMNS,) */
  const int *counts;         /* (2,) true elements of x and y */
  const float *factor;       /* (1,) the similarity is 2^(factor distance) */
  unsigned long long *out;   /* (k, width): sums of x, and of y from `behind` on */
  long long k, n, m, width, behind;
  long long first, last; /* tiles, in the order in which they are walked along */
  int depth, steps;      /* a multiple of DEPTH; 32 bytes each that hold pixels */
  int symmetric;         /* y is x: each pair once, for both */
  int mutual;            /* sums of y too: of weights of x */
} Problem;

#endif
