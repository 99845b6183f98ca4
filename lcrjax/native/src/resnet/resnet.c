/* The layers of ResNet-18, their maps in memory, and the way forwards and backwards. */
#include "resnet.h"

#include <string.h>

static int out_length(int length, int size, int stride, int padding) {
  return (length + 2 * padding - size) / stride + 1;
}

static Conv make_conv(int height, int width, int c_in, int c_out, int size, int stride) {
  const int padding = size / 2;
  const int out_height = out_length(height, size, stride, padding);
  const int out_width = out_length(width, size, stride, padding);
  return (Conv){height, width, c_in, out_height, out_width, c_out, size, stride, padding};
}

static void lay_out(ResNet *net, int height, int width, int channels, int base, int stem) {
  int unit = 0, block = 0;
  net->units[unit++].conv = make_conv(height, width, channels, base, stem, stem == 3 ? 1 : 2);
  height = pooled(net->units[0].conv.out_height);
  width = pooled(net->units[0].conv.out_width);
  for (int stage = 0, c_in = base; stage < 4; stage++)
    for (int position = 0; position < 2; position++) {
      const int c_out = base << stage, stride = stage && !position ? 2 : 1;
      Residual *b = &net->blocks[block++];
      *b = (Residual){unit, unit + 1, stride == 2 ? unit + 2 : -1};
      net->units[unit++].conv = make_conv(height, width, c_in, c_out, 3, stride);
      const Conv first = net->units[b->first].conv;
      net->units[unit++].conv = make_conv(first.out_height, first.out_width, c_out, c_out, 3, 1);
      if (b->shortcut >= 0) net->units[unit++].conv = make_conv(height, width, c_in, c_out, 1, 2);
      height = first.out_height;
      width = first.out_width;
      c_in = c_out;
    }
}

int64_t resnet_plan(ResNet *net, Mode mode, int batch, int height, int width, int channels,
                    int base, int stem, int n_classes, float *memory) {
  lay_out(net, height, width, channels, base, stem);
  net->mode = mode;
  net->n_classes = n_classes;
  Arena arena = {memory, 0};
  Unit *u = net->units;
  const Conv *stem_conv = &u[0].conv;
  const int64_t pool_size =
      (int64_t)pooled(stem_conv->out_height) * pooled(stem_conv->out_width) * base;
  int64_t largest = pool_size;
  for (int i = 1; i < UNITS; i++)
    if (map_size(&u[i].conv) > largest) largest = map_size(&u[i].conv);
  if (mode != INFERENCE) u[0].z = take(&arena, batch * map_size(stem_conv));
  if (mode != INFERENCE) net->pool = take(&arena, batch * pool_size);
  if (mode == GRADIENT) {
    net->winner = (uint8_t *)take(&arena, (batch * pool_size + 3) / 4);
    net->stem_cotangent = take(&arena, batch * map_size(stem_conv));
    for (int i = 0; i < 2; i++) net->cotangents[i] = take(&arena, batch * largest);
    net->inner = take(&arena, batch * largest);
    for (int i = 1; i < UNITS; i++) {
      u[i].z = take(&arena, batch * map_size(&u[i].conv));
      u[i].out = take(&arena, batch * map_size(&u[i].conv));
    }
  } else if (mode == INFERENCE) {
    inference_plan(net, batch, &arena);
  } else {
    /* Nothing is kept: blocks take turns with two results. */
    float *inner = take(&arena, batch * largest), *around = take(&arena, batch * largest);
    float *results[2] = {take(&arena, batch * largest), take(&arena, batch * largest)};
    for (int b = 0; b < BLOCKS; b++) {
      const Residual *r = &net->blocks[b];
      u[r->first].z = u[r->first].out = inner;
      u[r->second].z = u[r->second].out = results[b % 2];
      if (r->shortcut >= 0) u[r->shortcut].z = u[r->shortcut].out = around;
    }
  }
  net->pooled_mean = take(&arena, (int64_t)batch * u[UNITS - 1].conv.c_out);
  net->logits = take(&arena, (int64_t)batch * n_classes);
  return arena.used;
}

static Norm norm_of(const ResNet *net, const Unit *u) {
  return (Norm){u->conv.out_height, u->conv.out_width, u->conv.c_out, &net->batch, net->shares,
                u->scale,           u->bias,           u->mean,       u->variance};
}

static const Ending PLAIN = {0};

/* Convolution, normalisation, addition and ReLU. */
static bool unit_forward(Team *team, const ResNet *net, const Unit *u, const float *x,
                         const float *add, bool relu) {
  const Norm norm = norm_of(net, u);
  return conv_forward(team, &u->conv, &net->batch, x, u->kernel, PLAIN, u->z) &&
         norm_forward(team, &norm, u->z, add, relu, u->out);
}

static bool stem_forward(Team *team, ResNet *net, const float *pixels) {
  const Unit *u = &net->units[0];
  const Norm norm = norm_of(net, u);
  if (!conv_forward(team, &u->conv, &net->batch, pixels, u->kernel, PLAIN, u->z)) return false;
  if (!norm_statistics(team, &norm, u->z)) return false;
  float *factor = team_scratch(1, sizeof(float) * 2 * norm.channels);
  if (factor == NULL) return false;
  norm_line(&norm, factor, factor + norm.channels);
  return pool_forward(team, &norm, factor, factor + norm.channels, u->z, net->pool, net->winner);
}

static bool blocks_forward(Team *team, ResNet *net, const float *pixels) {
  if (!stem_forward(team, net, pixels)) return false;
  const float *x = net->pool;
  for (int b = 0; b < BLOCKS; b++) {
    const Residual *r = &net->blocks[b];
    const Unit *first = &net->units[r->first], *second = &net->units[r->second];
    const float *around = x;
    if (!unit_forward(team, net, first, x, NULL, true)) return false;
    if (r->shortcut >= 0) {
      const Unit *shortcut = &net->units[r->shortcut];
      if (!unit_forward(team, net, shortcut, x, NULL, false)) return false;
      around = shortcut->out;
    }
    if (!unit_forward(team, net, second, first->out, around, true)) return false;
    x = second->out;
  }
  net->last = net->units[net->blocks[BLOCKS - 1].second].out;
  return true;
}

static void head_task(void *data, int task) {
  const ResNet *net = data;
  const Conv *last = &net->units[net->blocks[BLOCKS - 1].second].conv;
  const int channels = last->c_out, classes = net->n_classes, batch = net->batch.batch;
  const int pixels_out = last->out_height * last->out_width;
  const int from = (int)((int64_t)batch * task / TASKS),
            to = (int)((int64_t)batch * (task + 1) / TASKS);
  for (int i = from; i < to; i++) {
    const float *x = net->last + (int64_t)i * pixels_out * channels;
    float *mean = net->pooled_mean + (int64_t)i * channels,
          *logits = net->logits + (int64_t)i * classes;
    memset(mean, 0, sizeof(float) * channels);
    for (int p = 0; p < pixels_out; p++)
      for (int c = 0; c < channels; c++) mean[c] += x[(int64_t)p * channels + c];
    memcpy(logits, net->bias, sizeof(float) * classes);
    for (int c = 0; c < channels; c++) {
      mean[c] /= (float)pixels_out;
      for (int k = 0; k < classes; k++)
        logits[k] += mean[c] * net->weight[(int64_t)c * classes + k];
    }
  }
}

bool resnet_forward(Team *team, ResNet *net, const float *pixels) {
  if (!(net->mode == INFERENCE ? inference_forward : blocks_forward)(team, net, pixels))
    return false;
  team_run(team, TASKS, head_task, net);
  return true;
}

/* The last layer; returns with the cotangent of the last map in cotangents[0]. */
static void head_backward(ResNet *net) {
  const Conv *last = &net->units[net->blocks[BLOCKS - 1].second].conv;
  const int channels = last->c_out, classes = net->n_classes;
  const int pixels_out = last->out_height * last->out_width;
  memset(net->by_weight, 0, sizeof(float) * channels * classes);
  memset(net->by_bias, 0, sizeof(float) * classes);
  for (int j = 0; j < net->batch.live; j++) {
    const int i = net->batch.images[j];
    const float *mean = net->pooled_mean + (int64_t)i * channels,
                *d = net->logits + (int64_t)i * classes;
    float *to = net->cotangents[0] + (int64_t)i * pixels_out * channels;
    for (int k = 0; k < classes; k++) net->by_bias[k] += d[k];
    for (int c = 0; c < channels; c++) {
      float sum = 0;
      for (int k = 0; k < classes; k++) {
        net->by_weight[(int64_t)c * classes + k] += mean[c] * d[k];
        sum += net->weight[(int64_t)c * classes + k] * d[k];
      }
      for (int p = 0; p < pixels_out; p++) to[(int64_t)p * channels + c] = sum / (float)pixels_out;
    }
  }
}

/* From the cotangent of a unit's result: that of its parameters, and of z in its place. */
static bool unit_backward(Team *team, const ResNet *net, const Unit *u, float *cotangent, bool relu,
                          const float *x) {
  const Norm norm = norm_of(net, u);
  return norm_backward(team, &norm, cotangent, relu ? u->out : NULL, u->z, u->by_scale,
                       u->by_bias) &&
         conv_by_kernel(team, &u->conv, &net->batch, x, u->z, u->by_kernel);
}

static bool by_images(Team *team, const ResNet *net, const Unit *u, const float *add, float *to) {
  const Ending ending = {.add = add};
  return conv_by_images(team, &u->conv, &net->batch, u->z, u->kernel, ending, to);
}

bool resnet_backward(Team *team, ResNet *net, const float *pixels) {
  head_backward(net);
  float *cotangent = net->cotangents[0], *other = net->cotangents[1];
  for (int b = BLOCKS - 1; b >= 0; b--) {
    const Residual *r = &net->blocks[b];
    const Unit *first = &net->units[r->first], *second = &net->units[r->second];
    const float *x = b ? net->units[net->blocks[b - 1].second].out : net->pool;
    if (!unit_backward(team, net, second, cotangent, true, first->out) ||
        !by_images(team, net, second, NULL, net->inner) ||
        !unit_backward(team, net, first, net->inner, true, x))
      return false;
    /* `cotangent` is now that of the sum: of what goes around, too. */
    if (r->shortcut >= 0) {
      const Unit *shortcut = &net->units[r->shortcut];
      if (!unit_backward(team, net, shortcut, cotangent, false, x) ||
          !by_images(team, net, shortcut, NULL, other))
        return false;
      float *swap = cotangent;
      cotangent = other;
      other = swap;
    }
    if (!by_images(team, net, first, cotangent, cotangent)) return false;
  }
  const Unit *stem = &net->units[0];
  const Norm norm = norm_of(net, stem);
  return pool_backward(team, &norm, cotangent, net->winner, stem->z, net->stem_cotangent,
                       stem->by_scale, stem->by_bias) &&
         conv_by_kernel(team, &stem->conv, &net->batch, pixels, net->stem_cotangent,
                        stem->by_kernel);
}
