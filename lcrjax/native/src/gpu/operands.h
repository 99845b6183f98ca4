/* What XLA gives the kernel for GPUs. */
#ifndef LCRJAX_GPU_OPERANDS_H_
#define LCRJAX_GPU_OPERANDS_H_

#include "common/ffi.h"
#include "problem.h"

/* Whether its buffers fit together. Counts lie on the GPU, where nobody reads them before. */
static inline bool lcrjax_gpu_fit(XLA_FFI_CallFrame *frame) {
  if (frame->args.size != 10 || frame->rets.size != 1) return false;
  XLA_FFI_Buffer *at[10], *out = lcrjax_result(frame, 0);
  for (int i = 0; i < 10; i++) at[i] = lcrjax_operand(frame, i);
  if (at[0]->rank != 2 || at[1]->rank != 2 || out->rank != 3) return false;
  const int64_t n = at[0]->dims[0], m = at[1]->dims[0], depth = at[0]->dims[1], k = out->dims[0];
  const int64_t steps = lcrjax_int_attribute(frame, "steps", 0);
  if (n % ROWS || m % COLUMNS || depth % DEPTH || k > 32 || steps < 0 || steps * 32 > depth)
    return false;
  const bool symmetric = lcrjax_int_attribute(frame, "symmetric", 0);
  const bool mutual = lcrjax_int_attribute(frame, "mutual", 0);
  if (symmetric && (mutual || n != m)) return false;
  return LCRJAX_IS(at[0], S8, n, depth) && LCRJAX_IS(at[1], S8, m, depth) &&
         LCRJAX_IS(at[2], S32, n) && LCRJAX_IS(at[3], S32, m) && LCRJAX_IS(at[4], F32, k, n) &&
         LCRJAX_IS(at[5], F32, k, m) && LCRJAX_IS(at[6], U32, n / ROWS) &&
         LCRJAX_IS(at[7], U32, m / COLUMNS) && LCRJAX_IS(at[8], S32, 2) &&
         LCRJAX_IS(at[9], F32, 1) && LCRJAX_IS(out, U32, k, mutual ? n + m : n, 2);
}

/* Operands come in the order of Problem, from x to the factor. The result, (k, n, 2) of 32 bits,
   holds the lower and the upper half of each sum; if it is mutual (k, n + m, 2), with those of y.
 */
static inline Problem lcrjax_gpu_problem(XLA_FFI_CallFrame *frame) {
  void *data[10];
  for (int i = 0; i < 10; i++) data[i] = lcrjax_operand(frame, i)->data;
  XLA_FFI_Buffer *x = lcrjax_operand(frame, 0), *out = lcrjax_result(frame, 0);
  const int mutual = (int)lcrjax_int_attribute(frame, "mutual", 0);
  return (Problem){
      .x = data[0],
      .y = data[1],
      .x_squares = data[2],
      .y_squares = data[3],
      .x_weights = data[4],
      .y_weights = data[5],
      .x_present = data[6],
      .y_present = data[7],
      .counts = data[8],
      .factor = data[9],
      .out = out->data,
      .k = out->dims[0],
      .n = x->dims[0],
      .m = lcrjax_operand(frame, 1)->dims[0],
      .width = out->dims[1],
      .behind = mutual ? x->dims[0] : 0,
      .depth = (int)x->dims[1],
      .steps = (int)lcrjax_int_attribute(frame, "steps", 0),
      .symmetric = (int)lcrjax_int_attribute(frame, "symmetric", 0),
      .mutual = mutual,
  };
}

/* At least as many tiles as a walk has, which ends by itself. */
static inline long long lcrjax_gpu_tiles(const Problem *p) {
  const long long groups = (p->n + GROUP * ROWS - 1) / (GROUP * ROWS);
  return groups * GROUP * (p->m / COLUMNS);
}

#endif
