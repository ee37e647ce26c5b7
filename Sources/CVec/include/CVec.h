// SPDX-License-Identifier: Apache-2.0

// Vector operations that Swift's SIMD types lack or compile to calls of functions; work space;
// processor features; and the flushing of denormals.
//
// `cvec` has the width of the instruction set that the importing module is compiled for. Each
// kernel module gets its own inlined copy, so the modules share no symbol.

#ifndef CVEC_H
#define CVEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__AVX512F__)
#define CVEC_WIDTH 16
#elif defined(__AVX2__)
#define CVEC_WIDTH 8
#else
#define CVEC_WIDTH 4
#endif

typedef float cvec __attribute__((ext_vector_type(CVEC_WIDTH)));
typedef int32_t cvec_bits __attribute__((ext_vector_type(CVEC_WIDTH)));

#define CVEC_INLINE static inline __attribute__((always_inline))
#define CVEC_PURE CVEC_INLINE __attribute__((const))

// MARK: Arithmetic

/// sum + a b, fused if the instruction set can do it; otherwise a fused product would be a call of
/// fmaf for each lane. Swift's own `addingProduct` works lane by lane, and the compiler does not
/// always vectorise it.
CVEC_PURE cvec cvec_multiply_add(cvec sum, cvec a, cvec b) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_elementwise_fma(a, b, sum);
#else
  return sum + a * b;
#endif
}

// MARK: Selection. Comparisons with NaN are false, so the last argument is chosen for NaN.

CVEC_PURE cvec cvec_select(cvec_bits mask, cvec yes, cvec no) {
  return (cvec)((mask & (cvec_bits)yes) | (~mask & (cvec_bits)no));
}

/// The smaller of the two; NaN if `x` is NaN.
CVEC_PURE cvec cvec_min(cvec limit, cvec x) { return cvec_select(limit < x, limit, x); }

/// The larger of the two; NaN if `x` is NaN.
CVEC_PURE cvec cvec_max(cvec limit, cvec x) { return cvec_select(limit > x, limit, x); }

/// `yes` in lanes with x > 0, `no` in the others.
CVEC_PURE cvec cvec_if_positive(cvec x, cvec yes, cvec no) {
  return cvec_select(x > (cvec)0, yes, no);
}

// MARK: Bits of a float

/// -x. Swift's is 0 - x, which cannot be folded into a fused product.
CVEC_PURE cvec cvec_negate(cvec x) { return -x; }

CVEC_PURE cvec cvec_abs(cvec x) { return __builtin_elementwise_abs(x); }
CVEC_PURE cvec cvec_sqrt(cvec x) { return __builtin_elementwise_sqrt(x); }
CVEC_PURE cvec cvec_copysign(cvec x, cvec sign) {
  return __builtin_elementwise_copysign(x, sign);
}

/// 2^n for a float that holds 1.5·2²³ + n, -127 < n < 128.
CVEC_PURE cvec cvec_power_of_two(cvec rounded) {
  return (cvec)(((cvec_bits)rounded << 23) + 0x3F800000);
}

/// 1/x within 5.1 % for a normal x: the bits of x, taken from a constant.
CVEC_PURE cvec cvec_reciprocal_guess(cvec x) { return (cvec)(0x7EF31200 - (cvec_bits)x); }

// MARK: Sums

/// The sum of all lanes, by repeatedly adding the two halves.
CVEC_PURE float cvec_sum(cvec x) {
#if CVEC_WIDTH == 16
  __attribute__((ext_vector_type(8))) float half = x.lo + x.hi;
  __attribute__((ext_vector_type(4))) float four = half.lo + half.hi;
#elif CVEC_WIDTH == 8
  __attribute__((ext_vector_type(4))) float four = x.lo + x.hi;
#else
  cvec four = x;
#endif
  return (four.x + four.z) + (four.y + four.w);
}

// MARK: Memory

#if defined(__AVX512F__)
/// One bit for each of the first `count` lanes.
CVEC_INLINE uint16_t cvec_first(long count) {
  return count <= 0 ? 0 : count >= 16 ? 0xFFFF : (uint16_t)((1u << count) - 1);
}
#elif defined(__AVX2__)
/// All bits of each of the first `count` lanes.
CVEC_INLINE cvec_bits cvec_first(long count) {
  const cvec_bits lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  int32_t limit = count <= 0 ? 0 : count >= 8 ? 8 : (int32_t)count;
  return lanes < (cvec_bits)limit;
}
#endif

/// The first `count` numbers at `p`, zeros in the other lanes. Reads nothing else.
CVEC_INLINE cvec cvec_load_first(const float *p, long count) {
#if defined(__AVX512F__)
  return __builtin_ia32_loadups512_mask((const void *)p, (cvec)0, cvec_first(count));
#elif defined(__AVX2__)
  return __builtin_ia32_maskloadps256((const void *)p, cvec_first(count));
#else
  cvec x = 0;
  for (long lane = 0; lane < CVEC_WIDTH; lane++) {
    if (lane < count) { x[lane] = p[lane]; }
  }
  return x;
#endif
}

/// Writes the first `count` lanes to `p` and nothing else.
CVEC_INLINE void cvec_store_first(float *p, cvec x, long count) {
#if defined(__AVX512F__)
  __builtin_ia32_storeups512_mask((void *)p, x, cvec_first(count));
#elif defined(__AVX2__)
  __builtin_ia32_maskstoreps256((void *)p, cvec_first(count), x);
#else
  for (long lane = 0; lane < CVEC_WIDTH; lane++) {
    if (lane < count) { p[lane] = x[lane]; }
  }
#endif
}

/// Transposes four rows of four numbers. Strides are the floats from one row to the next.
CVEC_INLINE void cvec_transpose_four(
    const float *from, long from_stride, float *to, long to_stride) {
  typedef float four __attribute__((ext_vector_type(4)));
  typedef float unaligned __attribute__((ext_vector_type(4), aligned(4)));
  four a = *(const unaligned *)from;
  four b = *(const unaligned *)(from + from_stride);
  four c = *(const unaligned *)(from + 2 * from_stride);
  four d = *(const unaligned *)(from + 3 * from_stride);
  four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  four cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  *(unaligned *)to = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  *(unaligned *)(to + to_stride) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  ab = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  cd = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  *(unaligned *)(to + 2 * to_stride) = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  *(unaligned *)(to + 3 * to_stride) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
}

/// Prefetches the cache line at `p` into the second-level cache.
CVEC_INLINE void cvec_prefetch(const void *p) { __builtin_prefetch(p, 0, 2); }

/// Writes to `p`, bypassing the caches. `p` is aligned to the size of a vector.
CVEC_INLINE void cvec_stream(float *p, cvec x) { __builtin_nontemporal_store(x, (cvec *)p); }

/// Makes what `cvec_stream` wrote visible to other threads before any later write.
CVEC_INLINE void cvec_stream_fence(void) {
#if defined(__x86_64__)
  __builtin_ia32_sfence();
#endif
}

/// Prefetches the cache line at `p` for writing.
CVEC_INLINE void cvec_prefetch_write(const void *p) { __builtin_prefetch(p, 1, 3); }

// MARK: Work space. These are the only functions here that are not inlined. They use no vectors.

/// Returns memory of at least `bytes`, aligned to a huge page, with unspecified content; NULL if
/// there is none. `capacity` receives the value that `cvec_return_memory` needs.
///
/// Returned memory is kept for the next call. Fresh pages would cost more than the kernels'
/// packing, up to a tenth of a second for a large layer.
void *cvec_borrow_memory(size_t bytes, size_t *capacity);
void cvec_return_memory(void *memory, size_t capacity);

// MARK: The processor

/// Reads a counter that runs at a constant rate. Reading it takes a few cycles.
static inline uint64_t cvec_ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t ticks;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return 0;
#endif
}

/// Whether the processor can run code compiled for x86-64-v3 (AVX2 and FMA).
static inline bool cvec_processor_has_avx2(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("f16c") && __builtin_cpu_supports("lzcnt") &&
         __builtin_cpu_supports("movbe");
#else
  return false;
#endif
}

/// Whether the processor can run code compiled for x86-64-v4 (AVX-512 F, BW, CD, DQ, VL).
static inline bool cvec_processor_has_avx512(void) {
#if defined(__x86_64__)
  return cvec_processor_has_avx2() && __builtin_cpu_supports("avx512f") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

/// Makes the calling thread treat denormal operands and results as zero.
///
/// Gradients that vanish over hundreds of steps become denormal, and on most processors each
/// operation on one costs a hundred cycles.
static inline void cvec_flush_denormals(void) {
#if defined(__x86_64__)
  // MXCSR: bit 15 flushes results to zero, bit 6 treats denormal operands as zero.
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040u);
#elif defined(__aarch64__)
  uint64_t control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  __asm__ volatile("msr fpcr, %0" : : "r"(control | (1ull << 24)));  // FZ
#endif
}

#endif
