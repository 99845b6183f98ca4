/* The processor at hand: whether it has what the kernels were compiled for. */
#include "cpu.h"

#include "ffi.h"

LCRJAX_EXPORT int lcrjax_capable(void) {
  __builtin_cpu_init();
  bool capable = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#ifndef LCRJAX_AVX2
  capable = capable && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
            __builtin_cpu_supports("avx512vnni");
#endif
  return capable;
}
