/* Similarities of images of bytes, from exact squared distances.

   A panel holds COLUMNS images, four pixels of each side by side (a quad), as vpdpbusd takes its
   unsigned factor; a group ROWS images less 128, its signed factor:
   |x - y|^2 = |x|^2 + (|y|^2 - 256 sum y) - 2 (x - 128).y, modulo 2^32, which holds any distance of
   up to 66,051 pixels. Quads that are zero in all images of a panel add nothing and are left out of
   it: of pictures on a black ground, sorted, that is a quarter of all products. */
#include <string.h>

#include "profile.h"
#include "tile.h"

/* A panel: the quads that are there, their places in a group (distances in bytes) and their number,
   and what each column adds to a squared distance. */
static int64_t quads(int64_t d) { return (d + 3) / 4; }
static int64_t terms_at(int64_t d) { return (quads(d) * 4 * (COLUMNS + 1) + 4 + 63) / 64 * 64; }
static int64_t panel_bytes(int64_t d) { return terms_at(d) + 4 * COLUMNS; }
static int64_t group_bytes(int64_t d) { return (quads(d) * 4 + 4) * ROWS; }

static int32_t *places(char *panel, int64_t d) { return (int32_t *)(panel + quads(d) * 4 * COLUMNS); }

static const uint8_t *image(const Elements *e, int64_t place) {
  return place < e->n ? (const uint8_t *)e->data + e->order[place] * e->dimension : NULL;
}

static inline uint32_t quad(const uint8_t *x, int64_t k, int64_t d) {
  uint32_t four = 0;
  if (4 * k + 4 <= d)
    memcpy(&four, x + 4 * k, 4);
  else
    memcpy(&four, x + 4 * k, (size_t)(d - 4 * k));
  return four;
}

VNNI512 static void pack_panel(const Elements *e, int64_t panel, char *out) {
  int64_t d = e->dimension, q = quads(d);
  uint32_t *to = (uint32_t *)out, *term = (uint32_t *)(out + terms_at(d));
  int32_t *place = places(out, d), count = 0;
  const uint8_t *x[COLUMNS];
  for (int64_t j = 0; j < COLUMNS; j++) {
    x[j] = image(e, panel * COLUMNS + j);
    uint32_t squares = 0, sum = 0;
    for (int64_t k = 0; x[j] && k < d; k++) squares += (uint32_t)x[j][k] * x[j][k], sum += x[j][k];
    term[j] = squares - 256 * sum;
  }
  for (int64_t k = 0; k < q; k++) {
    uint32_t any = 0;
    for (int64_t j = 0; j < COLUMNS; j++) any |= to[j] = x[j] ? quad(x[j], k, d) : 0;
    if (!any) continue;
    place[count++] = (int32_t)(4 * ROWS * k);
    to += COLUMNS;
  }
  place[q] = count;
}

VNNI512 static void pack_group(const Elements *e, int64_t first, char *out) {
  int64_t d = e->dimension, q = quads(d);
  uint32_t *to = (uint32_t *)out, *term = to + q * ROWS;
  for (int64_t i = 0; i < ROWS; i++) {
    const uint8_t *x = image(e, first + i);
    uint32_t squares = 0;
    for (int64_t k = 0; k < q; k++) to[k * ROWS + i] = x ? quad(x, k, d) ^ 0x80808080u : 0;
    for (int64_t k = 0; x && k < d; k++) squares += (uint32_t)x[k] * x[k];
    term[i] = squares;
  }
}

/* out[r][j] = sum over `count` quads of u[j] s[r], as they are packed. */
VNNI512 static void product(const char *u, const char *s, const int32_t *place, int64_t count,
                            int32_t *out) {
  LCRJAX_TILE(LCRJAX_BYTES, LCRJAX_STORE, u, s, place, count, out);
}

INLINE __m512 distances(const int32_t *product, __m512i sums) {
  __m512i twice = _mm512_slli_epi32(_mm512_load_si512(product), 1);
  return _mm512_cvtepu32_ps(_mm512_sub_epi32(sums, twice));
}

INLINE void similarities(Profile profile, float rate, const int32_t *products, const int32_t *rows,
                         const int32_t *columns, float *z) {
  __m512i t0 = _mm512_load_si512(columns), t1 = _mm512_load_si512(columns + 16);
  __m512 exponent = _mm512_set1_ps(rate * -1.44269504088896341f), slope = _mm512_set1_ps(rate);
  for (int r = 0; r < ROWS; r++, products += COLUMNS, z += COLUMNS) {
    __m512i row = _mm512_set1_epi32(rows[r]);
    __m512 d0 = distances(products, _mm512_add_epi32(t0, row));
    __m512 d1 = distances(products + 16, _mm512_add_epi32(t1, row));
    _mm512_store_ps(z, lcrjax_similarity(profile, d0, exponent, slope));
    _mm512_store_ps(z + 16, lcrjax_similarity(profile, d1, exponent, slope));
  }
}

VNNI512 static void tile(const Problem *p, const char *group, int64_t first_row, int64_t panel,
                         float *z) {
  (void)first_row;
  int64_t d = p->columns.dimension, q = quads(d);
  const int32_t *rows = (const int32_t *)group + q * ROWS;
  int32_t products[ROWS * COLUMNS] __attribute__((aligned(64)));
  char *packed = p->columns.panels + panel * panel_bytes(d);
  const int32_t *place = places(packed, d), *columns = (const int32_t *)(packed + terms_at(d));
  product(packed, group, place, place[q], products);
  switch (p->profile) {
    case EXPONENTIAL: similarities(EXPONENTIAL, p->rate, products, rows, columns, z); break;
    case GAUSSIAN: similarities(GAUSSIAN, p->rate, products, rows, columns, z); break;
    case MATERN32: similarities(MATERN32, p->rate, products, rows, columns, z); break;
    case MATERN52: similarities(MATERN52, p->rate, products, rows, columns, z); break;
  }
}

/* Images with as many quads that are not zero lie together: more are empty in whole panels. */
VNNI512 static uint32_t rank(const void *element, int64_t d) {
  const uint8_t *x = element;
  uint32_t full = 0;
  for (int64_t k = 0; k < d; k += 64) {
    __mmask64 left = d - k >= 64 ? ~0ULL : (1ULL << (d - k)) - 1;
    __m512i pixels = _mm512_maskz_loadu_epi8(left, x + k);
    full += (uint32_t)__builtin_popcount(_mm512_test_epi32_mask(pixels, pixels));
  }
  return full;
}

const Kind lcrjax_bytes = {1, panel_bytes, group_bytes, pack_panel, pack_group, tile, rank};
