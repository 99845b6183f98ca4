/* Threads for a call of many short phases. Helpers stay from the first phase to the last and wait
   for work with their eyes open: waking one takes longer than many a phase does. */
#ifndef LCRJAX_TEAM_H_
#define LCRJAX_TEAM_H_

#include "common/ffi.h"

typedef struct Team Team;
typedef void TeamTask(void *data, int task);

/* Asks for XLA's threads; without a frame the caller is alone. They join when they can; the caller
   never depends on them. */
Team *team_gather(XLA_FFI_CallFrame *frame);

/* Runs task(data, i) for each i below `tasks`; returns when all are done. Where there is a frame,
   tasks are left out once work is to be given up: what follows computes with rubbish, in no time,
   until the team is dismissed. */
void team_run(Team *team, int tasks, TeamTask *task, void *data);

/* Whether the caller has no helpers. */
bool team_alone(const Team *team);

/* DONE, or CANCELLED if tasks were left out for it. */
Outcome team_dismiss(Team *team);

/* Memory of the calling thread's own, kept from call to call; its contents are not. XLA's threads
   live as long as the process. `slot` is below 4. NULL where there is no memory left. */
void *team_scratch(int slot, size_t bytes);

#endif
