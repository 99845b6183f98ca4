/* Similarities of images of bytes, from exact squared distances.

   A panel holds COLUMNS images, a dword (four pixels) of each side by side, as vpdpbusd takes its
   unsigned factor, and a dword of zeros; a group ROWS images less 128, its signed factor, on lines
   of LINE dwords (see tile.h):
   |x - y|^2 = |x|^2 + (|y|^2 - 256 sum y) - 2 (x - 128).y, modulo 2^32, which holds any distance of
   up to 66,051 pixels. Dwords that are zero in all images of the panel or all of the group add
   nothing, if their y is left out of the sum of y, and are left out: of pictures on a black ground,
   sorted, that is two fifths of all products. */
#include <string.h>

#include "form.h"
#include "sparsity.h"
#include "sums.h"
#include "tile.h"

/* After their dwords, panels and groups have what each image adds to a squared distance, and a bit
   for each dword that is not zero in all images, in sixteens. */
static int64_t dwords(int64_t d) { return (d + 3) / 4; }
static int64_t sixteens(int64_t d) { return (dwords(d) + 15) / 16; }
static int64_t packed_bytes(int64_t d, int64_t stride) {
  return ((dwords(d) + 2) * 4 * stride + 2 * sixteens(d) + 63) / 64 * 64;
}
static int64_t panel_bytes(int64_t d) { return packed_bytes(d, COLUMNS); }
static int64_t group_bytes(int64_t d) { return packed_bytes(d, LINE); }
/* Where they are. */
static int32_t *terms_of(const char *packed, int64_t d, int64_t stride) {
  return (int32_t *)packed + (dwords(d) + 1) * stride;
}
static uint16_t *bits_of(const char *packed, int64_t d, int64_t stride) {
  return (uint16_t *)(terms_of(packed, d, stride) + stride);
}
/* Two lists of dwords, of which sixteen are written at a time, and the bits of a strip. */
static int64_t scratch_bytes(int64_t d) { return (2 * 4 * 16 + 2) * (sixteens(d) + 1); }

/* Dwords of a panel's or a group's images from `first` on, and the bits of those that are not zero;
   an image's term is the sum of its squares, of a panel's less 256 times its sum. */
INLINE void pack(const Elements *e, int64_t first, bool rows, char *out) {
  const int64_t images = rows ? ROWS : COLUMNS, stride = rows ? LINE : COLUMNS;
  const Integers ones = x16_set1_epi8(1), sign = x16_set1_epi8((char)128);
  int64_t d = e->dimension, q = dwords(d);
  uint32_t *to = (uint32_t *)out, *terms = (uint32_t *)terms_of(out, d, stride);
  uint16_t *there = bits_of(out, d, stride);
  const uint8_t *x[COLUMNS];
  Integers sum[COLUMNS], products[COLUMNS]; /* of pixels; of pixels and themselves less 128 */
  for (int64_t i = 0; i < images; i++) {
    x[i] = first + i < e->n ? (const uint8_t *)e->data + e->order[first + i] * d : NULL;
    sum[i] = products[i] = x16_setzero_si512();
  }
  for (int64_t block = 0; block < sixteens(d); block++, to += 16 * stride) {
    __mmask64 here = d - 64 * block >= 64 ? ~0ULL : (1ULL << (d - 64 * block)) - 1;
    Integers any = x16_setzero_si512();
    for (int64_t part = 0; part < images; part += 16) {
      Integers four[16];
      for (int i = 0; i < 16; i++) {
        Integers pixels = x16_setzero_si512();
        if (part + i < images && x[part + i]) {
          pixels = x16_maskz_loadu_epi8(here, x[part + i] + 64 * block);
          any = x16_or_si512(any, pixels);
          sum[part + i] = x16_dpbusd_epi32(sum[part + i], pixels, ones);
          products[part + i] =
              x16_dpbusd_epi32(products[part + i], pixels, x16_xor_si512(pixels, sign));
        }
        four[i] = pixels;
      }
      if (rows) lcrjax_lay_rows(four, to, q - 16 * block);
      else transpose_into(four, to + part, stride, stride - part, q - 16 * block);
    }
    there[block] = x16_test_epi32_mask(any, any);
  }
  memset((uint32_t *)out + q * stride, 0, sizeof(uint32_t) * (size_t)stride);
  for (int64_t i = 0; i < images; i++) {
    uint32_t total = (uint32_t)x16_reduce_add_epi32(sum[i]);
    terms[i] = (uint32_t)x16_reduce_add_epi32(products[i]) + (rows ? 128 : -128u) * total;
  }
}

KERNEL static void pack_panel(const Elements *e, int64_t panel, char *out) {
  pack(e, panel * COLUMNS, false, out);
}

KERNEL static void pack_group(const Elements *e, int64_t first, char *out) {
  pack(e, first, true, out);
}

/* Lists the dwords (64 times their numbers) that panel and groups have, and those that the panel
   has alone; writes the numbers of each. */
KERNEL static void meet(const uint16_t *panel, const uint16_t *groups, int64_t blocks,
                        int32_t *both, int32_t *alone, int64_t count[2]) {
  const Integers step = x16_set1_epi32(1024);
  Integers dword =
      x16_slli_epi32(x16_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), 6);
  const int32_t *firsts[2] = {both, alone};
  for (int64_t i = 0; i < blocks; i++, dword = x16_add_epi32(dword, step)) {
    uint32_t a = panel[i] & groups[i], b = panel[i] & ~(uint32_t)groups[i];
    x16_storeu_si512(both, x16_maskz_compress_epi32((__mmask16)a, dword));
    x16_storeu_si512(alone, x16_maskz_compress_epi32((__mmask16)b, dword));
    both += __builtin_popcount(a);
    alone += __builtin_popcount(b);
  }
  count[0] = both - firsts[0];
  count[1] = alone - firsts[1];
}

/* out[r][j] = sum over the listed dwords of u[j] s[r], as they are packed. */
KERNEL static void product(const char *u, const char *s, const int32_t *list, int64_t pairs,
                           int32_t *out) {
  LCRJAX_TILE_OF_BYTES(u, s, list, pairs, out);
}

/* The panel's terms, plus 256 times the sums of the pixels in the listed dwords. */
KERNEL static void terms_without(const char *panel, const int32_t *terms, const int32_t *list,
                                 int64_t count, int32_t *out) {
  const Integers ones = x16_set1_epi8(1);
  Integers sum[2] = {x16_setzero_si512(), x16_setzero_si512()};
  for (int64_t i = 0; i < count; i++)
    for (int v = 0; v < 2; v++)
      sum[v] = x16_dpbusd_epi32(sum[v], x16_load_si512(panel + 2 * list[i] + 64 * v), ones);
  for (int v = 0; v < 2; v++)
    x16_store_si512(out + 16 * v,
                    x16_add_epi32(x16_load_si512(terms + 16 * v), x16_slli_epi32(sum[v], 8)));
}

INLINE Floats distances(const int32_t *product, Integers sums) {
  Integers twice = x16_slli_epi32(x16_load_si512(product), 1);
  return x16_cvtepu32_ps(x16_sub_epi32(sums, twice));
}

INLINE void similarities(Form form, float rate, const int32_t *products, const int32_t *rows,
                         const int32_t *columns, float *z) {
  Integers t0 = x16_load_si512(columns), t1 = x16_load_si512(columns + 16);
  Floats exponent = x16_set1_ps(rate * -1.44269504088896341f);
  Floats positive = x16_set1_ps(rate), slope;
  for (int r = 0; r < ROWS; r++, products += COLUMNS, z += COLUMNS) {
    Integers row = x16_set1_epi32(rows[r]);
    Floats d0 = distances(products, x16_add_epi32(t0, row));
    Floats d1 = distances(products + 16, x16_add_epi32(t1, row));
    x16_store_ps(z, lcrjax_similarity(form, d0, exponent, positive, &slope));
    x16_store_ps(z + 16, lcrjax_similarity(form, d1, exponent, positive, &slope));
  }
}

KERNEL static void tile(const Problem *p, const int32_t *products, const int32_t *rows,
                        const int32_t *columns, float *z) {
  switch (p->form) {
    case EXPONENTIAL: similarities(EXPONENTIAL, p->rate, products, rows, columns, z); break;
    case GAUSSIAN: similarities(GAUSSIAN, p->rate, products, rows, columns, z); break;
    case MATERN32: similarities(MATERN32, p->rate, products, rows, columns, z); break;
    case MATERN52: similarities(MATERN52, p->rate, products, rows, columns, z); break;
    case COSINE:
    case LINEAR: break; /* of floats alone */
  }
}

/* One list serves all groups: what is zero in one is nearly always zero in its neighbours. */
KERNEL static void strip(const Problem *p, const Groups *groups, int n, int64_t first_row,
                         int64_t panel, char *scratch, float *z) {
  (void)first_row;
  int64_t d = p->columns.dimension, blocks = sixteens(d), count[2];
  const char *packed = p->columns.panels + panel * panel_bytes(d);
  int32_t products[ROWS * COLUMNS] __attribute__((aligned(64)));
  int32_t columns[COLUMNS] __attribute__((aligned(64)));
  int32_t *both = (int32_t *)scratch, *alone = both + 16 * (blocks + 1);
  uint16_t *there = (uint16_t *)(alone + 16 * (blocks + 1));
  memset(there, 0, sizeof(uint16_t) * (size_t)blocks);
  for (int i = 0; i < n; i++) {
    const uint16_t *own = bits_of(groups->first + i * groups->stride, d, LINE);
    for (int64_t k = 0; k < blocks; k++) there[k] |= own[k];
  }
  meet(bits_of(packed, d, COLUMNS), there, blocks, both, alone, count);
  both[count[0]] = (int32_t)(64 * dwords(d)); /* makes their number even */
  terms_without(packed, terms_of(packed, d, COLUMNS), alone, count[1], columns);
  const char *ahead = groups->ahead;
  for (int i = 0; i < n; i++) {
    ahead = lcrjax_fetch(ahead, groups->share / 2);
    const char *group = groups->first + i * groups->stride;
    product(packed, group, both, (count[0] + 1) / 2, products);
    ahead = lcrjax_fetch(ahead, groups->share / 2);
    tile(p, products, terms_of(group, d, LINE), columns, z + i * ROWS * COLUMNS);
  }
}

const Kind lcrjax_bytes = {
    .component_bytes = 1,
    .panel_bytes = panel_bytes,
    .group_bytes = group_bytes,
    .pack_panel = pack_panel,
    .pack_group = pack_group,
    .scratch_bytes = scratch_bytes,
    .strip = strip,
    .axis_floats = lcrjax_sparsity_floats,
    .axis = lcrjax_sparsity_axis,
    .along = lcrjax_sparsity_along,
};
