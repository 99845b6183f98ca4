/* What every kernel needs of XLA's foreign function interface: its operands, its threads, errors.

   A kernel is a function `XLA_FFI_Error *lcrjax_NAME(XLA_FFI_CallFrame *frame)` that begins with
   LCRJAX_METADATA(frame). XLA calls it once with an extension that asks for the version of the
   interface, and then, in any thread, for each execution. */
#ifndef LCRJAX_FFI_H_
#define LCRJAX_FFI_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xla_ffi.h"

/* Functions of the shared library that Python or XLA looks up; all others stay inside. */
#define LCRJAX_EXPORT __attribute__((visibility("default")))

/* Answers XLA's question about the interface and returns, or goes on. */
#define LCRJAX_METADATA(frame) \
  if (lcrjax_metadata(frame)) return NULL

bool lcrjax_metadata(XLA_FFI_CallFrame *frame);

/* An error that JAX raises as an exception; `return lcrjax_error(frame, "...")`. */
XLA_FFI_Error *lcrjax_error(XLA_FFI_CallFrame *frame, const char *message);

/* How work ended; what did not finish has left rubbish in its results. */
typedef enum { DONE, NO_MEMORY, CANCELLED } Outcome;

/* The same as XLA is told, and `no_memory` as a message. */
XLA_FFI_Error *lcrjax_ended(XLA_FFI_CallFrame *frame, Outcome outcome, const char *no_memory);

static inline XLA_FFI_Buffer *lcrjax_operand(XLA_FFI_CallFrame *frame, int index) {
  return (XLA_FFI_Buffer *)frame->args.args[index];
}

static inline XLA_FFI_Buffer *lcrjax_result(XLA_FFI_CallFrame *frame, int index) {
  return (XLA_FFI_Buffer *)frame->rets.rets[index];
}

/* Whether a buffer is of a type and its axes have these lengths, after `lead` axes of a batch. A
   kernel reads none that is not: what Python or XLA does wrong is to be an error, never rubbish. */
bool lcrjax_has_shape(const XLA_FFI_Buffer *buffer, XLA_FFI_DataType dtype, int64_t lead,
                      int64_t rank, const int64_t *dims);

/* The same of a buffer without a batch; the name of the type is that of XLA_FFI_DataType. */
#define LCRJAX_IS(buffer, dtype, ...)                                             \
  lcrjax_has_shape(buffer, XLA_FFI_DataType_##dtype, 0,                           \
                   (int64_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), \
                   (int64_t[]){__VA_ARGS__})

/* What `lcrjax_error` says of others. */
#define LCRJAX_UNFIT "shapes or types of arrays do not fit together: call the kernel with others"

/* A scalar attribute of eight bytes (np.int64, np.float64) given to jax.ffi.ffi_call by name. */
int64_t lcrjax_int_attribute(XLA_FFI_CallFrame *frame, const char *name, int64_t absent);

/* The stream of a GPU on which a call is to do its work; NULL where there is none. */
void *lcrjax_stream(XLA_FFI_CallFrame *frame);

/* How many threads may work on one call: XLA's own pool and the caller. At least 1. */
int lcrjax_threads(XLA_FFI_CallFrame *frame);

/* Has task(data) run by one of XLA's threads, some time; false if it never will. */
bool lcrjax_schedule(XLA_FFI_CallFrame *frame, void (*task)(void *), void *data);

/* Who works on one call: the caller, and XLA's threads where there is a frame, or else so many less
   one of our own. */
typedef struct {
  XLA_FFI_CallFrame *frame;
  int threads;
} Workers;

static const Workers ALONE = {NULL, 1};

/* Runs task(data, i, worker) for each i below `tasks`, and returns when all are done, or CANCELLED
   without those that had not begun by then. Tasks begin in the order of i, one by one; which worker
   (0 .. threads - 1) runs which is left to chance, and must not change any result. Memory of one's
   own is found by `worker`. */
typedef void lcrjax_task(void *data, int64_t i, int worker);
Outcome lcrjax_parallel(Workers workers, int64_t tasks, lcrjax_task *task, void *data);

#endif
