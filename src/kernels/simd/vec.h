// One float vector per instruction set. Included only by the .inc files, which are compiled once per set: everything
// here has internal linkage, and nothing of std:: is used, so that no inline function compiled for a newer set can be
// linked in place of the baseline's.
#pragma once

#include <stdint.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define PD_INLINE inline __attribute__((always_inline))
#define PD_RESTRICT __restrict__

namespace pdarts::kernels::PD_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kWidth = 16, kRegisters = 32;
#elif defined(__AVX2__)
constexpr int kWidth = 8, kRegisters = 16;
#else
constexpr int kWidth = 4, kRegisters = 16;
#endif

// A vector may alias its elements' type anyway; with the attribute may_alias it would alias all, and a kernel would
// load the fields of its arguments again after every store.
typedef float Vec __attribute__((vector_size(kWidth * 4)));
typedef float VecUnaligned __attribute__((vector_size(kWidth * 4), aligned(4)));
typedef int32_t VecInt __attribute__((vector_size(kWidth * 4)));

PD_INLINE constexpr int64_t Min(int64_t a, int64_t b) { return a < b ? a : b; }
PD_INLINE constexpr int64_t Max(int64_t a, int64_t b) { return a > b ? a : b; }

PD_INLINE Vec Load(const float* p) { return *reinterpret_cast<const VecUnaligned*>(p); }
PD_INLINE void Store(float* p, Vec v) { *reinterpret_cast<VecUnaligned*>(p) = v; }
// Past the caches: the line at p, a multiple of a vector's size, is neither read before nor kept.
PD_INLINE void Stream(float* p, Vec v) {
#if defined(__AVX512F__)
  _mm512_stream_ps(p, v);
#elif defined(__AVX2__)
  _mm256_stream_ps(p, v);
#elif defined(__SSE2__)
  _mm_stream_ps(p, v);
#else
  Store(p, v);
#endif
}
PD_INLINE Vec Broadcast(float x) { return Vec{} + x; }
// An address that the compiler knows nothing of: else it may keep one of its own for each load of a loop, more than
// there are registers.
template <class T>
PD_INLINE T* Opaque(T* p) {
  asm("" : "+r"(p));
  return p;
}
// Loaded once and kept in a register: else the compiler may make the load a part of every instruction that uses it.
PD_INLINE Vec Kept(Vec v) {
#if defined(__AVX512F__)
  asm("" : "+v"(v));
#elif defined(__x86_64__)
  asm("" : "+x"(v));
#endif
  return v;
}

// For loops over memory: the line 1 KB behind p is asked for, as the hardware's own prefetching begins anew at every
// page and for every source. It may lie behind the tensor's end.
PD_INLINE void ReadAhead(const float* p) { __builtin_prefetch(p + 256, 0, 3); }

// The first n lanes, 0 < n < kWidth; the others read nothing and are zero, or are not written.
#if defined(__AVX512F__)
PD_INLINE Vec LoadFirst(const float* p, int n) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
}
PD_INLINE void StoreFirst(float* p, Vec v, int n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
}
PD_INLINE Vec MultiplyAdd(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
// *p in every lane, without the addition that Broadcast is.
PD_INLINE Vec Everywhere(const float* p) { return _mm512_set1_ps(*p); }
// The larger; a NaN in b wins, so that Floor(NaN) stays NaN.
PD_INLINE Vec Larger(Vec a, Vec b) { return _mm512_max_ps(a, b); }
// a where x > 0, else 0 (also where x is NaN).
PD_INLINE Vec WherePositive(Vec x, Vec a) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), a);
}
#elif defined(__AVX2__)
alignas(32) constexpr int32_t kLaneMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
PD_INLINE __m256i FirstMask(int n) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLaneMask + 8 - n)); }
PD_INLINE Vec LoadFirst(const float* p, int n) { return _mm256_maskload_ps(p, FirstMask(n)); }
PD_INLINE void StoreFirst(float* p, Vec v, int n) { _mm256_maskstore_ps(p, FirstMask(n), v); }
PD_INLINE Vec MultiplyAdd(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
// *p in every lane, without the addition that Broadcast is.
PD_INLINE Vec Everywhere(const float* p) { return _mm256_broadcast_ss(p); }
PD_INLINE Vec Larger(Vec a, Vec b) { return _mm256_max_ps(a, b); }
PD_INLINE Vec WherePositive(Vec x, Vec a) {
  return _mm256_and_ps(_mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ), a);
}
#else
PD_INLINE Vec LoadFirst(const float* p, int n) {
  Vec v{};
  for (int i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
PD_INLINE void StoreFirst(float* p, Vec v, int n) {
  for (int i = 0; i < n; ++i) p[i] = v[i];
}
PD_INLINE Vec MultiplyAdd(Vec a, Vec b, Vec c) { return a * b + c; }
PD_INLINE Vec Everywhere(const float* p) { return Vec{*p, *p, *p, *p}; }
PD_INLINE Vec Larger(Vec a, Vec b) { return a > b ? a : b; }
PD_INLINE Vec WherePositive(Vec x, Vec a) { return x > 0.0f ? a : Vec{}; }
#endif

// sum += a * b, where sum is: the compiler may write over a or b, and then copies what it still needs.
PD_INLINE void Accumulate(Vec& sum, Vec a, Vec b) {
#if defined(__AVX512F__)
  asm("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
#elif defined(__AVX2__)
  asm("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
#else
  sum = MultiplyAdd(a, b, sum);
#endif
}

// One truth value a lane.
#if defined(__AVX512F__)
typedef __mmask16 Mask;
PD_INLINE Mask Greater(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
PD_INLINE Mask EitherNan(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q); }
PD_INLINE Mask Either(Mask a, Mask b) { return static_cast<Mask>(a | b); }
PD_INLINE bool Any(Mask m) { return m != 0; }
// a where the mask is set, else b.
PD_INLINE Vec Choose(Mask m, Vec a, Vec b) { return _mm512_mask_blend_ps(m, b, a); }
PD_INLINE Vec AddWhere(Mask m, Vec sum, Vec x) { return _mm512_mask_add_ps(sum, m, sum, x); }
#else
typedef VecInt Mask;
PD_INLINE Mask Greater(Vec a, Vec b) { return a > b; }
PD_INLINE Mask EitherNan(Vec a, Vec b) {
#if defined(__AVX2__)
  return (Mask)_mm256_cmp_ps(a, b, _CMP_UNORD_Q);
#elif defined(__SSE2__)
  return (Mask)_mm_cmpunord_ps(a, b);
#else
  return (a != a) | (b != b);
#endif
}
PD_INLINE Mask Either(Mask a, Mask b) { return a | b; }
PD_INLINE Vec Choose(Mask m, Vec a, Vec b) { return m ? a : b; }
PD_INLINE Vec AddWhere(Mask m, Vec sum, Vec x) { return sum + (Vec)((VecInt)x & m); }
PD_INLINE bool Any(Mask m) {
#if defined(__AVX2__)
  return _mm256_movemask_ps((__m256)m) != 0;
#elif defined(__SSE2__)
  return _mm_movemask_ps((__m128)m) != 0;
#else
  int32_t any = 0;
  for (int i = 0; i < kWidth; ++i) any |= m[i];
  return any != 0;
#endif
}
#endif

PD_INLINE Mask IsNan(Vec x) { return EitherNan(x, x); }

// x / n for n = 1 to 1000, where |x| > 1e-30 rounded as a division rounds, by products with the inverse as a sum of two
// floats (Brisebarre and Muller), as divisions are slow. With AVX, infinite x become infinite or NaN.
class Divisor {
 public:
#if defined(__AVX2__)
  explicit Divisor(float n) : inverse_(1 / n), rest_(static_cast<float>(1.0 / n - inverse_)) {}
  PD_INLINE Vec Of(Vec x) const { return MultiplyAdd(x, Broadcast(inverse_), x * rest_); }

 private:
  float inverse_, rest_;
#else
  explicit Divisor(float n) : n_(n) {}
  PD_INLINE Vec Of(Vec x) const { return x / n_; }

 private:
  float n_;
#endif
};

// Doubles, half as many a register, read from floats and rounded to floats.
constexpr int kDoubles = kWidth / 2;
typedef double Double __attribute__((vector_size(kWidth * 4)));
typedef double DoubleUnaligned __attribute__((vector_size(kWidth * 4), aligned(8)));
typedef float HalfUnaligned __attribute__((vector_size(kWidth * 2), aligned(4)));

PD_INLINE Double LoadDoubles(const double* p) { return *reinterpret_cast<const DoubleUnaligned*>(p); }
PD_INLINE void StoreDoubles(double* p, Double v) { *reinterpret_cast<DoubleUnaligned*>(p) = v; }
PD_INLINE void StoreRounded(float* p, Double v) {
  *reinterpret_cast<HalfUnaligned*>(p) = __builtin_convertvector(v, HalfUnaligned);
}
// By hand: here GCC 12 converts two halves and puts them together, with five instructions for one.
#if defined(__AVX512F__)
PD_INLINE Double Widen(const float* p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
#elif defined(__AVX2__)
PD_INLINE Double Widen(const float* p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
#else
PD_INLINE Double Widen(const float* p) {
  return __builtin_convertvector(*reinterpret_cast<const HalfUnaligned*>(p), Double);
}
#endif

// a * b + c rounded once, also where MultiplyAdd rounds twice.
PD_INLINE Vec FusedMultiplyAdd(Vec a, Vec b, Vec c) {
#if defined(__AVX2__)
  return MultiplyAdd(a, b, c);
#else
  typedef double Wide __attribute__((vector_size(kWidth * 8)));
  return __builtin_convertvector(
      __builtin_convertvector(a, Wide) * __builtin_convertvector(b, Wide) + __builtin_convertvector(c, Wide), Vec);
#endif
}

// Whole vectors or, where kTail, the first n lanes.
template <bool kTail>
PD_INLINE Vec LoadLanes(const float* p, int n) {
  if constexpr (kTail) return LoadFirst(p, n);
  return Load(p);
}
template <bool kTail>
PD_INLINE void StoreLanes(float* p, Vec v, int n) {
  if constexpr (kTail) {
    StoreFirst(p, v, n);
  } else {
    Store(p, v);
  }
}

}  // namespace
}  // namespace pdarts::kernels::PD_ISA
