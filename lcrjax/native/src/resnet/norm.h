/* Batch normalisation of channels-last maps with what surrounds it: addition, ReLU, max-pool, and
   the derivative of it all. Sums go image by image, in one order. */
#ifndef LCRJAX_NORM_H_
#define LCRJAX_NORM_H_

#include "conv.h"

typedef struct {
  int height, width, channels;
  const Batch *batch;
  const float *shares; /* weights of the images that count; they add up to 1 */
  const float *scale, *bias;
  float *mean, *variance;
} Norm;

/* Windows of 3x3, 2 pixels apart, one pixel of padding. */
static inline int pooled(int length) { return (length - 1) / 2 + 1; }

/* factor * x + offset is what the statistics make of x. */
void norm_line(const Norm *norm, float *factor, float *offset);

/* Finds mean and variance of z, then out = normalised z, plus `add` (or NULL), its positive part
   if `relu`. out may be z. */
bool norm_forward(Team *team, const Norm *norm, const float *z, const float *add, bool relu,
                  float *out);

/* From the cotangent of `out`: that of z, in its place, and of scale and bias. `out` is NULL where
   there was no ReLU; else the cotangent is cut to where it is positive, in place too: that of
   `add`. */
bool norm_backward(Team *team, const Norm *norm, float *cotangent, const float *out, float *z,
                   float *by_scale, float *by_bias);

/* The largest in each window of max(factor * z + offset, 0), and which of the nine it was (1 to
   9; 0: none is positive), unless `winner` is NULL. */
bool pool_forward(Team *team, const Norm *norm, const float *factor, const float *offset,
                  const float *z, float *out, uint8_t *winner);

/* Finds mean and variance only. */
bool norm_statistics(Team *team, const Norm *norm, const float *z);

/* The derivative of statistics, normalisation and pool; the cotangent of z goes to by_z. */
bool pool_backward(Team *team, const Norm *norm, const float *cotangent, const uint8_t *winner,
                   const float *z, float *by_z, float *by_scale, float *by_bias);

#endif
