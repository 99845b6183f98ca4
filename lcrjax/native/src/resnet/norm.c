/* Batch normalisation, ReLU and max-pool, and their derivatives, image by image. */
#include "norm.h"

#include <math.h>

static const float EPSILON = 1e-5f;

typedef struct {
  const Norm *norm;
  const float *z, *add, *factor, *offset;
  float *out;
  float *first, *second; /* two sums (or means) of each image, by channel */
  float *by_scale, *by_bias, *inverse;
  float *cotangent;
  const float *pooled_cotangent;
  const uint8_t *winner;
  uint8_t *winner_out;
  bool relu;
} Pass;

/* Runs BODY(vectors, channel) over all channels, four vectors at a time where they fit. */
#define OVER_CHANNELS(CHANNELS, BODY)                                  \
  do {                                                                 \
    int c_ = 0;                                                        \
    for (; c_ + 4 * LANES <= (CHANNELS); c_ += 4 * LANES) BODY(4, c_); \
    for (; c_ < (CHANNELS); c_ += LANES) BODY(1, c_);                  \
  } while (0)

static int begin(const Norm *n, int task) { return (int)((int64_t)n->batch->live * task / TASKS); }
static int64_t pixels(const Norm *n) { return (int64_t)n->height * n->width; }
static int64_t image_at(const Norm *n, int i) {
  return n->batch->images[i] * pixels(n) * n->channels;
}

static bool with_sums(Pass *p) {
  const int64_t size = (int64_t)p->norm->batch->live * p->norm->channels;
  p->first = team_scratch(0, sizeof(float) * (2 * size + 3 * p->norm->channels));
  p->second = p->first + size;
  p->inverse = p->second + size;
  return p->first != NULL;
}

INLINE void moments(const int vecs, const float *z, int64_t count, int channels, float *mean,
                    float *variance) {
  __m512 sum[4], square[4];
  const __m512 share = _mm512_set1_ps(1.0f / (float)count);
  for (int v = 0; v < vecs; v++) sum[v] = square[v] = _mm512_setzero_ps();
  for (int64_t p = 0; p < count; p++)
    for (int v = 0; v < vecs; v++)
      sum[v] = _mm512_add_ps(sum[v], LOAD(z + p * channels + v * LANES));
  for (int v = 0; v < vecs; v++) sum[v] = _mm512_mul_ps(sum[v], share);
  for (int64_t p = 0; p < count; p++)
    for (int v = 0; v < vecs; v++) {
      const __m512 d = _mm512_sub_ps(LOAD(z + p * channels + v * LANES), sum[v]);
      square[v] = _mm512_fmadd_ps(d, d, square[v]);
    }
  for (int v = 0; v < vecs; v++) {
    STORE(mean + v * LANES, sum[v]);
    STORE(variance + v * LANES, _mm512_mul_ps(square[v], share));
  }
}

KERNEL static void moments_task(void *data, int task) {
  const Pass *p = data;
  const Norm *n = p->norm;
  for (int i = begin(n, task); i < begin(n, task + 1); i++) {
    const float *z = p->z + image_at(n, i);
    float *mean = p->first + (int64_t)i * n->channels,
          *variance = p->second + (int64_t)i * n->channels;
#define BODY(V, C) moments(V, z + C, pixels(n), n->channels, mean + C, variance + C)
    OVER_CHANNELS(n->channels, BODY);
#undef BODY
  }
}

KERNEL bool norm_statistics(Team *team, const Norm *n, const float *z) {
  Pass p = {.norm = n, .z = z};
  if (!with_sums(&p)) return false;
  team_run(team, TASKS, moments_task, &p);
  for (int c = 0; c < n->channels; c += LANES) {
    __m512 mean = _mm512_setzero_ps(), variance = _mm512_setzero_ps();
    for (int i = 0; i < n->batch->live; i++)
      mean = _mm512_fmadd_ps(LOAD(p.first + (int64_t)i * n->channels + c),
                             _mm512_set1_ps(n->shares[i]), mean);
    for (int i = 0; i < n->batch->live; i++) {
      const __m512 d = _mm512_sub_ps(LOAD(p.first + (int64_t)i * n->channels + c), mean);
      const __m512 own = _mm512_fmadd_ps(d, d, LOAD(p.second + (int64_t)i * n->channels + c));
      variance = _mm512_fmadd_ps(own, _mm512_set1_ps(n->shares[i]), variance);
    }
    STORE(n->mean + c, mean);
    STORE(n->variance + c, variance);
  }
  return true;
}

void norm_line(const Norm *n, float *factor, float *offset) {
  for (int c = 0; c < n->channels; c++) {
    factor[c] = n->scale[c] / sqrtf(n->variance[c] + EPSILON);
    offset[c] = n->bias[c] - n->mean[c] * factor[c];
  }
}

INLINE void apply(const int vecs, const Pass *p, int64_t at, int c) {
  const Norm *n = p->norm;
  __m512 mean[4], factor[4], bias[4];
  for (int v = 0; v < vecs; v++) {
    mean[v] = LOAD(n->mean + c + v * LANES);
    factor[v] = LOAD(p->factor + c + v * LANES);
    bias[v] = LOAD(n->bias + c + v * LANES);
  }
  const float *z = p->z + at + c, *add = p->add ? p->add + at + c : NULL;
  float *out = p->out + at + c;
  for (int64_t i = 0; i < pixels(n); i++)
    for (int v = 0; v < vecs; v++) {
      const int64_t o = i * n->channels + v * LANES;
      __m512 y = _mm512_fmadd_ps(_mm512_sub_ps(LOAD(z + o), mean[v]), factor[v], bias[v]);
      if (add) y = _mm512_add_ps(y, LOAD(add + o));
      if (p->relu) y = _mm512_max_ps(_mm512_setzero_ps(), y);
      STORE(out + o, y);
    }
}

KERNEL static void apply_task(void *data, int task) {
  const Pass *p = data;
  for (int i = begin(p->norm, task); i < begin(p->norm, task + 1); i++) {
#define BODY(V, C) apply(V, p, image_at(p->norm, i), C)
    OVER_CHANNELS(p->norm->channels, BODY);
#undef BODY
  }
}

bool norm_forward(Team *team, const Norm *n, const float *z, const float *add, bool relu,
                  float *out) {
  if (!norm_statistics(team, n, z)) return false;
  float *factor = team_scratch(1, sizeof(float) * 2 * n->channels);
  if (factor == NULL) return false;
  norm_line(n, factor, factor + n->channels);
  Pass p = {.norm = n, .z = z, .add = add, .factor = factor, .out = out, .relu = relu};
  team_run(team, TASKS, apply_task, &p);
  conv_clear(n->batch, out, pixels(n) * n->channels);
  return true;
}

KERNEL static void pool_task(void *data, int task) {
  const Pass *p = data;
  const Norm *n = p->norm;
  const int out_height = pooled(n->height), out_width = pooled(n->width);
  for (int i = begin(n, task); i < begin(n, task + 1); i++)
    for (int oy = 0; oy < out_height; oy++)
      for (int ox = 0; ox < out_width; ox++) {
        const int64_t o =
            (((int64_t)n->batch->images[i] * out_height + oy) * out_width + ox) * n->channels;
        for (int c = 0; c < n->channels; c += LANES) {
          const __m512 factor = LOAD(p->factor + c), offset = LOAD(p->offset + c);
          __m512 best = _mm512_setzero_ps();
          __m512i which = _mm512_setzero_si512();
          for (int t = 0; t < 9; t++) {
            const int y = 2 * oy + t / 3 - 1, x = 2 * ox + t % 3 - 1;
            if (y < 0 || y >= n->height || x < 0 || x >= n->width) continue;
            const float *z = p->z + image_at(n, i) + ((int64_t)y * n->width + x) * n->channels + c;
            const __m512 value = _mm512_fmadd_ps(LOAD(z), factor, offset);
            /* Not-less-or-equal lets NaN through. */
            const __mmask16 wins = _mm512_cmp_ps_mask(value, best, _CMP_NLE_UQ);
            best = _mm512_mask_mov_ps(best, wins, value);
            which = _mm512_mask_mov_epi32(which, wins, _mm512_set1_epi32(t + 1));
          }
          STORE(p->out + o + c, best);
          if (p->winner_out)
            _mm_storeu_si128((__m128i *)(p->winner_out + o + c), _mm512_cvtepi32_epi8(which));
        }
      }
}

bool pool_forward(Team *team, const Norm *n, const float *factor, const float *offset,
                  const float *z, float *out, uint8_t *winner) {
  Pass p = {
      .norm = n, .z = z, .factor = factor, .offset = offset, .out = out, .winner_out = winner};
  team_run(team, TASKS, pool_task, &p);
  conv_clear(n->batch, out, (int64_t)pooled(n->height) * pooled(n->width) * n->channels);
  return true;
}

/* Sums of an image's cotangent, and of the cotangent times the normalised activations. */
INLINE void sums(const int vecs, const Pass *p, int64_t at, int c, float *first, float *second) {
  const Norm *n = p->norm;
  __m512 mean[4], a[4], b[4];
  for (int v = 0; v < vecs; v++) {
    mean[v] = LOAD(n->mean + c + v * LANES);
    a[v] = b[v] = _mm512_setzero_ps();
  }
  for (int64_t i = 0; i < pixels(n); i++)
    for (int v = 0; v < vecs; v++) {
      const int64_t o = at + c + i * n->channels + v * LANES;
      __m512 d = LOAD(p->cotangent + o);
      if (p->out) {
        d = _mm512_maskz_mov_ps(
            _mm512_cmp_ps_mask(LOAD(p->out + o), _mm512_setzero_ps(), _CMP_GT_OQ), d);
        STORE(p->cotangent + o, d);
      }
      a[v] = _mm512_add_ps(a[v], d);
      b[v] = _mm512_fmadd_ps(d, _mm512_sub_ps(LOAD(p->z + o), mean[v]), b[v]);
    }
  for (int v = 0; v < vecs; v++) {
    STORE(first + v * LANES, a[v]);
    STORE(second + v * LANES, _mm512_mul_ps(b[v], LOAD(p->inverse + c + v * LANES)));
  }
}

KERNEL static void sums_task(void *data, int task) {
  const Pass *p = data;
  const Norm *n = p->norm;
  for (int i = begin(n, task); i < begin(n, task + 1); i++) {
    float *first = p->first + (int64_t)i * n->channels,
          *second = p->second + (int64_t)i * n->channels;
#define BODY(V, C) sums(V, p, image_at(n, i), C, first + C, second + C)
    OVER_CHANNELS(n->channels, BODY);
#undef BODY
  }
}

/* Hands every window's cotangent to the pixel that won, and sums. */
KERNEL static void unpool_task(void *data, int task) {
  const Pass *p = data;
  const Norm *n = p->norm;
  const int out_height = pooled(n->height), out_width = pooled(n->width);
  for (int i = begin(n, task); i < begin(n, task + 1); i++) {
    float *first = p->first + (int64_t)i * n->channels,
          *second = p->second + (int64_t)i * n->channels;
    for (int c = 0; c < n->channels; c += LANES) {
      const __m512 mean = LOAD(n->mean + c);
      __m512 a = _mm512_setzero_ps(), b = a;
      for (int y = 0; y < n->height; y++)
        for (int x = 0; x < n->width; x++) {
          __m512 d = _mm512_setzero_ps();
          for (int oy = y / 2; oy <= (y + 1) / 2 && oy < out_height; oy++)
            for (int ox = x / 2; ox <= (x + 1) / 2 && ox < out_width; ox++) {
              const int which = (y - 2 * oy + 1) * 3 + x - 2 * ox + 2;
              const int64_t o =
                  (((int64_t)n->batch->images[i] * out_height + oy) * out_width + ox) *
                      n->channels +
                  c;
              const __m128i winner = _mm_loadu_si128((const __m128i *)(p->winner + o));
              d = _mm512_mask_add_ps(d, _mm_cmpeq_epi8_mask(winner, _mm_set1_epi8((char)which)), d,
                                     LOAD(p->pooled_cotangent + o));
            }
          const int64_t o = image_at(n, i) + ((int64_t)y * n->width + x) * n->channels + c;
          STORE(p->cotangent + o, d);
          a = _mm512_add_ps(a, d);
          b = _mm512_fmadd_ps(d, _mm512_sub_ps(LOAD(p->z + o), mean), b);
        }
      STORE(first + c, a);
      STORE(second + c, _mm512_mul_ps(b, LOAD(p->inverse + c)));
    }
  }
}

/* `z` gives way to its cotangent; `by_z` is where that goes. */
INLINE void by_input(const int vecs, const Pass *p, float share, int64_t at, int c, float *by_z) {
  const Norm *n = p->norm;
  __m512 mean[4], factor[4], slope[4], level[4];
  for (int v = 0; v < vecs; v++) {
    const int k = c + v * LANES;
    const __m512 inverse = LOAD(p->inverse + k);
    mean[v] = LOAD(n->mean + k);
    factor[v] = _mm512_mul_ps(LOAD(n->scale + k), inverse);
    slope[v] = _mm512_mul_ps(_mm512_mul_ps(inverse, LOAD(p->by_scale + k)), _mm512_set1_ps(share));
    level[v] = _mm512_mul_ps(LOAD(p->by_bias + k), _mm512_set1_ps(share));
  }
  for (int64_t i = 0; i < pixels(n); i++)
    for (int v = 0; v < vecs; v++) {
      const int64_t o = at + c + i * n->channels + v * LANES;
      const __m512 d = _mm512_sub_ps(LOAD(p->cotangent + o), level[v]);
      const __m512 z = _mm512_sub_ps(LOAD(p->z + o), mean[v]);
      STORE(by_z + o, _mm512_mul_ps(factor[v], _mm512_fnmadd_ps(z, slope[v], d)));
    }
}

typedef struct {
  Pass *pass;
  float *by_z;
} Back;

KERNEL static void back_task(void *data, int task) {
  const Back *b = data;
  const Norm *n = b->pass->norm;
  for (int i = begin(n, task); i < begin(n, task + 1); i++) {
    const float share = n->shares[i] / (float)pixels(n);
#define BODY(V, C) by_input(V, b->pass, share, image_at(n, i), C, b->by_z)
    OVER_CHANNELS(n->channels, BODY);
#undef BODY
  }
}

KERNEL static bool backward(Team *team, Pass *p, TeamTask *first_pass, float *by_z) {
  const Norm *n = p->norm;
  if (!with_sums(p)) return false;
  for (int c = 0; c < n->channels; c++) p->inverse[c] = 1.0f / sqrtf(n->variance[c] + EPSILON);
  team_run(team, TASKS, first_pass, p);
  for (int c = 0; c < n->channels; c += LANES) {
    __m512 a = _mm512_setzero_ps(), b = a;
    for (int i = 0; i < n->batch->live; i++) {
      a = _mm512_add_ps(a, LOAD(p->first + (int64_t)i * n->channels + c));
      b = _mm512_add_ps(b, LOAD(p->second + (int64_t)i * n->channels + c));
    }
    STORE(p->by_bias + c, a);
    STORE(p->by_scale + c, b);
  }
  Back back = {p, by_z};
  team_run(team, TASKS, back_task, &back);
  conv_clear(n->batch, by_z, pixels(n) * n->channels);
  return true;
}

bool norm_backward(Team *team, const Norm *n, float *cotangent, const float *out, float *z,
                   float *by_scale, float *by_bias) {
  Pass p = {.norm = n,
            .z = z,
            .cotangent = cotangent,
            .out = (float *)out,
            .by_scale = by_scale,
            .by_bias = by_bias};
  return backward(team, &p, sums_task, z);
}

bool pool_backward(Team *team, const Norm *n, const float *cotangent, const uint8_t *winner,
                   const float *z, float *by_z, float *by_scale, float *by_bias) {
  Pass p = {.norm = n,
            .z = z,
            .cotangent = by_z,
            .pooled_cotangent = cotangent,
            .winner = winner,
            .by_scale = by_scale,
            .by_bias = by_bias};
  return backward(team, &p, unpool_task, by_z);
}
