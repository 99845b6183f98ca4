/* Memory of a kernel for one call, which the system has back when the call is over.

   malloc keeps what is freed for the thread that had it, and calls come in threads of their own: a
   few buffers of each call would stay with every thread that ever made one. So large pieces are
   pages from the system. */
#ifndef LCRJAX_ROOM_H_
#define LCRJAX_ROOM_H_

#include <stdint.h>

/* Memory aligned to 64 bytes, or NULL; lcrjax_release() gives it back, and takes NULL too. */
void *lcrjax_grab(int64_t size);
/* The same, of zeros, which take no room until they are used where they are many. */
void *lcrjax_zeros(int64_t size);
void lcrjax_release(void *memory);

#endif
