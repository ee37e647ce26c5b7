// SPDX-License-Identifier: Apache-2.0

// The parts of MPI that Swift cannot import: Open MPI defines its handles and
// sentinels as pointer-cast macros, so each has an accessor here.

#ifndef COPENMPI_SHIM_H
#define COPENMPI_SHIM_H

#include <mpi.h>

// Communicators and error handlers.
static inline MPI_Comm COpenMPI_COMM_WORLD(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm COpenMPI_COMM_SELF(void) { return MPI_COMM_SELF; }
static inline MPI_Comm COpenMPI_COMM_NULL(void) { return MPI_COMM_NULL; }
static inline MPI_Info COpenMPI_INFO_NULL(void) { return MPI_INFO_NULL; }
static inline MPI_Errhandler COpenMPI_ERRORS_RETURN(void) { return MPI_ERRORS_RETURN; }

// Datatypes.
static inline MPI_Datatype COpenMPI_FLOAT(void) { return MPI_FLOAT; }
static inline MPI_Datatype COpenMPI_DOUBLE(void) { return MPI_DOUBLE; }
static inline MPI_Datatype COpenMPI_INT32(void) { return MPI_INT32_T; }
static inline MPI_Datatype COpenMPI_INT64(void) { return MPI_INT64_T; }
static inline MPI_Datatype COpenMPI_UINT8(void) { return MPI_UINT8_T; }
static inline MPI_Datatype COpenMPI_UINT64(void) { return MPI_UINT64_T; }

// Reduction operators.
static inline MPI_Op COpenMPI_SUM(void) { return MPI_SUM; }
static inline MPI_Op COpenMPI_MIN(void) { return MPI_MIN; }
static inline MPI_Op COpenMPI_MAX(void) { return MPI_MAX; }
static inline MPI_Op COpenMPI_BOR(void) { return MPI_BOR; }

// Sentinels.
static inline void *COpenMPI_IN_PLACE(void) { return MPI_IN_PLACE; }
static inline MPI_Status *COpenMPI_STATUS_IGNORE(void) { return MPI_STATUS_IGNORE; }
static inline MPI_Request COpenMPI_REQUEST_NULL(void) { return MPI_REQUEST_NULL; }

#endif
