/* A step of Adam over all parameters in one pass: operands are L parameters, L gradients, L first
   and L second moments, and (3,) the step size and what the moments are multiplied by since they
   began at zero; results are parameters and moments, best in their operands' memory. */
#include <immintrin.h>
#include <stdlib.h>

#include "common/cpu.h"
#include "common/ffi.h"

enum { PIECE = 1 << 16 }; /* floats of a task */

enum { PARAMETER, GRADIENT, FIRST, SECOND, OPERANDS };

typedef struct {
  const float *from[OPERANDS];
  float *to[OPERANDS]; /* none for the gradient */
  int64_t count;
} Piece;

typedef struct {
  Piece *pieces;
  float rate, of_first, of_second;
} Adam;

static const float KEEP_FIRST = 0.9f, KEEP_SECOND = 0.999f, EPSILON = 1e-8f; /* as in optax */

KERNEL static void step(void *data, int64_t index, int worker) {
  (void)worker;
  const Adam *adam = data;
  const Piece *p = &adam->pieces[index];
  const __m512 keep_first = _mm512_set1_ps(KEEP_FIRST), keep_second = _mm512_set1_ps(KEEP_SECOND);
  const __m512 take_first = _mm512_set1_ps(1 - KEEP_FIRST),
               take_second = _mm512_set1_ps(1 - KEEP_SECOND);
  const __m512 of_first = _mm512_set1_ps(adam->rate * adam->of_first);
  const __m512 of_second = _mm512_set1_ps(adam->of_second), epsilon = _mm512_set1_ps(EPSILON);
  for (int64_t i = 0; i < p->count; i += 16) {
    const __mmask16 here = p->count - i < 16 ? (__mmask16)((1u << (p->count - i)) - 1) : 0xFFFF;
    const __m512 g = _mm512_maskz_loadu_ps(here, p->from[GRADIENT] + i);
    __m512 m = _mm512_mul_ps(keep_first, _mm512_maskz_loadu_ps(here, p->from[FIRST] + i));
    __m512 v = _mm512_mul_ps(keep_second, _mm512_maskz_loadu_ps(here, p->from[SECOND] + i));
    m = _mm512_fmadd_ps(take_first, g, m);
    v = _mm512_fmadd_ps(take_second, _mm512_mul_ps(g, g), v);
    const __m512 scale = _mm512_add_ps(_mm512_sqrt_ps(_mm512_mul_ps(v, of_second)), epsilon);
    const __m512 change = _mm512_div_ps(_mm512_mul_ps(m, of_first), scale);
    const __m512 x = _mm512_maskz_loadu_ps(here, p->from[PARAMETER] + i);
    _mm512_mask_storeu_ps(p->to[PARAMETER] + i, here, _mm512_sub_ps(x, change));
    _mm512_mask_storeu_ps(p->to[FIRST] + i, here, m);
    _mm512_mask_storeu_ps(p->to[SECOND] + i, here, v);
  }
}

static int64_t floats_of(const XLA_FFI_Buffer *buffer) {
  int64_t count = 1;
  for (int64_t a = 0; a < buffer->rank; a++) count *= buffer->dims[a];
  return count;
}

static bool fit(XLA_FFI_CallFrame *frame) {
  const int leaves = (int)(frame->args.size / OPERANDS);
  if (frame->args.size != OPERANDS * leaves + 1) return false;
  if (frame->rets.size != (OPERANDS - 1) * leaves) return false;
  for (int i = 0; i < (2 * OPERANDS - 1) * leaves; i++) {
    const int own = i - OPERANDS * leaves; /* a result, from 0 on */
    const XLA_FFI_Buffer *x = own < 0 ? lcrjax_operand(frame, i) : lcrjax_result(frame, own);
    const XLA_FFI_Buffer *like = lcrjax_operand(frame, i % leaves);
    if (!lcrjax_has_shape(x, XLA_FFI_DataType_F32, 0, like->rank, like->dims)) return false;
  }
  return LCRJAX_IS(lcrjax_operand(frame, OPERANDS * leaves), F32, 3);
}

LCRJAX_EXPORT XLA_FFI_Error *lcrjax_adam(XLA_FFI_CallFrame *frame) {
  LCRJAX_METADATA(frame);
  if (!fit(frame)) return lcrjax_error(frame, LCRJAX_UNFIT);
  const int leaves = (int)(frame->args.size / OPERANDS);
  int64_t pieces = 0, next = 0;
  for (int l = 0; l < leaves; l++)
    pieces += (floats_of(lcrjax_operand(frame, l)) + PIECE - 1) / PIECE;
  const float *numbers = lcrjax_operand(frame, OPERANDS * leaves)->data;
  Adam adam = {malloc(sizeof(Piece) * (size_t)(pieces ? pieces : 1)), numbers[0], numbers[1],
               numbers[2]};
  if (adam.pieces == NULL) return lcrjax_error(frame, "no memory is left for a step of Adam");
  for (int l = 0; l < leaves; l++) {
    const int64_t count = floats_of(lcrjax_operand(frame, l));
    for (int64_t from = 0; from < count; from += PIECE) {
      Piece *p = &adam.pieces[next++];
      p->count = count - from < PIECE ? count - from : PIECE;
      for (int k = 0, result = 0; k < OPERANDS; k++) {
        p->from[k] = (float *)lcrjax_operand(frame, k * leaves + l)->data + from;
        if (k == GRADIENT) continue;
        p->to[k] = (float *)lcrjax_result(frame, result++ * leaves + l)->data + from;
      }
    }
  }
  const Outcome outcome = lcrjax_parallel((Workers){.frame = frame}, pieces, step, &adam);
  free(adam.pieces);
  return lcrjax_ended(frame, outcome, NULL);
}
