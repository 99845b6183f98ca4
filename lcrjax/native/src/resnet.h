/* ResNet-18 on channels-last float32 images: forwards, and the gradient of a batch's loss. */
#ifndef LCRJAX_RESNET_H_
#define LCRJAX_RESNET_H_

#include "norm.h"

enum { UNITS = 20, BLOCKS = 8 };

typedef enum { GRADIENT, STATISTICS, SETTLED } Mode;

/* A convolution and its normalisation. */
typedef struct {
  Conv conv;
  const float *kernel, *scale, *bias;
  float *by_kernel, *by_scale, *by_bias;
  float *mean, *variance;
  float *z, *out; /* after the convolution, and after all that follows it */
} Unit;

typedef struct {
  int first, second, shortcut; /* units; -1: the block's input itself */
} Residual;

/* Units in the order of the operands: the stem; then of every block the first, the second and,
   where there is one, the shortcut. */
typedef struct {
  Mode mode;
  int n_classes;
  Batch batch;
  const float *shares;
  Unit units[UNITS];
  Residual blocks[BLOCKS];
  const float *weight, *bias; /* of the last layer, (channels, classes) and (classes,) */
  float *by_weight, *by_bias;
  float *pool, *pooled_mean, *logits;
  uint8_t *winner;
  float *cotangents[2], *inner; /* three maps of the largest size */
  float *stem_cotangent;
} ResNet;

/* Lays out the network and, unless `memory` is NULL, the maps that a call needs. Returns how many
   floats these take. */
int64_t resnet_plan(ResNet *net, Mode mode, int batch, int height, int width, int channels, int base,
                    int stem, int n_classes, float *memory);

/* `pixels` -> net->logits, and the units' statistics unless these are settled. */
bool resnet_forward(Team *team, ResNet *net, const float *pixels);

/* After resnet_forward in GRADIENT mode: the cotangent of net->logits, in their place, -> all
   derivatives by parameters. */
bool resnet_backward(Team *team, ResNet *net, const float *pixels);

#endif
