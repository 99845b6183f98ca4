/* Inference: given statistics make images independent of each other. In the first blocks maps are
   large and kernels small, so there every thread takes a few images through all layers, and their
   maps stay in its cache; the other blocks go layer by layer over the whole batch. */
#include <stdatomic.h>

#include "resnet.h"

enum {
  SHALLOW = 4, /* blocks that take a few images at a time; fewer still in the first */
  VERY_SHALLOW = 2,
  FEW_BYTES = 256 << 10,  /* of a map, of images that go through the first blocks together, */
  MORE_BYTES = 256 << 10, /* and through the next ones */
  LARGEST_CHUNK = 64      /* images */
};

typedef struct {
  const ResNet *net;
  const float *pixels;
  int chunks, few, more; /* images that go through the first blocks, and the next ones, together */
  atomic_bool starved;
} Shallow;

static const Conv *result_of(const ResNet *net, int block) {
  return &net->units[net->blocks[block].second].conv;
}

/* The largest result of a unit in blocks `from` to `to`. */
static int64_t largest(const ResNet *net, int from, int to) {
  int64_t size = 0;
  for (int b = from; b < to; b++)
    if (map_size(result_of(net, b)) > size) size = map_size(result_of(net, b));
  return size;
}

static int few(int64_t bytes, int64_t map) {
  const int64_t images = bytes / (map * (int64_t)sizeof(float));
  return images < 1 ? 1 : images > LARGEST_CHUNK ? LARGEST_CHUNK : (int)images;
}

static Maps take_maps(Arena *arena, int64_t floats) {
  Maps maps = {take(arena, floats), take(arena, floats), {NULL}};
  for (int i = 0; i < 2; i++) maps.results[i] = take(arena, floats);
  return maps;
}

static Norm norm_of(const Unit *u) {
  return (Norm){.channels = u->conv.c_out,
                .scale = u->scale,
                .bias = u->bias,
                .mean = u->mean,
                .variance = u->variance};
}

/* Convolution, normalisation, addition and ReLU. */
static bool unit(Team *team, const Unit *u, const Batch *batch, const float *x, const float *add,
                 bool relu, float *out) {
  const Norm norm = norm_of(u);
  float *factor = team_scratch(1, sizeof(float) * 2 * norm.channels);
  if (factor == NULL) return false;
  norm_line(&norm, factor, factor + norm.channels);
  const Ending ending = {factor, factor + norm.channels, add, relu};
  if (u->lines)
    return winograd_run(team, u->lines, &u->conv, batch, x, u->kernel, u->evaluated, ending, false,
                        out);
  return conv_forward(team, &u->conv, batch, x, u->kernel, ending, out);
}

/* Blocks `from` to `to`; the last one's result goes to `out`. */
static bool blocks(Team *team, const ResNet *net, const Batch *batch, int from, int to,
                   const float *x, const Maps *maps, float *out) {
  for (int b = from; b < to; b++) {
    const Residual *r = &net->blocks[b];
    float *result = b == to - 1 ? out : maps->results[b % 2];
    const float *around = r->shortcut < 0 ? x : maps->around;
    if (!unit(team, &net->units[r->first], batch, x, NULL, true, maps->inner)) return false;
    if (r->shortcut >= 0 &&
        !unit(team, &net->units[r->shortcut], batch, x, NULL, false, maps->around))
      return false;
    if (!unit(team, &net->units[r->second], batch, maps->inner, around, true, result)) return false;
    x = result;
  }
  return true;
}

void inference_plan(ResNet *net, int batch, Arena *arena) {
  const Batch whole = {.batch = batch};
  for (int b = 0; b < SHALLOW; b++)
    for (int i = net->blocks[b].first; i <= net->blocks[b].second; i++) {
      Unit *u = &net->units[i];
      u->lines = winograd_lines(&u->conv, &whole);
      if (u->lines) u->evaluated = take(arena, winograd_evaluated_floats(u->lines, &u->conv));
    }
  net->middle = take(arena, batch * map_size(result_of(net, SHALLOW - 1)));
  net->deep = take_maps(arena, batch * largest(net, SHALLOW, BLOCKS));
  net->last = net->deep.results[(BLOCKS - 1) % 2];
}

/* Images `from` to `to` of a batch as a batch of their own. */
static Batch part(const Batch *whole, int from, int to, int *images) {
  Batch batch = {.batch = to - from, .images = images};
  for (int j = 0; j < whole->live && whole->images[j] < to; j++)
    if (whole->images[j] >= from) images[batch.live++] = whole->images[j] - from;
  return batch;
}

/* One image's stem and max-pool. */
static bool stem(Team *team, const ResNet *net, const Batch *one, const float *pixels, float *z,
                 float *out) {
  const Unit *u = &net->units[0];
  Norm norm = norm_of(u);
  norm.height = u->conv.out_height;
  norm.width = u->conv.out_width;
  norm.batch = one;
  float *factor = team_scratch(1, sizeof(float) * 2 * norm.channels);
  if (factor == NULL) return false;
  norm_line(&norm, factor, factor + norm.channels);
  return conv_forward(team, &u->conv, one, pixels, u->kernel, (Ending){0}, z) &&
         pool_forward(team, &norm, factor, factor + norm.channels, z, out, NULL);
}

static bool shallow(Team *team, const Shallow *s, int from, int to) {
  const ResNet *net = s->net;
  const Conv *first = &net->units[0].conv;
  const int64_t image = (int64_t)first->height * first->width * first->c_in;
  const int64_t pool = (int64_t)pooled(first->out_height) * pooled(first->out_width) * first->c_out;
  const int64_t between = map_size(result_of(net, VERY_SHALLOW - 1));
  float *z = NULL, *x = NULL, *y = NULL;
  Maps early, late;
  Arena arena = {0};
  for (int pass = 0; pass < 2; pass++) { /* counts, and takes */
    arena.used = 0;
    z = take(&arena, map_size(first));
    x = take(&arena, s->few * pool);
    early = take_maps(&arena, s->few * largest(net, 0, VERY_SHALLOW));
    y = take(&arena, s->more * between);
    late = take_maps(&arena, s->more * largest(net, VERY_SHALLOW, SHALLOW));
    if (pass == 0 && (arena.memory = team_scratch(3, sizeof(float) * arena.used)) == NULL)
      return false;
  }
  int images[LARGEST_CHUNK];
  for (int start = from; start < to; start += s->few) {
    const int stop = start + s->few < to ? start + s->few : to;
    for (int i = start; i < stop; i++) {
      const Batch one = part(&net->batch, i, i + 1, images);
      if (!stem(team, net, &one, s->pixels + i * image, z, x + (i - start) * pool)) return false;
    }
    const Batch batch = part(&net->batch, start, stop, images);
    if (!blocks(team, net, &batch, 0, VERY_SHALLOW, x, &early, y + (start - from) * between))
      return false;
  }
  const Batch batch = part(&net->batch, from, to, images);
  return blocks(team, net, &batch, VERY_SHALLOW, SHALLOW, y, &late,
                net->middle + from * map_size(result_of(net, SHALLOW - 1)));
}

static void shallow_task(void *data, int task) {
  Shallow *s = data;
  const int64_t batch = s->net->batch.batch;
  Team *alone = team_gather(NULL);
  if (alone == NULL ||
      !shallow(alone, s, (int)(batch * task / s->chunks), (int)(batch * (task + 1) / s->chunks)))
    s->starved = true;
  if (alone != NULL) team_dismiss(alone);
}

bool inference_forward(Team *team, ResNet *net, const float *pixels) {
  for (int i = 0; i < UNITS; i++) {
    const Unit *u = &net->units[i];
    if (u->lines) winograd_evaluate(team, u->lines, &u->conv, u->kernel, u->evaluated);
  }
  Shallow s = {.net = net, .pixels = pixels};
  s.few = few(FEW_BYTES, map_size(result_of(net, 0)));
  s.more = few(MORE_BYTES, map_size(result_of(net, SHALLOW - 1)));
  s.chunks = (net->batch.batch + s.more - 1) / s.more;
  team_run(team, s.chunks, shallow_task, &s);
  return !s.starved &&
         blocks(team, net, &net->batch, SHALLOW, BLOCKS, net->middle, &net->deep, net->last);
}
