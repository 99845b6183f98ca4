/* What a process and its kernels tell each other: to give up, and how much is done. */
#include "cancel.h"

#include "ffi.h"

LCRJAX_EXPORT atomic_int lcrjax_cancelled;
LCRJAX_EXPORT atomic_llong lcrjax_pairs;
