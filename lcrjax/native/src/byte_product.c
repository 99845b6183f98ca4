/* Inner products of unsigned with signed bytes, in int32: rows (a, d), columns (b, d) -> (a, b). */
#include <immintrin.h>

#include "cpu.h"
#include "ffi.h"

typedef struct {
  const uint8_t *rows;
  const int8_t *columns;
  int32_t *out;
  int64_t b, d;
} Product;

VNNI512 static void one_row(void *data, int64_t i, int worker) {
  (void)worker;
  const Product *p = data;
  const uint8_t *row = p->rows + i * p->d;
  for (int64_t j = 0; j < p->b; j++) {
    const int8_t *column = p->columns + j * p->d;
    __m512i sum = _mm512_setzero_si512();
    for (int64_t k = 0; k < p->d; k += 64) {
      __mmask64 left = p->d - k >= 64 ? ~0ULL : (1ULL << (p->d - k)) - 1;
      sum = _mm512_dpbusd_epi32(sum, _mm512_maskz_loadu_epi8(left, row + k),
                                _mm512_maskz_loadu_epi8(left, column + k));
    }
    p->out[i * p->b + j] = _mm512_reduce_add_epi32(sum);
  }
}

LCRJAX_EXPORT XLA_FFI_Error *lcrjax_byte_product(XLA_FFI_CallFrame *frame) {
  LCRJAX_METADATA(frame);
  XLA_FFI_Buffer *rows = lcrjax_operand(frame, 0), *columns = lcrjax_operand(frame, 1);
  if (rows->rank != 2 || columns->rank != 2 || rows->dims[1] != columns->dims[1])
    return lcrjax_error(frame, "byte_product takes rows (a, d) and columns (b, d)");
  Product product = {rows->data, columns->data, lcrjax_result(frame, 0)->data, columns->dims[0],
                     rows->dims[1]};
  lcrjax_parallel((Workers){.frame = frame}, rows->dims[0], one_row, &product);
  return NULL;
}
