/* seed: see seed.h for what it does and how to call it.
 *
 * Made by symgru 0.1.0 from templates/c/unrolled.c.j2; options: --unrolled --steps 4.
 * Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
 * 0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
 */
#include "seed.h"

#include <float.h>
#include <stdint.h>

#ifdef __FAST_MATH__
#error "seed.c needs IEEE arithmetic as written: compile it without -ffast-math"
#endif
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "seed.c needs float arithmetic rounded to float: on x86 compile it with -msse2 -mfpmath=sse"
#endif
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* a*b + c is rounded twice on every target; gcc does so under -std=c99 */
#endif

/* A float's 32 bits, and the float that has them. */
typedef union {
    float value;
    uint32_t bits;
} seed_word;

static uint32_t seed_bits(float a)
{
    const seed_word word = {.value = a};
    return word.bits;
}

static float seed_float(uint32_t u)
{
    const seed_word word = {.bits = u};
    return word.value;
}

/* sigma(a), at most 1.8 ulp and 9e-08 off: 1 / (1 + e^-a), both sides times c = 2^-64 */
static float seed_sigma(float a)
{
    const float low = a < -104.0f ? -104.0f : a;
    const float x = low > 20.0f ? 20.0f : low;
    const float m = x * -1.442695f + 12582975.0f;
    const float n = m - 12582975.0f;
    const float r = n * -0.69314575f - x - n * 1.4286068e-06f;
    const float s = r * r;
    const float q2 = 0.0013818359f * s + (0.008368716f * r + 0.041668296f);
    const float q1 = q2 * s + (0.16666521f * r + 0.49999994f);
    const float p = q1 * s + r;
    const float k = seed_float(seed_bits(m) << 23);
    const float u = k + 5.421011e-20f;
    const float lost = 5.421011e-20f - (u - k);
    return 5.421011e-20f / (u + (k * p + lost));
}

/* tanh(a), at most 1.4 ulp and 8.1e-08 off: a + a^3 P(a^2); beyond 0.55 1 - 2 / (e^2|a| + 1) */
static float seed_tanh(float a)
{
    const float size = seed_float(seed_bits(a) & 0x7fffffffu);
    const float t = size > 10.0f ? 10.0f : size;
    const float v = t * t;
    const float vv = v * v;
    const float u2 = -0.006246141f * vv + (0.02105254f * v - 0.053847857f);
    const float u1 = u2 * vv + (0.13332546f * v - 0.33333316f);
    const float inner = u1 * (v * t) + t;
    const float x = t + t;
    const float m = x * 1.442695f + 12583039.0f;
    const float n = m - 12583039.0f;
    const float r = x - n * 0.69314575f - n * 1.4286068e-06f;
    const float s = r * r;
    const float q2 = 0.0013818359f * s + (0.008368716f * r + 0.041668296f);
    const float q1 = q2 * s + (0.16666521f * r + 0.49999994f);
    const float p = q1 * s + r;
    const float k = seed_float(seed_bits(m) << 23);
    const float outer = 1.0f - 2.0f / (k + 1.0f + k * p);
    const float y = t > 0.55f ? outer : inner;
    return seed_float(seed_bits(y) | (seed_bits(a) & 0x80000000u));
}

/* h_4 is gru's h at step 4. */
void seed_window(const float *x, float *y)
{
    /* t = 1 */
    const float z_1 = seed_sigma(-0.90954137f * x[0]);
    const float n_1 = seed_tanh(-0.04404902f * x[0]);
    const float h_1 = (1.0f - z_1) * n_1;

    /* t = 2 */
    const float z_2 = seed_sigma(-0.90954137f * x[1] + 0.24168766f * h_1);
    const float r_2 = seed_sigma(1.0425225f * x[1] + 0.8981342f * h_1);
    const float n_2 = seed_tanh(-0.04404902f * x[1] + 0.36734456f * r_2 * h_1);
    const float h_2 = z_2 * h_1 + (1.0f - z_2) * n_2;

    /* t = 3 */
    const float z_3 = seed_sigma(-0.90954137f * x[2] + 0.24168766f * h_2);
    const float r_3 = seed_sigma(1.0425225f * x[2] + 0.8981342f * h_2);
    const float n_3 = seed_tanh(-0.04404902f * x[2] + 0.36734456f * r_3 * h_2);
    const float h_3 = z_3 * h_2 + (1.0f - z_3) * n_3;

    /* t = 4 */
    const float z_4 = seed_sigma(-0.90954137f * x[3] + 0.24168766f * h_3);
    const float r_4 = seed_sigma(1.0425225f * x[3] + 0.8981342f * h_3);
    const float n_4 = seed_tanh(-0.04404902f * x[3] + 0.36734456f * r_4 * h_3);
    const float h_4 = z_4 * h_3 + (1.0f - z_4) * n_4;

    y[0] = h_4;
}
