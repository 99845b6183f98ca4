/* Pages for large pieces and malloc's memory for small ones, behind a line that says which. */
#include "room.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
  LINE = 64,      /* before the memory, so that it stays aligned */
  LARGE = 1 << 20 /* below it, clearing pages anew would take longer than what is done with them */
};

static void *room(int64_t size, bool zeros) {
  const size_t whole = LINE + (size_t)(size > 0 ? size : LINE);
  void *memory = NULL;
  if (size >= LARGE) {
    memory = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
  } else {
    if (posix_memalign(&memory, LINE, whole)) return NULL;
    if (zeros) memset(memory, 0, whole);
  }
  *(size_t *)memory = size >= LARGE ? whole : 0;
  return (char *)memory + LINE;
}

void *lcrjax_grab(int64_t size) { return room(size, false); }

void *lcrjax_zeros(int64_t size) { return room(size, true); }

void lcrjax_release(void *memory) {
  if (memory == NULL) return;
  void *start = (char *)memory - LINE;
  const size_t pages = *(size_t *)start;
  if (pages) munmap(start, pages);
  else free(start);
}
