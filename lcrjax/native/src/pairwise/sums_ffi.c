/* The kernels that XLA calls: operands are rows (n, d), columns (m, d) unless they are the rows,
   weights (k, m), counts (2,) of the true elements among n and m, the rate, and of floats the
   centre (d,) that products take them about; the result is (k, n). All may have leading axes of a
   batch, each as long as the result's, or 1. */
#include <stdatomic.h>
#include <string.h>

#include "sums.h"

enum { FEW = 1 << 20 }; /* pairs of an item of a batch that one thread does alone */

typedef struct {
  XLA_FFI_CallFrame *frame;
  bool floats;
  int64_t items;
  bool alone; /* a thread does a whole item */
  atomic_int outcome;
} Batch;

static int64_t width(XLA_FFI_DataType dtype) { return dtype == XLA_FFI_DataType_U8 ? 1 : 4; }

/* The part of a buffer that belongs to item i; `rank` axes are the item's own. */
static char *part(XLA_FFI_CallFrame *frame, XLA_FFI_Buffer *buffer, int64_t rank, int64_t i) {
  XLA_FFI_Buffer *out = lcrjax_result(frame, 0);
  int64_t lead = out->rank - 2, size = 1, offset = 0, step = 1;
  for (int64_t a = 0; a < rank; a++) size *= buffer->dims[lead + a];
  for (int64_t a = lead - 1; a >= 0; a--) {
    if (buffer->dims[a] > 1) offset += i % out->dims[a] * step;
    step *= buffer->dims[a];
    i /= out->dims[a];
  }
  return (char *)buffer->data + offset * size * width(buffer->dtype);
}

static void item(void *data, int64_t i, int worker) {
  (void)worker;
  Batch *batch = data;
  XLA_FFI_CallFrame *frame = batch->frame;
  bool floats = batch->floats;
  bool symmetric = frame->args.size == 4 + floats;
  XLA_FFI_Buffer *rows = lcrjax_operand(frame, 0), *columns = lcrjax_operand(frame, !symmetric);
  XLA_FFI_Buffer *weights = lcrjax_operand(frame, 2 - symmetric), *out = lcrjax_result(frame, 0);
  const int32_t *counts = (int32_t *)part(frame, lcrjax_operand(frame, 3 - symmetric), 1, i);
  const float *rate = (float *)part(frame, lcrjax_operand(frame, 4 - symmetric), 0, i);
  const float *centre =
      floats ? (float *)part(frame, lcrjax_operand(frame, 5 - symmetric), 1, i) : NULL;
  int64_t d = rows->dims[rows->rank - 1];
  const Form form = (Form)lcrjax_int_attribute(frame, "form", EXPONENTIAL);
  Problem p = {
      .kind = lcrjax_kind(floats, form),
      .form = form,
      .rate = *rate,
      .rows = {.data = part(frame, rows, 2, i), .n = counts[0], .dimension = d},
      .columns = {.data = part(frame, columns, 2, i), .n = counts[1], .dimension = d},
      .centre = centre,
      .symmetric = symmetric,
      .weights = (float *)part(frame, weights, 2, i),
      .k = weights->dims[weights->rank - 2],
      .stride = weights->dims[weights->rank - 1],
      .out = (float *)part(frame, out, 2, i),
      .out_stride = out->dims[out->rank - 1],
  };
  memset(p.out, 0, sizeof(float) * (size_t)(p.k * p.out_stride));
  if (p.k == 0 || p.rows.n <= 0 || p.columns.n <= 0) return;
  const Outcome outcome = lcrjax_sums(batch->alone ? ALONE : (Workers){.frame = frame}, &p);
  if (outcome != DONE) batch->outcome = (int)outcome;
}

/* Whether an operand's own axes have these lengths, and those of its batch fit the result's. */
static bool is(XLA_FFI_CallFrame *frame, int64_t index, XLA_FFI_DataType dtype, int64_t rank,
               int64_t first, int64_t second) {
  const XLA_FFI_Buffer *buffer = lcrjax_operand(frame, (int)index), *out = lcrjax_result(frame, 0);
  const int64_t lead = out->rank - 2, dims[] = {first, second};
  if (!lcrjax_has_shape(buffer, dtype, lead, rank, dims)) return false;
  for (int64_t a = 0; a < lead; a++)
    if (buffer->dims[a] != 1 && buffer->dims[a] != out->dims[a]) return false;
  return true;
}

static bool fit(XLA_FFI_CallFrame *frame, bool floats) {
  const int64_t others = frame->args.size - (4 + floats);
  if (others < 0 || others > 1 || frame->rets.size != 1) return false;
  const XLA_FFI_DataType kind = floats ? XLA_FFI_DataType_F32 : XLA_FFI_DataType_U8;
  const XLA_FFI_Buffer *rows = lcrjax_operand(frame, 0), *out = lcrjax_result(frame, 0);
  const XLA_FFI_Buffer *columns = lcrjax_operand(frame, (int)others);
  const int64_t lead = out->rank - 2;
  if (lead < 0 || out->dtype != XLA_FFI_DataType_F32) return false;
  if (rows->rank != lead + 2 || columns->rank != lead + 2) return false;
  const int64_t n = rows->dims[lead], m = columns->dims[lead], d = rows->dims[lead + 1];
  if (n > INT32_MAX || m > INT32_MAX || out->dims[lead + 1] != n) return false;
  if (!(is(frame, 0, kind, 2, n, d) && is(frame, others, kind, 2, m, d) &&
        is(frame, others + 1, XLA_FFI_DataType_F32, 2, out->dims[lead], m) &&
        is(frame, others + 2, XLA_FFI_DataType_S32, 1, 2, 0) &&
        is(frame, others + 3, XLA_FFI_DataType_F32, 0, 0, 0) &&
        (!floats || is(frame, others + 4, XLA_FFI_DataType_F32, 1, d, 0))))
    return false;
  const XLA_FFI_Buffer *counts = lcrjax_operand(frame, (int)others + 2);
  int64_t pairs = 1;
  for (int64_t a = 0; a < lead; a++) pairs *= counts->dims[a];
  for (const int32_t *c = counts->data; pairs > 0; pairs--, c += 2)
    if (c[0] > n || c[1] > m || (!others && c[0] != c[1])) return false;
  return true;
}

static XLA_FFI_Error *call(XLA_FFI_CallFrame *frame, bool floats) {
  LCRJAX_METADATA(frame);
  if (!fit(frame, floats)) return lcrjax_error(frame, LCRJAX_UNFIT);
  XLA_FFI_Buffer *rows = lcrjax_operand(frame, 0), *out = lcrjax_result(frame, 0);
  Batch batch = {.frame = frame, .floats = floats, .items = 1};
  for (int64_t a = 0; a < out->rank - 2; a++) batch.items *= out->dims[a];
  XLA_FFI_Buffer *weights = lcrjax_operand(frame, frame->args.size - 3 - floats);
  int64_t pairs = rows->dims[rows->rank - 2] * weights->dims[weights->rank - 1];
  batch.alone = batch.items > 1 && pairs <= FEW;
  Outcome outcome = DONE;
  if (batch.alone) outcome = lcrjax_parallel((Workers){.frame = frame}, batch.items, item, &batch);
  else
    for (int64_t i = 0; i < batch.items; i++) item(&batch, i, 0);
  if (outcome == DONE) outcome = (Outcome)batch.outcome;
  return lcrjax_ended(frame, outcome, "ordinariness ran out of memory");
}

LCRJAX_EXPORT XLA_FFI_Error *lcrjax_sums_of_bytes(XLA_FFI_CallFrame *frame) {
  return call(frame, false);
}

LCRJAX_EXPORT XLA_FFI_Error *lcrjax_sums_of_floats(XLA_FFI_CallFrame *frame) {
  return call(frame, true);
}
