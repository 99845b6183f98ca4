/* The point from which squares of vectors are taken. */
#ifndef LCRJAX_CENTRE_H_
#define LCRJAX_CENTRE_H_

#include <stdint.h>

/* The mean of rows spread evenly, near which all have small squares: (d,), to be freed. NULL if
   memory runs out. */
float *lcrjax_centre(const float *rows, int64_t n, int64_t d);

#endif
