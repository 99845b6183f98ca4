/* ResNet-18 on channels-last float32 images: forwards, and the gradient of a batch's loss. */
#ifndef LCRJAX_RESNET_H_
#define LCRJAX_RESNET_H_

#include "norm.h"
#include "winograd.h"

enum { UNITS = 20, BLOCKS = 8 };

typedef enum { GRADIENT, STATISTICS, INFERENCE } Mode;

/* A convolution and its normalisation. */
typedef struct {
  Conv conv;
  const float *kernel, *scale, *bias;
  float *by_kernel, *by_scale, *by_bias;
  float *mean, *variance;
  float *z, *out;   /* after the convolution, and after all that follows it */
  Lines lines;      /* in these inference evaluates the kernel once for all images, */
  float *evaluated; /* to here */
} Unit;

typedef struct {
  int first, second, shortcut; /* units; -1: the block's input itself */
} Residual;

/* Maps of blocks in inference, which take turns with two results. */
typedef struct {
  float *inner, *around, *results[2];
} Maps;

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
  float *pool, *last, *pooled_mean, *logits;
  float *middle; /* in inference: the map between the first blocks and the others, and */
  Maps deep;     /* the others' */
  uint8_t *winner;
  float *cotangents[2], *inner; /* three maps of the largest size */
  float *stem_cotangent;
} ResNet;

/* Maps are taken from an arena; one without memory only counts. */
typedef struct {
  float *memory;
  int64_t used;
} Arena;

static inline float *take(Arena *arena, int64_t floats) {
  float *found = arena->memory ? arena->memory + arena->used : NULL;
  arena->used += (floats + LANES - 1) / LANES * LANES;
  return found;
}

static inline int64_t map_size(const Conv *c) {
  return (int64_t)c->out_height * c->out_width * c->c_out;
}

/* Lays out the network and, unless `memory` is NULL, the maps that a call needs. Returns how many
   floats these take. */
int64_t resnet_plan(ResNet *net, Mode mode, int batch, int height, int width, int channels,
                    int base, int stem, int n_classes, float *memory);

/* `pixels` -> net->logits, and the units' statistics unless these are given (INFERENCE). */
bool resnet_forward(Team *team, ResNet *net, const float *pixels);

/* The same in INFERENCE mode, up to net->last; inference_plan takes the maps that it needs. */
void inference_plan(ResNet *net, int batch, Arena *arena);
bool inference_forward(Team *team, ResNet *net, const float *pixels);

/* After resnet_forward in GRADIENT mode: the cotangent of net->logits, in their place, -> all
   derivatives by parameters. */
bool resnet_backward(Team *team, ResNet *net, const float *pixels);

#endif
