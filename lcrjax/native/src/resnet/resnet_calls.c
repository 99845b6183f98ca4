/* What XLA and Python call of the network, and the loss. */
#include <math.h>
#include <stdlib.h>

#include "resnet.h"

enum { PARAMETERS = 3 * UNITS + 2 };

LCRJAX_EXPORT int64_t lcrjax_resnet_floats(int mode, int batch, int height, int width, int channels,
                                           int base, int stem, int n_classes) {
  ResNet net = {0};
  return resnet_plan(&net, (Mode)mode, batch, height, width, channels, base, stem, n_classes, NULL);
}

/* The images whose weight is not zero, and their shares of the sum of weights. */
static bool find_live(const float *weights, Batch *batch, float **shares) {
  int *images = malloc(sizeof(int) * batch->batch);
  *shares = malloc(sizeof(float) * batch->batch);
  batch->images = images;
  if (images == NULL || *shares == NULL) return false;
  float total = 0;
  for (int i = 0; i < batch->batch; i++)
    if (weights[i] != 0) {
      (*shares)[batch->live] = weights[i];
      images[batch->live++] = i;
      total += weights[i];
    }
  for (int j = 0; j < batch->live; j++) (*shares)[j] /= total;
  return true;
}

static float *floats(const XLA_FFI_Buffer *buffer) { return buffer->data; }

/* Whether a unit's kernel, scale and bias are its own, or their derivatives. */
static bool fit_unit(const Conv *c, XLA_FFI_Buffer *const *three) {
  const int64_t taps =
      (int64_t)conv_taps(c->height, c->out_height, c->size, c->stride, c->padding).live *
      conv_taps(c->width, c->out_width, c->size, c->stride, c->padding).live;
  return LCRJAX_IS(three[0], F32, taps, c->c_in, c->c_out) && LCRJAX_IS(three[1], F32, c->c_out) &&
         LCRJAX_IS(three[2], F32, c->c_out);
}

/* Whether parameters are those of a network, or their derivatives. */
static bool fit_parameters(const ResNet *net, void *const *given) {
  XLA_FFI_Buffer *const *at = (XLA_FFI_Buffer *const *)given;
  for (int i = 0; i < UNITS; i++)
    if (!fit_unit(&net->units[i].conv, at + 3 * i)) return false;
  return LCRJAX_IS(at[PARAMETERS - 2], F32, net->units[UNITS - 1].conv.c_out, net->n_classes) &&
         LCRJAX_IS(at[PARAMETERS - 1], F32, net->n_classes);
}

/* Whether the labels of images that count are classes. */
static bool fit_labels(const int32_t *labels, const float *weights, int64_t batch, int n_classes) {
  for (int64_t i = 0; i < batch; i++)
    if (weights[i] != 0 && (labels[i] < 0 || labels[i] >= n_classes)) return false;
  return true;
}

/* Whether all buffers are those of one network; before its parameters come `first` operands, the
   weights of images last. */
static bool fit(XLA_FFI_CallFrame *frame, Mode mode, int first) {
  const int statistics = mode == GRADIENT ? 0 : 2 * UNITS;
  const int given = mode == INFERENCE ? statistics : 0;
  const int results = mode == GRADIENT ? 2 + PARAMETERS : 1 + statistics - given;
  if (frame->args.size != first + PARAMETERS + given || frame->rets.size != results + 1)
    return false;
  const XLA_FFI_Buffer *pixels = lcrjax_operand(frame, 0),
                       *weights = lcrjax_operand(frame, first - 1);
  const XLA_FFI_Buffer *stem = lcrjax_operand(frame, first);
  const XLA_FFI_Buffer *bias = lcrjax_operand(frame, first + PARAMETERS - 1);
  const XLA_FFI_Buffer *memory = lcrjax_result(frame, results);
  if (pixels->rank != 4 || stem->rank != 3 || bias->rank != 1 || memory->rank != 1) return false;
  const int64_t *d = pixels->dims, base = stem->dims[2], classes = bias->dims[0];
  const int64_t size = lcrjax_int_attribute(frame, "stem", 3);
  for (int a = 0; a < 4; a++)
    if (d[a] < 1 || d[a] > INT32_MAX) return false;
  if (base < LANES || base % LANES || base > 1 << 16 || classes < 1 || classes > INT32_MAX ||
      size < 1 || size > LARGEST_KERNEL)
    return false;
  ResNet net = {0};
  const int64_t used = resnet_plan(&net, mode, (int)d[0], (int)d[1], (int)d[2], (int)d[3],
                                   (int)base, (int)size, (int)classes, NULL);
  if (!(memory->dims[0] >= used && LCRJAX_IS(memory, F32, memory->dims[0]) &&
        LCRJAX_IS(pixels, F32, d[0], d[1], d[2], d[3]) && LCRJAX_IS(weights, F32, d[0]) &&
        fit_parameters(&net, frame->args.args + first)))
    return false;
  if (mode == GRADIENT) {
    const XLA_FFI_Buffer *labels = lcrjax_operand(frame, 1);
    return LCRJAX_IS(labels, S32, d[0]) &&
           lcrjax_has_shape(lcrjax_result(frame, 0), XLA_FFI_DataType_F32, 0, 0, NULL) &&
           lcrjax_has_shape(lcrjax_result(frame, 1), XLA_FFI_DataType_F32, 0, 0, NULL) &&
           fit_parameters(&net, frame->rets.rets + 2) &&
           fit_labels(labels->data, floats(weights), d[0], net.n_classes);
  }
  for (int i = 0; i < statistics; i++) {
    const XLA_FFI_Buffer *x =
        given ? lcrjax_operand(frame, first + PARAMETERS + i) : lcrjax_result(frame, 1 + i);
    if (!LCRJAX_IS(x, F32, net.units[i / 2].conv.c_out)) return false;
  }
  return LCRJAX_IS(lcrjax_result(frame, 0), F32, d[0], classes);
}

/* Reads shapes and parameters; `first` is the first parameter's operand. */
static bool read(XLA_FFI_CallFrame *frame, ResNet *net, Mode mode, int weights, int first,
                 float **shares) {
  const XLA_FFI_Buffer *pixels = lcrjax_operand(frame, 0);
  const XLA_FFI_Buffer *stem = lcrjax_operand(frame, first);
  const XLA_FFI_Buffer *bias = lcrjax_operand(frame, first + PARAMETERS - 1);
  const XLA_FFI_Buffer *memory = lcrjax_result(frame, (int)frame->rets.size - 1);
  const int64_t *d = pixels->dims;
  resnet_plan(net, mode, (int)d[0], (int)d[1], (int)d[2], (int)d[3], (int)stem->dims[2],
              (int)lcrjax_int_attribute(frame, "stem", 3), (int)bias->dims[0], floats(memory));
  net->batch.batch = (int)d[0];
  if (!find_live(floats(lcrjax_operand(frame, weights)), &net->batch, shares)) return false;
  net->shares = *shares;
  for (int i = 0; i < UNITS; i++) {
    Unit *u = &net->units[i];
    u->kernel = floats(lcrjax_operand(frame, first + 3 * i));
    u->scale = floats(lcrjax_operand(frame, first + 3 * i + 1));
    u->bias = floats(lcrjax_operand(frame, first + 3 * i + 2));
  }
  net->weight = floats(lcrjax_operand(frame, first + PARAMETERS - 2));
  net->bias = floats(bias);
  return true;
}

static void release(ResNet *net, float *shares) {
  free((int *)net->batch.images);
  free(shares);
}

static const char *const NO_ROOM = "no memory is left for the network's maps";

LCRJAX_EXPORT XLA_FFI_Error *lcrjax_resnet_forward(XLA_FFI_CallFrame *frame) {
  LCRJAX_METADATA(frame);
  const bool inference = frame->args.size > 2 + PARAMETERS; /* statistics are given */
  const Mode mode = inference ? INFERENCE : STATISTICS;
  if (!fit(frame, mode, 2)) return lcrjax_error(frame, LCRJAX_UNFIT);
  ResNet net = {0};
  float *shares = NULL;
  Outcome outcome = DONE;
  bool sound = read(frame, &net, mode, 1, 2, &shares);
  if (sound) {
    net.logits = floats(lcrjax_result(frame, 0));
    for (int i = 0; i < UNITS; i++)
      for (int k = 0; k < 2; k++) {
        float *to = floats(inference ? lcrjax_operand(frame, 2 + PARAMETERS + 2 * i + k)
                                     : lcrjax_result(frame, 1 + 2 * i + k));
        *(k ? &net.units[i].variance : &net.units[i].mean) = to;
      }
    Team *team = team_gather(frame);
    sound = team != NULL && resnet_forward(team, &net, floats(lcrjax_operand(frame, 0)));
    if (team != NULL) outcome = team_dismiss(team);
  }
  release(&net, shares);
  return lcrjax_ended(frame, sound ? outcome : NO_MEMORY, NO_ROOM);
}

/* Mean cross-entropy of the batch, the weight of the images classified correctly; the logits give
   way to their cotangents. */
static void loss(ResNet *net, const int32_t *labels, const float *weights, float *mean,
                 float *right) {
  *mean = *right = 0;
  for (int j = 0; j < net->batch.live; j++) {
    const int i = net->batch.images[j];
    float *logits = net->logits + (int64_t)i * net->n_classes;
    int best = 0;
    for (int k = 1; k < net->n_classes; k++)
      if (logits[k] > logits[best]) best = k;
    const float largest = logits[best], own = logits[labels[i]];
    float sum = 0;
    for (int k = 0; k < net->n_classes; k++) sum += expf(logits[k] - largest);
    *mean += net->shares[j] * (logf(sum) + largest - own);
    if (best == labels[i]) *right += weights[i];
    for (int k = 0; k < net->n_classes; k++)
      logits[k] = net->shares[j] * (expf(logits[k] - largest) / sum - (k == labels[i]));
  }
}

LCRJAX_EXPORT XLA_FFI_Error *lcrjax_resnet_gradient(XLA_FFI_CallFrame *frame) {
  LCRJAX_METADATA(frame);
  if (!fit(frame, GRADIENT, 3)) return lcrjax_error(frame, LCRJAX_UNFIT);
  ResNet net = {0};
  float *shares = NULL, *statistics = NULL;
  Outcome outcome = DONE;
  bool sound = read(frame, &net, GRADIENT, 2, 3, &shares);
  if (sound) {
    int64_t channels = 0;
    for (int i = 0; i < UNITS; i++) channels += net.units[i].conv.c_out;
    statistics = malloc(sizeof(float) * 2 * channels);
    sound = statistics != NULL;
  }
  if (sound) {
    float *next = statistics;
    for (int i = 0; i < UNITS; i++) {
      Unit *u = &net.units[i];
      u->mean = next;
      u->variance = next + u->conv.c_out;
      next += 2 * u->conv.c_out;
      u->by_kernel = floats(lcrjax_result(frame, 2 + 3 * i));
      u->by_scale = floats(lcrjax_result(frame, 2 + 3 * i + 1));
      u->by_bias = floats(lcrjax_result(frame, 2 + 3 * i + 2));
    }
    net.by_weight = floats(lcrjax_result(frame, 2 + PARAMETERS - 2));
    net.by_bias = floats(lcrjax_result(frame, 2 + PARAMETERS - 1));
    const float *pixels = floats(lcrjax_operand(frame, 0));
    Team *team = team_gather(frame);
    sound = team != NULL && resnet_forward(team, &net, pixels);
    if (sound) {
      loss(&net, lcrjax_operand(frame, 1)->data, floats(lcrjax_operand(frame, 2)),
           floats(lcrjax_result(frame, 0)), floats(lcrjax_result(frame, 1)));
      sound = resnet_backward(team, &net, pixels);
    }
    if (team != NULL) outcome = team_dismiss(team);
  }
  free(statistics);
  release(&net, shares);
  return lcrjax_ended(frame, sound ? outcome : NO_MEMORY, NO_ROOM);
}
