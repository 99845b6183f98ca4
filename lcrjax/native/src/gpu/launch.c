/* Launches sums_of_bytes.cu on XLA's stream, through the driver's library, which only a machine
   with a GPU has: it is looked up as it is first needed. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "operands.h"

enum { SHARED_MEMORY = 8, PROCESSORS = 16 }; /* attributes, as the driver numbers them */
enum { TILES_AT_ONCE = 1 << 21 };            /* of one launch: a fraction of a second */

/* Functions of the driver, in the order of `names`; those that can fail return 0 if they did not.
 */
static struct {
  int (*error_string)(int, const char **);
  int (*stream_context)(void *, void **);
  int (*push)(void *);
  int (*pop)(void **);
  int (*device)(int *);
  int (*device_attribute)(int *, int, int);
  int (*load)(void **, const void *, void *, void *, unsigned, void *, void *, unsigned);
  int (*kernel)(void **, void *, const char *);
  int (*kernel_attribute)(int, int, void *, int);
  int (*fill)(unsigned long long, unsigned char, size_t, void *);
  int (*launch)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                void *, void **, void **);
} driver;
static const char *names[] = {"cuGetErrorString",   "cuStreamGetCtx",     "cuCtxPushCurrent_v2",
                              "cuCtxPopCurrent_v2", "cuCtxGetDevice",     "cuDeviceGetAttribute",
                              "cuLibraryLoadData",  "cuLibraryGetKernel", "cuKernelSetAttribute",
                              "cuMemsetD8Async",    "cuLaunchKernel"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const void *program; /* of the kernel, for the GPUs here: Python gives and keeps it */
static int shared;          /* bytes of shared memory that it uses */
static void *kernel;        /* of all devices */

/* Takes the compiled kernel and its number of stages, before the first launch. */
LCRJAX_EXPORT void lcrjax_gpu_program(const void *compiled, int stages) {
  program = compiled;
  shared = stages * STAGE + BESIDE;
}

/* Goes on if a call of the driver did what it should, and else returns its code. */
#define TRY(call)            \
  do {                       \
    const int code = (call); \
    if (code) return code;   \
  } while (0)

static bool look_up(void) {
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL), **places = (void **)&driver;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (library == NULL || (places[i] = dlsym(library, names[i])) == NULL) return false;
  return true;
}

/* Loads the kernel once. */
static int load_kernel(void) {
  void *library, *found;
  if (kernel != NULL) return 0;
  TRY(driver.load(&library, program, NULL, NULL, 0, NULL, NULL, 0));
  TRY(driver.kernel(&found, library, "sums_of_bytes"));
  kernel = found;
  return 0;
}

static int launch(Problem *p, void *stream) {
  int device, processors;
  TRY(driver.device(&device));
  TRY(driver.device_attribute(&processors, PROCESSORS, device));
  TRY(driver.kernel_attribute(SHARED_MEMORY, shared, kernel, device));
  TRY(driver.fill((unsigned long long)(uintptr_t)p->out, 0,
                  sizeof *p->out * (size_t)(p->k * p->width), stream));
  const long long tiles = lcrjax_gpu_tiles(p);
  for (p->first = 0; p->first < tiles; p->first = p->last) {
    p->last = tiles - p->first > TILES_AT_ONCE ? p->first + TILES_AT_ONCE : tiles;
    const long long here = p->last - p->first;
    const unsigned blocks = here < processors ? (unsigned)here : (unsigned)processors;
    void *given[] = {p};
    TRY(driver.launch(kernel, blocks, 1, 1, THREADS, 1, 1, (unsigned)shared, stream, given, NULL));
  }
  return 0;
}

/* In the stream's context, and back. */
static int run(Problem *p, void *stream) {
  void *context;
  TRY(driver.stream_context(stream, &context));
  TRY(driver.push(context));
  pthread_mutex_lock(&lock);
  int code = load_kernel();
  pthread_mutex_unlock(&lock);
  if (code == 0) code = launch(p, stream);
  driver.pop(&context);
  return code;
}

LCRJAX_EXPORT XLA_FFI_Error *lcrjax_gpu_sums_of_bytes(XLA_FFI_CallFrame *frame) {
  LCRJAX_METADATA(frame);
  if (!lcrjax_gpu_fit(frame)) return lcrjax_error(frame, LCRJAX_UNFIT);
  static bool known;
  pthread_mutex_lock(&lock);
  known = known || look_up();
  pthread_mutex_unlock(&lock);
  if (!known) return lcrjax_error(frame, "the driver's libcuda.so.1 lacks what lcrjax calls");
  Problem p = lcrjax_gpu_problem(frame);
  const int code = run(&p, lcrjax_stream(frame));
  if (code == 0) return NULL;
  const char *why = NULL;
  char message[200];
  driver.error_string(code, &why);
  snprintf(message, sizeof message, "the GPU's driver refuses a kernel of lcrjax: %s",
           why == NULL ? "it does not say why" : why);
  return lcrjax_error(frame, message);
}
