/* The points from which squares of vectors are taken. */
#ifndef LCRJAX_CENTRE_H_
#define LCRJAX_CENTRE_H_

#include "sums.h"

/* The mean of rows spread evenly, near which all have small squares: (d,), to be freed. NULL if
   memory runs out. */
float *lcrjax_centre(const float *rows, int64_t n, int64_t d);

/* The centre of the rows, and where many of them lie close together, the centres of such clusters,
   which vectors that are spread evenly over the rows find. False if memory runs out;
   lcrjax_centres_free() frees what is in it. */
bool lcrjax_centres(const Elements *rows, const float *centre, Centres *out);
void lcrjax_centres_free(Centres *centres);

/* |x - y|^2, its sum in doubles. */
double lcrjax_squared(const float *x, const float *y, int64_t d);

#endif
