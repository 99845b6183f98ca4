/* XLA's foreign function interface in use: answers, errors, attributes, and threads that share out
   tasks. */
#include "ffi.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/cancel.h"

bool lcrjax_metadata(XLA_FFI_CallFrame *frame) {
  XLA_FFI_Extension_Base *asked = frame->extension_start;
  if (asked == NULL || asked->type != XLA_FFI_Extension_Metadata) return false;
  XLA_FFI_Metadata *metadata = ((XLA_FFI_Metadata_Extension *)asked)->metadata;
  metadata->api_version.major_version = XLA_FFI_API_MAJOR;
  metadata->api_version.minor_version = XLA_FFI_API_MINOR;
  metadata->traits = 0;
  return true;
}

static XLA_FFI_Error *make_error(XLA_FFI_CallFrame *frame, XLA_FFI_Error_Code code,
                                 const char *message) {
  XLA_FFI_Error_Create_Args args = {
      .struct_size = XLA_FFI_STRUCT_SIZE(XLA_FFI_Error_Create_Args, errc),
      .message = message,
      .errc = code,
  };
  return frame->api->XLA_FFI_Error_Create(&args);
}

XLA_FFI_Error *lcrjax_error(XLA_FFI_CallFrame *frame, const char *message) {
  return make_error(frame, XLA_FFI_Error_Code_INVALID_ARGUMENT, message);
}

XLA_FFI_Error *lcrjax_ended(XLA_FFI_CallFrame *frame, Outcome outcome, const char *no_memory) {
  if (outcome == CANCELLED) return make_error(frame, XLA_FFI_Error_Code_CANCELLED, "interrupted");
  return outcome == DONE ? NULL : lcrjax_error(frame, no_memory);
}

bool lcrjax_has_shape(const XLA_FFI_Buffer *buffer, XLA_FFI_DataType dtype, int64_t lead,
                      int64_t rank, const int64_t *dims) {
  if (buffer->dtype != dtype || buffer->rank != lead + rank) return false;
  for (int64_t a = 0; a < rank; a++)
    if (buffer->dims[lead + a] != dims[a]) return false;
  return true;
}

int64_t lcrjax_int_attribute(XLA_FFI_CallFrame *frame, const char *name, int64_t absent) {
  for (int64_t i = 0; i < frame->attrs.size; i++) {
    XLA_FFI_ByteSpan *found = frame->attrs.names[i];
    if (frame->attrs.types[i] == XLA_FFI_AttrType_SCALAR && found->len == strlen(name) &&
        memcmp(found->ptr, name, found->len) == 0) {
      XLA_FFI_Scalar *scalar = (XLA_FFI_Scalar *)frame->attrs.attrs[i];
      return *(int64_t *)scalar->value;
    }
  }
  return absent;
}

/* Errors of the interface itself (an XLA without a thread pool) only cost the parallelism. */
static bool failed(XLA_FFI_CallFrame *frame, XLA_FFI_Error *error) {
  if (error == NULL) return false;
  XLA_FFI_Error_Destroy_Args args = {
      .struct_size = XLA_FFI_STRUCT_SIZE(XLA_FFI_Error_Destroy_Args, error),
      .error = error,
  };
  frame->api->XLA_FFI_Error_Destroy(&args);
  return true;
}

void *lcrjax_stream(XLA_FFI_CallFrame *frame) {
  XLA_FFI_Stream_Get_Args args = {
      .struct_size = XLA_FFI_STRUCT_SIZE(XLA_FFI_Stream_Get_Args, stream),
      .ctx = frame->ctx,
      .stream = NULL,
  };
  return failed(frame, frame->api->XLA_FFI_Stream_Get(&args)) ? NULL : args.stream;
}

int lcrjax_threads(XLA_FFI_CallFrame *frame) {
  int64_t threads = 1;
  XLA_FFI_ThreadPool_NumThreads_Args args = {
      .struct_size = XLA_FFI_STRUCT_SIZE(XLA_FFI_ThreadPool_NumThreads_Args, num_threads),
      .ctx = frame->ctx,
      .num_threads = &threads,
  };
  if (failed(frame, frame->api->XLA_FFI_ThreadPool_NumThreads(&args))) return 1;
  return threads < 1 ? 1 : (int)threads;
}

bool lcrjax_schedule(XLA_FFI_CallFrame *frame, void (*task)(void *), void *data) {
  XLA_FFI_ThreadPool_Schedule_Args args = {
      .struct_size = XLA_FFI_STRUCT_SIZE(XLA_FFI_ThreadPool_Schedule_Args, data),
      .ctx = frame->ctx,
      .task = task,
      .data = data,
  };
  return !failed(frame, frame->api->XLA_FFI_ThreadPool_Schedule(&args));
}

/* One call of lcrjax_parallel. A helper that XLA starts only after the work is over finds no task
   left; the last to leave frees the job, so nobody waits for helpers that never began. */
typedef struct {
  lcrjax_task *task;
  void *data;
  int64_t tasks;
  atomic_int_fast64_t next, finished;
  atomic_int workers, holders;
  atomic_bool cancelled;
  pthread_mutex_t lock;
  pthread_cond_t done;
} Job;

static void leave(Job *job) {
  if (atomic_fetch_sub(&job->holders, 1) == 1) {
    pthread_cond_destroy(&job->done);
    pthread_mutex_destroy(&job->lock);
    free(job);
  }
}

static void work(Job *job) {
  int worker = atomic_fetch_add(&job->workers, 1);
  int64_t mine = 0, i;
  while ((i = atomic_fetch_add(&job->next, 1)) < job->tasks) {
    if (lcrjax_give_up()) atomic_store(&job->cancelled, true);
    else job->task(job->data, i, worker);
    mine++;
  }
  if (mine && atomic_fetch_add(&job->finished, mine) + mine == job->tasks) {
    pthread_mutex_lock(&job->lock);
    pthread_cond_signal(&job->done);
    pthread_mutex_unlock(&job->lock);
  }
}

static void help(void *job) {
  work(job);
  leave(job);
}

static void *thread(void *job) {
  help(job);
  return NULL;
}

static bool begin(Workers workers, Job *job) {
  pthread_t started;
  if (workers.frame != NULL) return lcrjax_schedule(workers.frame, help, job);
  if (pthread_create(&started, NULL, thread, job) != 0) return false;
  pthread_detach(started);
  return true;
}

Outcome lcrjax_parallel(Workers workers, int64_t tasks, lcrjax_task *task, void *data) {
  int64_t helpers = (workers.frame == NULL ? workers.threads : lcrjax_threads(workers.frame)) - 1;
  if (helpers > tasks - 1) helpers = tasks - 1;
  Job *job = helpers > 0 ? malloc(sizeof(Job)) : NULL;
  if (job == NULL) {
    for (int64_t i = 0; i < tasks; i++) {
      if (lcrjax_give_up()) return CANCELLED;
      task(data, i, 0);
    }
    return DONE;
  }
  *job = (Job){.task = task, .data = data, .tasks = tasks};
  atomic_init(&job->holders, (int)helpers + 1);
  pthread_mutex_init(&job->lock, NULL);
  pthread_cond_init(&job->done, NULL);
  for (int64_t i = 0; i < helpers; i++)
    if (!begin(workers, job)) leave(job);
  work(job);
  pthread_mutex_lock(&job->lock);
  while (atomic_load(&job->finished) < tasks) pthread_cond_wait(&job->done, &job->lock);
  pthread_mutex_unlock(&job->lock);
  const Outcome outcome = atomic_load(&job->cancelled) ? CANCELLED : DONE;
  leave(job);
  return outcome;
}
