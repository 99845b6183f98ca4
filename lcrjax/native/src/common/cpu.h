/* Which processors the kernels run on. Functions marked VNNI512 are compiled for them alone; the
   rest of the library runs anywhere, and lcrjax_capable() says whether they may be called. */
#ifndef LCRJAX_CPU_H_
#define LCRJAX_CPU_H_

#define VNNI512 \
  __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"), hot))

/* Into such a function, whatever the compiler thinks of it. */
#define INLINE VNNI512 static inline __attribute__((always_inline))

#endif
