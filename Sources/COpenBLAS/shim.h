// SPDX-License-Identifier: Apache-2.0

// CBLAS as OpenBLAS ships it, and the LAPACK routines in the same library.
//
// OpenBLAS exports LAPACK under its Fortran names, which no header of Debian's libopenblas-dev
// declares. The few that are used are declared here. The `size_t` arguments at the end are the
// lengths that Fortran passes for strings.

#ifndef COPENBLAS_SHIM_H
#define COPENBLAS_SHIM_H

#include <stddef.h>
#include <cblas.h>

extern void dgetrf_(const blasint *m, const blasint *n, double *a, const blasint *lda,
                    blasint *ipiv, blasint *info);

extern void dgetrs_(const char *trans, const blasint *n, const blasint *nrhs, const double *a,
                    const blasint *lda, const blasint *ipiv, double *b, const blasint *ldb,
                    blasint *info, size_t trans_length);

extern void dgesdd_(const char *jobz, const blasint *m, const blasint *n, double *a,
                    const blasint *lda, double *s, double *u, const blasint *ldu, double *vt,
                    const blasint *ldvt, double *work, const blasint *lwork, blasint *iwork,
                    blasint *info, size_t jobz_length);

#endif
