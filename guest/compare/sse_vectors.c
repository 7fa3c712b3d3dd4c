/* SSE to SSE4.2 by intrinsics: integer and floating vectors, shuffles, comparisons, CRC, string compare. */
// build: -msse4.2 -mpopcnt
#include "show.h"
#include <nmmintrin.h>

static void words(const char *what, __m128i v)
{
    uint32_t w[4];
    _mm_storeu_si128((__m128i *)w, v);
    printf("%s %08x %08x %08x %08x\n", what, w[0], w[1], w[2], w[3]);
}

static void floats(const char *what, __m128 v)
{
    float f[4];
    _mm_storeu_ps(f, v);
    printf("%s %a %a %a %a\n", what, f[0], f[1], f[2], f[3]);
}

int main(void)
{
    volatile uint32_t seed = 0x12345678;
    __m128i a = _mm_set_epi32(seed, seed * 3, ~seed, seed ^ 0xff00ff), b = _mm_set_epi32(7, -5, 0x7fff8000, 0x80007fff);
    words("add8", _mm_add_epi8(a, b));
    words("adds16", _mm_adds_epi16(a, b));
    words("subs unsigned 8", _mm_subs_epu8(a, b));
    words("mullo16", _mm_mullo_epi16(a, b));
    words("mulhi16", _mm_mulhi_epi16(a, b));
    words("madd", _mm_madd_epi16(a, b));
    words("mul32", _mm_mul_epu32(a, b));
    words("sad", _mm_sad_epu8(a, b));
    words("avg", _mm_avg_epu8(a, b));
    words("compare", _mm_cmpgt_epi32(a, b));
    words("pack", _mm_packs_epi32(a, b));
    words("packus", _mm_packus_epi16(a, b));
    words("unpack", _mm_unpacklo_epi8(a, b));
    words("shuffle", _mm_shuffle_epi32(a, 0x1b));
    words("shift left", _mm_slli_epi64(a, 13));
    words("shift right arithmetic", _mm_srai_epi32(a, 5));
    words("shift bytes", _mm_srli_si128(a, 5));
    words("andnot", _mm_andnot_si128(a, b));
    words("pshufb (SSSE3)", _mm_shuffle_epi8(a, b));
    words("palignr", _mm_alignr_epi8(a, b, 7));
    words("abs", _mm_abs_epi32(b));
    words("hadd", _mm_hadd_epi16(a, b));
    words("maddubs", _mm_maddubs_epi16(a, b));
    words("mulhrs", _mm_mulhrs_epi16(a, b));
    words("min32 (SSE4.1)", _mm_min_epi32(a, b));
    words("mullo32", _mm_mullo_epi32(a, b));
    words("blend", _mm_blendv_epi8(a, b, _mm_cmplt_epi8(a, b)));
    words("widen", _mm_cvtepi8_epi32(a));
    words("minpos", _mm_minpos_epu16(a));
    words("mpsadbw", _mm_mpsadbw_epu8(a, b, 5));
    words("compare64 (SSE4.2)", _mm_cmpgt_epi64(a, b));
    printf("movemask %x crc %x %x popcnt %d\n", _mm_movemask_epi8(a), _mm_crc32_u8(seed, 0x5a),
           (unsigned)_mm_crc32_u64(seed, 0x0123456789abcdef), _mm_popcnt_u32(seed));
    char letters[16] = ",.;";
    __m128i text = _mm_loadu_si128((const __m128i *)"some text, 16 by");
    __m128i set = _mm_loadu_si128((const __m128i *)letters);
    printf("string compare %d %d\n", _mm_cmpistri(set, text, _SIDD_CMP_EQUAL_ANY),
           _mm_cmpestri(text, 4, text, 16, _SIDD_CMP_EQUAL_ORDERED));

    volatile float one = 1;
    __m128 x = _mm_set_ps(one / 3, -2.5f, 1e20f, one * 7), y = _mm_set_ps(3, one / 7, -1e-20f, 2);
    floats("add", _mm_add_ps(x, y));
    floats("mul", _mm_mul_ps(x, y));
    floats("div", _mm_div_ps(x, y));
    floats("sqrt", _mm_sqrt_ps(_mm_and_ps(x, _mm_castsi128_ps(_mm_set1_epi32(0x7fffffff)))));
    floats("min", _mm_min_ps(x, y));
    floats("shuffle", _mm_shuffle_ps(x, y, 0x4e));
    floats("hadd", _mm_hadd_ps(x, y));
    floats("round", _mm_round_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC));
    floats("dot", _mm_dp_ps(x, y, 0xf1));
    words("to int", _mm_cvtps_epi32(y));
    words("truncated", _mm_cvttps_epi32(_mm_set_ps(2.7f, -2.7f, 1e10f, one)));
    printf("to double %a, compare %d %d\n", _mm_cvtsd_f64(_mm_cvtps_pd(x)),
           _mm_movemask_ps(_mm_cmplt_ps(x, y)), _mm_comilt_ss(x, y));
    __m128d d = _mm_set_pd(one / 3.0, 2);
    printf("%a %a\n", _mm_cvtsd_f64(_mm_sqrt_sd(d, d)), _mm_cvtsd_f64(_mm_unpackhi_pd(_mm_addsub_pd(d, d), d)));
}
