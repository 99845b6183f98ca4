/* The points from which squares of vectors are taken. */
#include "centre.h"

#include <string.h>

#include "common/room.h"

enum {
  SAMPLE = 1024,
  TRIED = 256,   /* vectors that are tried as centres, one in APART_BY at most */
  APART_BY = 16, /* so that this takes a small part of the time */
  FEWEST = 32,   /* of them; it takes more to find a cluster */
  SHARE = 32,    /* of vectors, one in so many at least make a cluster */
};
/* Squares about a centre of one's own are smaller by this, or it is none. */
static const double NEARER = 0.5;

float *lcrjax_centre(const float *rows, int64_t n, int64_t d) {
  int64_t size = n < SAMPLE ? n : SAMPLE;
  double *sums = lcrjax_zeros((int64_t)sizeof *sums * d);
  float *centre = lcrjax_grab((int64_t)sizeof *centre * d);
  if (sums != NULL && centre != NULL) {
    for (int64_t i = 0; i < size; i++)
      for (int64_t k = 0; k < d; k++) sums[k] += rows[i * n / size * d + k];
    for (int64_t k = 0; k < d; k++) centre[k] = (float)(sums[k] / (double)size);
  } else {
    lcrjax_release(centre);
    centre = NULL;
  }
  lcrjax_release(sums);
  return centre;
}

KERNEL double lcrjax_squared(const float *x, const float *y, int64_t d) {
  Doubles low = x8_setzero_pd(), high = x8_setzero_pd();
  for (int64_t k = 0; k < d; k += 16) {
    __mmask16 here = d - k >= 16 ? 0xFFFF : (__mmask16)((1u << (d - k)) - 1);
    Floats gap = x16_sub_ps(x16_maskz_loadu_ps(here, x + k), x16_maskz_loadu_ps(here, y + k));
    gap = x16_mul_ps(gap, gap);
    low = x8_add_pd(low, x8_cvtps_pd(x16_low_ps(gap)));
    high = x8_add_pd(high, x8_cvtps_pd(x16_high_ps(gap)));
  }
  return x8_reduce_add_pd(x8_add_pd(low, high));
}

/* Which of the vectors that are tried lie near which, far nearer than to the centre of all:
   (size, size), bytes. */
static void find_near(const float *const *tried, int64_t size, const float *centre, int64_t d,
                      bool *near) {
  double within[TRIED];
  for (int64_t i = 0; i < size; i++) within[i] = NEARER * lcrjax_squared(tried[i], centre, d);
  for (int64_t i = 0; i < size; i++)
    for (int64_t j = 0; j <= i; j++) {
      double squared = lcrjax_squared(tried[i], tried[j], d);
      near[i * size + j] = squared <= within[j];
      near[j * size + i] = squared <= within[i];
    }
}

/* The mean of the vectors that are listed near, which then count no more. */
static void settle(const float *const *tried, int64_t size, const bool *near, bool *done, int64_t d,
                   double *sums, float *out) {
  double count = 0;
  memset(sums, 0, sizeof *sums * (size_t)d);
  for (int64_t i = 0; i < size; i++) {
    if (done[i] || !near[i]) continue;
    done[i] = true;
    count++;
    for (int64_t k = 0; k < d; k++) sums[k] += tried[i][k];
  }
  for (int64_t k = 0; k < d; k++) out[k] = (float)(sums[k] / count);
}

bool lcrjax_centres(const Elements *rows, const float *centre, Centres *out) {
  int64_t n = rows->n, d = rows->dimension;
  int64_t size = n / APART_BY < TRIED ? n / APART_BY : TRIED;
  *out = (Centres){.count = 1, .points = lcrjax_grab((int64_t)sizeof(float) * CENTRES * d)};
  bool *near = lcrjax_grab(size * size), done[TRIED] = {false};
  double *sums = lcrjax_grab((int64_t)sizeof *sums * d);
  bool room = out->points != NULL && near != NULL && sums != NULL;
  if (room) memcpy(out->points, centre, sizeof *centre * (size_t)d);
  if (room && size >= FEWEST) {
    const float *tried[TRIED];
    for (int64_t i = 0; i < size; i++) tried[i] = (const float *)rows->data + i * n / size * d;
    find_near(tried, size, centre, d, near);
    while (out->count < CENTRES) {
      int64_t most = 0, best = 0;
      for (int64_t i = 0; i < size; i++) {
        int64_t count = 0;
        for (int64_t j = 0; j < size; j++) count += near[i * size + j] && !done[j];
        if (count > most) most = count, best = i;
      }
      if (most < 4 || most * SHARE < size) break;
      settle(tried, size, near + best * size, done, d, sums, out->points + out->count++ * d);
    }
  }
  for (int64_t i = 0; room && i < out->count; i++)
    for (int64_t j = 0; j < out->count; j++)
      out->apart[i][j] = (float)lcrjax_squared(out->points + i * d, out->points + j * d, d);
  lcrjax_release(near);
  lcrjax_release(sums);
  if (!room) {
    lcrjax_release(out->points);
    out->points = NULL;
  }
  return room;
}

void lcrjax_centres_free(Centres *centres) { lcrjax_release(centres->points); }
