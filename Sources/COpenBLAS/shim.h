#ifndef TRIPTYCH_COPENBLAS_SHIM_H
#define TRIPTYCH_COPENBLAS_SHIM_H
#include <cblas.h>
#endif
