/* The one flag of the process that tells kernels to give up. */
#include "cancel.h"

#include "ffi.h"

LCRJAX_EXPORT atomic_int lcrjax_cancelled;
