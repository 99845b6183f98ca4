/* Normal random numbers as jax.random.normal draws them from a key of threefry2x32: the same random
   bits (Salmon et al. 2011, twenty rounds, of the counters 0, 1, 2, ...), made normal by the same
   inverse error function (Giles 2012). The logarithm in it is our own, so that the last digit may
   differ. XLA takes a tenth as many in a second. */
#include <immintrin.h>

#include "common/cpu.h"
#include "common/ffi.h"

#define SET(x) _mm512_set1_ps(x)

enum { AT_ONCE = 1 << 15 };

typedef struct {
  uint32_t key[3]; /* and the third word of the schedule */
  int64_t n;
  float *out;
} Draw;

INLINE __m512i random_bits(const uint32_t *key, int64_t first) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  __m512i x = _mm512_set1_epi32((int32_t)((uint32_t)(first >> 32) + key[0]));
  __m512i y = _mm512_add_epi32(lane, _mm512_set1_epi32((int32_t)((uint32_t)first + key[1])));
#define ROUND(r)              \
  x = _mm512_add_epi32(x, y); \
  y = _mm512_rol_epi32(y, r); \
  y = _mm512_xor_si512(y, x);
#define KEYS(i)                                                      \
  x = _mm512_add_epi32(x, _mm512_set1_epi32((int32_t)key[(i) % 3])); \
  y = _mm512_add_epi32(y, _mm512_set1_epi32((int32_t)(key[((i) + 1) % 3] + (uint32_t)(i))));
  /* clang-format off */
  ROUND(13) ROUND(15) ROUND(26) ROUND(6) KEYS(1)
  ROUND(17) ROUND(29) ROUND(16) ROUND(24) KEYS(2)
  ROUND(13) ROUND(15) ROUND(26) ROUND(6) KEYS(3)
  ROUND(17) ROUND(29) ROUND(16) ROUND(24) KEYS(4)
  ROUND(13) ROUND(15) ROUND(26) ROUND(6) KEYS(5)
  /* clang-format on */
#undef ROUND
#undef KEYS
              return _mm512_xor_si512(x, y);
}

INLINE __m512 polynomial(const float *c, int count, __m512 x) {
  __m512 p = SET(c[0]);
  for (int i = 1; i < count; i++) p = _mm512_fmadd_ps(p, x, SET(c[i]));
  return p;
}

/* log(x) for normal x > 0: a polynomial (Cephes) of the mantissa between the roots of 1/2 and 2. */
INLINE __m512 logarithm(__m512 x) {
  static const float c[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                            -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                            2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
  __m512 e = _mm512_getexp_ps(x), m = _mm512_getmant_ps(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_zero);
  __mmask16 large = _mm512_cmp_ps_mask(m, SET(1.41421356f), _CMP_GT_OQ);
  m = _mm512_mask_mul_ps(m, large, m, SET(0.5f));
  e = _mm512_mask_add_ps(e, large, e, SET(1));
  __m512 r = _mm512_sub_ps(m, SET(1)), square = _mm512_mul_ps(r, r);
  __m512 y = _mm512_mul_ps(polynomial(c, 9, r), _mm512_mul_ps(r, square));
  y = _mm512_fmadd_ps(e, SET(-2.12194440e-4f), y);
  y = _mm512_fnmadd_ps(SET(0.5f), square, y);
  return _mm512_fmadd_ps(e, SET(0.693359375f), _mm512_add_ps(r, y));
}

INLINE __m512 inverse_error_function(__m512 x) {
  static const float middle[] = {2.81022636e-08f,  3.43273939e-07f, -3.5233877e-06f,
                                 -4.39150654e-06f, 0.00021858087f,  -0.00125372503f,
                                 -0.00417768164f,  0.246640727f,    1.50140941f};
  static const float tail[] = {-0.000200214257f, 0.000100950558f, 0.00134934322f,
                               -0.00367342844f,  0.00573950773f,  -0.0076224613f,
                               0.00943887047f,   1.00167406f,     2.83297682f};
  __m512 w =
      _mm512_sub_ps(_mm512_setzero_ps(),
                    logarithm(_mm512_mul_ps(_mm512_sub_ps(SET(1), x), _mm512_add_ps(SET(1), x))));
  __m512 p = polynomial(middle, 9, _mm512_sub_ps(w, SET(2.5f)));
  __mmask16 far = _mm512_cmp_ps_mask(w, SET(5), _CMP_NLT_UQ);
  if (far) {
    __m512 root = _mm512_sub_ps(_mm512_sqrt_ps(w), SET(3));
    p = _mm512_mask_mov_ps(p, far, polynomial(tail, 9, root));
  }
  return _mm512_mul_ps(p, x);
}

KERNEL static void draw(void *data, int64_t task, int worker) {
  (void)worker;
  const Draw *d = data;
  const __m512 least = SET(-0.99999994f); /* the number after -1 */
  int64_t end = (task + 1) * AT_ONCE < d->n ? (task + 1) * AT_ONCE : d->n;
  for (int64_t i = task * AT_ONCE; i < end; i += 16) {
    __m512i bits = _mm512_srli_epi32(random_bits(d->key, i), 9);
    __m512 unit = _mm512_castsi512_ps(_mm512_or_si512(bits, _mm512_set1_epi32(0x3F800000)));
    __m512 uniform = _mm512_fmadd_ps(_mm512_sub_ps(unit, SET(1)), SET(2), least);
    uniform = _mm512_max_ps(uniform, least);
    __m512 normal = _mm512_mul_ps(SET(1.41421356f), inverse_error_function(uniform));
    __mmask16 here = end - i < 16 ? (__mmask16)((1 << (end - i)) - 1) : 0xFFFF;
    _mm512_mask_storeu_ps(d->out + i, here, normal);
  }
}

/* The operand is a key's two words; the result is (n,). */
LCRJAX_EXPORT XLA_FFI_Error *lcrjax_normals(XLA_FFI_CallFrame *frame) {
  LCRJAX_METADATA(frame);
  XLA_FFI_Buffer *out = lcrjax_result(frame, 0);
  if (frame->args.size != 1 || frame->rets.size != 1 || out->rank != 1 ||
      out->dtype != XLA_FFI_DataType_F32 || !LCRJAX_IS(lcrjax_operand(frame, 0), U32, 2))
    return lcrjax_error(frame, LCRJAX_UNFIT);
  const uint32_t *key = lcrjax_operand(frame, 0)->data;
  Draw d = {{key[0], key[1], key[0] ^ key[1] ^ 0x1BD11BDA}, out->dims[0], out->data};
  const int64_t tasks = (d.n + AT_ONCE - 1) / AT_ONCE;
  return lcrjax_ended(frame, lcrjax_parallel((Workers){.frame = frame}, tasks, draw, &d), NULL);
}
