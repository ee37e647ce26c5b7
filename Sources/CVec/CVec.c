// SPDX-License-Identifier: Apache-2.0

#include "CVec.h"

#include <pthread.h>
#include <stdlib.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

// Unused blocks, at most one for each of this many threads that compute at the same time.
enum { spare_count = 64 };
static struct {
  void *memory;
  size_t bytes;
} spare[spare_count];
static pthread_mutex_t spare_lock = PTHREAD_MUTEX_INITIALIZER;

static const size_t huge_page = (size_t)1 << 21;

static void *allocate(size_t bytes) {
  void *memory = NULL;
  if (posix_memalign(&memory, huge_page, bytes) != 0) return NULL;
#if defined(__linux__)
  // Weights and gate gradients are read with strides that exhaust the translations of small pages.
  madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void *cvec_borrow_memory(size_t bytes, size_t *capacity) {
  void *memory = NULL;
  size_t found = 0;
  pthread_mutex_lock(&spare_lock);
  int largest = -1;
  for (int i = 0; i < spare_count; i++) {
    if (spare[i].memory && (largest < 0 || spare[i].bytes > spare[largest].bytes)) largest = i;
  }
  if (largest >= 0) {
    memory = spare[largest].memory;
    found = spare[largest].bytes;
    spare[largest].memory = NULL;
  }
  pthread_mutex_unlock(&spare_lock);
  if (memory && found < bytes) {
    free(memory);
    memory = NULL;
  }
  if (!memory) {
    found = (bytes + huge_page - 1) / huge_page * huge_page;
    memory = allocate(found);
  }
  *capacity = found;
  return memory;
}

void cvec_return_memory(void *memory, size_t capacity) {
  pthread_mutex_lock(&spare_lock);
  for (int i = 0; i < spare_count; i++) {
    if (spare[i].memory) continue;
    spare[i].memory = memory;
    spare[i].bytes = capacity;
    memory = NULL;
    break;
  }
  pthread_mutex_unlock(&spare_lock);
  free(memory);
}
