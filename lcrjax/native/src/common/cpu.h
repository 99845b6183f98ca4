/* Which processors a library of kernels runs on: those with AVX-512 VNNI, or with LCRJAX_AVX2 those
   with AVX2. Functions marked KERNEL are compiled for them alone; the rest of the library runs
   anywhere, and lcrjax_capable() says whether they may be called. */
#ifndef LCRJAX_CPU_H_
#define LCRJAX_CPU_H_

#ifdef LCRJAX_AVX2
#define KERNEL __attribute__((target("avx2,fma"), hot))
#else
#define KERNEL \
  __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"), hot))
#endif

/* Into such a function, whatever the compiler thinks of it. */
#define INLINE KERNEL static inline __attribute__((always_inline))

#endif
