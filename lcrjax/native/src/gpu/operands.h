/* What XLA gives the kernel for GPUs. */
#ifndef LCRJAX_GPU_OPERANDS_H_
#define LCRJAX_GPU_OPERANDS_H_

#include "common/ffi.h"
#include "problem.h"

/* Operands come in the order of Problem, from x to the factor. The result, (k, n, 2) of 32 bits,
   holds the lower and the upper half of each sum. */
static inline Problem lcrjax_gpu_problem(XLA_FFI_CallFrame *frame) {
  void *data[10];
  for (int i = 0; i < 10; i++) data[i] = lcrjax_operand(frame, i)->data;
  XLA_FFI_Buffer *x = lcrjax_operand(frame, 0), *out = lcrjax_result(frame, 0);
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
      .depth = (int)x->dims[1],
      .steps = (int)lcrjax_int_attribute(frame, "steps", 0),
      .symmetric = (int)lcrjax_int_attribute(frame, "symmetric", 0),
  };
}

/* At least as many tiles as a walk has, which ends by itself. */
static inline long long lcrjax_gpu_tiles(const Problem *p) {
  const long long groups = (p->n + GROUP * ROWS - 1) / (GROUP * ROWS);
  return groups * GROUP * (p->m / COLUMNS);
}

#endif
