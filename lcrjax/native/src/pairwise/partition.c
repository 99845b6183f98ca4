/* A partition of blocks into parts by work, and where the sums of each part lie. */
#include "partition.h"

#include "common/room.h"

enum { PART_BYTES = 128 << 20 }; /* of the sums of all parts, if fewer parts help */

static int64_t end_of(int64_t end_block, int64_t block, int64_t places) {
  return end_block * block < places ? end_block * block : places;
}

/* Panels that a block meets, in units of a block. */
static int64_t work(const Problem *p, int64_t number, int64_t block) {
  if (p->split) return number * block > p->split;
  return p->symmetric ? number : 1;
}

/* The longest blocks first, alone; the others in parts that become shorter: a `share`-th of what is
   left. */
static void lay_out(const Problem *p, int64_t blocks, int64_t block, int64_t share,
                    Partition *out) {
  int64_t left = 0, to = blocks;
  for (int64_t b = 1; b <= blocks; b++) left += work(p, b, block);
  out->count = 0;
  out->blocks[0] = blocks;
  while (to > 0) {
    int64_t aim = left / share, took = 0, from = to;
    do took += work(p, from, block);
    while (--from > 0 && took + work(p, from, block) <= aim);
    out->blocks[++out->count] = to = from;
    left -= took;
  }
}

/* Finds where each part's sums begin, and how many there are. */
static int64_t place_sums(const Problem *p, const Used *group, int64_t block, int64_t places,
                          Partition *out) {
  int64_t size = 0, groups = block / ROWS;
  for (int64_t part = 0; part < out->count; part++) {
    int64_t *begins = out->begins + part * p->k;
    for (int64_t c = 0; c < p->k; c++) begins[c] = -1;
    int64_t end = end_of(out->blocks[part], block, places);
    int32_t from = group->start[out->blocks[part + 1] * groups], to = group->start[end / ROWS];
    for (int32_t i = from; i < to; i++)
      if (begins[group->used[i]] < 0) {
        begins[group->used[i]] = size;
        size += end;
      }
  }
  return size;
}

bool lcrjax_partition(const Problem *p, const Used *group, int64_t block, int64_t places,
                      Partition *out) {
  int64_t blocks = (places + block - 1) / block, size = 0;
  out->blocks = lcrjax_grab((int64_t)sizeof(int64_t) * (blocks + 1));
  out->begins = lcrjax_grab((int64_t)sizeof(int64_t) * blocks * p->k);
  if (out->blocks == NULL || out->begins == NULL) return false;
  for (int64_t share = 16; share > 0; share /= 2) {
    lay_out(p, blocks, block, share, out);
    if (!p->symmetric) return true;
    size = place_sums(p, group, block, places, out);
    if (size * (int64_t)sizeof(double) <= PART_BYTES) break;
  }
  out->sums = lcrjax_zeros((int64_t)sizeof(double) * size);
  return out->sums != NULL;
}

void lcrjax_add_parts(const Partition *partition, int64_t block, int64_t places, int64_t k,
                      int64_t c, int64_t first, int64_t n, double *sum) {
  for (int64_t part = 0; part < partition->count; part++) {
    int64_t begin = partition->begins[part * k + c],
            left = end_of(partition->blocks[part], block, places) - first;
    if (begin < 0) continue;
    const double *from = partition->sums + begin + first;
    for (int64_t i = 0; i < n && i < left; i++) sum[i] += from[i];
  }
}
