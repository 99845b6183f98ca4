/* Runs sums_of_bytes.cu block after block, as a GPU of three processors would side by side. */
#include "gpu/sums_of_bytes.cu"

#include <pthread.h>
#include <stdlib.h>

#include "gpu/operands.h"

enum { PROCESSORS = 3, STACK = 1 << 16 };

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static const Problem *problem;
static ucontext_t outside;

/* A thread, which leaves to the next, and the last of them to the caller. */
static void run(void) {
  sums_of_bytes(*problem);
  me->over = 1;
  yield();
  setcontext(&outside);
}

LCRJAX_EXPORT XLA_FFI_Error *lcrjax_emulated_sums_of_bytes(XLA_FFI_CallFrame *frame) {
  LCRJAX_METADATA(frame);
  if (!lcrjax_gpu_fit(frame)) return lcrjax_error(frame, LCRJAX_UNFIT);
  Problem given = lcrjax_gpu_problem(frame);
  char *stacks = malloc((size_t)THREADS * STACK);
  if (stacks == NULL) return lcrjax_error(frame, "no memory for threads");
  given.last = lcrjax_gpu_tiles(&given);
  pthread_mutex_lock(&one_at_a_time);
  problem = &given;
  memset(given.out, 0, sizeof *given.out * (size_t)(given.k * given.width));
  gridDim.x = PROCESSORS;
  for (blockIdx.x = 0; blockIdx.x < PROCESSORS; blockIdx.x++) {
    memset(stages, 0x55, sizeof stages); /* rubbish of other kernels */
    memset(threads, 0, sizeof threads);
    all = (Meeting){THREADS, 0, 0};
    for (int w = 0; w < THREADS / LANES; w++) warps[w] = (Meeting){LANES, 0, 0};
    for (int t = 0; t < THREADS; t++) {
      threads[t].index.x = t;
      getcontext(&threads[t].context);
      threads[t].context.uc_stack.ss_sp = stacks + t * STACK;
      threads[t].context.uc_stack.ss_size = STACK;
      makecontext(&threads[t].context, run, 0);
    }
    me = threads;
    swapcontext(&outside, &me->context);
  }
  pthread_mutex_unlock(&one_at_a_time);
  free(stacks);
  return NULL;
}
