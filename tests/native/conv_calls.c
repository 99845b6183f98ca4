/* A convolution by itself, for tests. */
#include <stdlib.h>

#include "resnet/conv.h"

typedef enum { FORWARD, BY_IMAGES, BY_KERNEL } Part;

/* Operands: images or, for BY_IMAGES, cotangents; kernel or, for BY_KERNEL, cotangents; weights,
   zero for images that do not count; and, if FORWARD's results are to be finished, factors,
   offsets and maps to add, before the positive part. */
LCRJAX_EXPORT XLA_FFI_Error *lcrjax_conv(XLA_FFI_CallFrame *frame) {
  LCRJAX_METADATA(frame);
  const Part part = (Part)lcrjax_int_attribute(frame, "part", FORWARD);
  const bool alone = lcrjax_int_attribute(frame, "alone", 0) != 0;
  const XLA_FFI_Buffer *a = lcrjax_operand(frame, 0), *b = lcrjax_operand(frame, 1);
  const XLA_FFI_Buffer *weights = lcrjax_operand(frame, 2), *to = lcrjax_result(frame, 0);
  const int64_t *images = (part == BY_IMAGES ? to : a)->dims;
  const int64_t *outs = (part == FORWARD ? to : part == BY_IMAGES ? a : b)->dims;
  const Conv conv = {(int)images[1],
                     (int)images[2],
                     (int)images[3],
                     (int)outs[1],
                     (int)outs[2],
                     (int)outs[3],
                     (int)lcrjax_int_attribute(frame, "size", 3),
                     (int)lcrjax_int_attribute(frame, "stride", 1),
                     (int)lcrjax_int_attribute(frame, "padding", 1)};
  Batch batch = {.batch = (int)images[0]};
  int *live = malloc(sizeof(int) * batch.batch);
  batch.images = live;
  for (int i = 0; live != NULL && i < batch.batch; i++)
    if (((const float *)weights->data)[i] != 0) live[batch.live++] = i;
  Ending ending = {0};
  if (frame->args.size > 3)
    ending = (Ending){lcrjax_operand(frame, 3)->data, lcrjax_operand(frame, 4)->data,
                      lcrjax_operand(frame, 5)->data, true};
  Team *team = live == NULL ? NULL : team_gather(alone ? NULL : frame);
  bool sound = team != NULL;
  if (sound && part == FORWARD)
    sound = conv_forward(team, &conv, &batch, a->data, b->data, ending, to->data);
  if (sound && part == BY_IMAGES)
    sound = conv_by_images(team, &conv, &batch, a->data, b->data, ending, to->data);
  if (sound && part == BY_KERNEL)
    sound = conv_by_kernel(team, &conv, &batch, a->data, b->data, to->data);
  if (team != NULL) team_dismiss(team);
  free(live);
  return sound ? NULL : lcrjax_error(frame, "no memory is left for a convolution");
}
