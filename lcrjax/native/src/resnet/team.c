/* Threads that spin between short phases, and draw tasks from one ticket. */
#include "team.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/cancel.h"

enum { SPINS = 4096 };

/* `ticket` holds the phase (upper half), its number of tasks and the next task (16 bits each), so
   that one addition draws a task of the phase that is under way, and of no other. */
struct Team {
  atomic_uint_fast64_t ticket;
  atomic_int finished, over, holders;
  atomic_bool cancelled;
  bool cancellable;
  int helpers;
  TeamTask *task;
  void *data;
};

static void leave(Team *team) {
  if (atomic_fetch_sub(&team->holders, 1) == 1) free(team);
}

static void pause_or_yield(int *spins) {
  if (++*spins < SPINS) __builtin_ia32_pause();
  else sched_yield();
}

static bool draw(Team *team) {
  uint_fast64_t ticket = atomic_load(&team->ticket);
  if ((ticket & 0xffff) >= (ticket >> 16 & 0xffff)) return false;
  ticket = atomic_fetch_add(&team->ticket, 1);
  if ((ticket & 0xffff) >= (ticket >> 16 & 0xffff)) return false;
  if (team->cancellable && lcrjax_give_up()) atomic_store(&team->cancelled, true);
  else team->task(team->data, (int)(ticket & 0xffff));
  atomic_fetch_add(&team->finished, 1);
  return true;
}

static void help(void *data) {
  Team *team = data;
  for (int spins = 0; !atomic_load(&team->over);)
    if (draw(team)) spins = 0;
    else pause_or_yield(&spins);
  leave(team);
}

Team *team_gather(XLA_FFI_CallFrame *frame) {
  const int helpers = frame == NULL ? 0 : lcrjax_threads(frame) - 1;
  Team *team = malloc(sizeof *team);
  if (team == NULL) return NULL;
  team->helpers = helpers;
  team->cancellable = frame != NULL;
  atomic_init(&team->cancelled, false);
  atomic_init(&team->ticket, 0);
  atomic_init(&team->finished, 0);
  atomic_init(&team->over, 0);
  atomic_init(&team->holders, helpers + 1);
  for (int i = 0; i < helpers; i++)
    if (!lcrjax_schedule(frame, help, team)) leave(team);
  return team;
}

void team_run(Team *team, int tasks, TeamTask *task, void *data) {
  if (tasks < 1) return;
  team->task = task;
  team->data = data;
  atomic_store(&team->finished, 0);
  const uint_fast64_t phase = (atomic_load(&team->ticket) >> 32) + 1;
  atomic_store(&team->ticket, phase << 32 | (uint_fast64_t)tasks << 16);
  while (draw(team)) {
  }
  for (int spins = 0; atomic_load(&team->finished) < tasks;) pause_or_yield(&spins);
}

bool team_alone(const Team *team) { return team->helpers == 0; }

Outcome team_dismiss(Team *team) {
  const Outcome outcome = atomic_load(&team->cancelled) ? CANCELLED : DONE;
  atomic_store(&team->over, 1);
  leave(team);
  return outcome;
}

void *team_scratch(int slot, size_t bytes) {
  static _Thread_local struct {
    void *memory;
    size_t bytes;
  } kept[4];
  if (kept[slot].bytes < bytes) {
    free(kept[slot].memory);
    const size_t size = (bytes + 4095) / 4096 * 4096;
    kept[slot].memory = aligned_alloc(4096, size);
    kept[slot].bytes = kept[slot].memory == NULL ? 0 : size;
  }
  return kept[slot].memory;
}
