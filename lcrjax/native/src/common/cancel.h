/* Work that is to be given up. Python raises the flag when its main thread hears Ctrl-C while
   kernels run, and lowers it once they have ended; whoever works for long looks at it between two
   steps, each of a fraction of a second, and says that it did not finish. */
#ifndef LCRJAX_CANCEL_H_
#define LCRJAX_CANCEL_H_

#include <stdatomic.h>
#include <stdbool.h>

extern atomic_int lcrjax_cancelled;

static inline bool lcrjax_give_up(void) {
  return atomic_load_explicit(&lcrjax_cancelled, memory_order_relaxed) != 0;
}

/* Pairs that kernels of this process have compared, for whoever shows progress. */
extern atomic_llong lcrjax_pairs;

static inline void lcrjax_compared(long long pairs) {
  atomic_fetch_add_explicit(&lcrjax_pairs, pairs, memory_order_relaxed);
}

#endif
