/* seed: see seed.h for what it does and how to call it.
 *
 * Made by symgru 0.1.0 from templates/c/model.c.j2; options: --gradients.
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

/* gru: Keras' GRU, reset_after=True (keras/src/layers/rnn/gru.py).
 * A matrix has one row for each unit. */
static const float seed_gru_W_z[1][1] = {
    {-0.90954137f}
};
static const float seed_gru_d_z[1] = {0.0f};
static const float seed_gru_U_z[1][1] = {
    {0.24168766f}
};
static const float seed_gru_W_r[1][1] = {
    {1.0425225f}
};
static const float seed_gru_d_r[1] = {0.0f};
static const float seed_gru_U_r[1][1] = {
    {0.8981342f}
};
static const float seed_gru_W_n[1][1] = {
    {-0.04404902f}
};
static const float seed_gru_b_n[1] = {0.0f};
static const float seed_gru_U_n[1][1] = {
    {0.36734456f}
};
static const float seed_gru_c_n[1] = {0.0f};

/* One time step of gru; h holds h before it and h' after it:
 *   z = sigma(W_z x + d_z + U_z h)
 *   r = sigma(W_r x + d_r + U_r h)
 *   n = tanh(W_n x + b_n + r*(U_n h + c_n))
 *   h' = z*h + (1 - z)*n
 *   d_z = b_z + c_z, added once when this file was made
 *   d_r = b_r + c_r, added once when this file was made
 */
static void seed_gru_cell(const float x[1], float h[1])
{
    float h1[1];
    for (size_t i = 0; i < 1; i++) {
        float a_z = seed_gru_d_z[i];
        float a_r = seed_gru_d_r[i];
        float u_n = seed_gru_c_n[i];
        float s_n = seed_gru_b_n[i];
        for (size_t k = 0; k < 1; k++) {
            a_z += seed_gru_W_z[i][k] * x[k];
            a_r += seed_gru_W_r[i][k] * x[k];
            s_n += seed_gru_W_n[i][k] * x[k];
        }
        for (size_t k = 0; k < 1; k++) {
            a_z += seed_gru_U_z[i][k] * h[k];
            a_r += seed_gru_U_r[i][k] * h[k];
            u_n += seed_gru_U_n[i][k] * h[k];
        }
        const float z = seed_sigma(a_z);
        const float r = seed_sigma(a_r);
        const float n = seed_tanh(s_n + r * u_n);
        h1[i] = z * h[i] + (1.0f - z) * n;
    }
    for (size_t i = 0; i < 1; i++) {
        h[i] = h1[i];
    }
}

/* The layers that run at every time step. */
static void seed_advance(seed_state *state, const float *x)
{
    seed_gru_cell(x, state->gru);
}

/* The layers that only see the last time step. */
static void seed_output(const seed_state *state, float *y)
{
    for (size_t i = 0; i < 1; i++) {
        y[i] = state->gru[i];
    }
}

void seed_reset(seed_state *state)
{
    *state = (seed_state){0};
}

void seed_step(seed_state *state, const float *x, float *y)
{
    seed_advance(state, x);
    seed_output(state, y);
}

void seed_window(const float *x, size_t steps, float *y)
{
    seed_state state;
    seed_reset(&state);
    for (size_t t = 0; t < steps; t++) {
        seed_advance(&state, x + t * SEED_FEATURES);
    }
    seed_output(&state, y);
}

/* Gradients. delta_z is dL/d the argument of the function that gives z, and ds is dL/ds for anything else; h' is the
 * state after the step, W^T is W with rows and columns exchanged, p x^T the matrix with p_i x_k in row i, column k. */

/* One time step of gru, which keeps what its reverse reads:
 *   z = sigma(W_z x + d_z + U_z h)
 *   r = sigma(W_r x + d_r + U_r h)
 *   u_n = U_n h + c_n
 *   n = tanh(W_n x + b_n + r*u_n)
 *   h' = z*h + (1 - z)*n
 */
static void seed_gru_keep(const float x[1], float h[1], seed_tape *tape)
{
    for (size_t i = 0; i < 1; i++) {
        tape->gru.h[i] = h[i];
    }
    float h1[1];
    for (size_t i = 0; i < 1; i++) {
        float a_z = seed_gru_d_z[i];
        float a_r = seed_gru_d_r[i];
        float u_n = seed_gru_c_n[i];
        float s_n = seed_gru_b_n[i];
        for (size_t k = 0; k < 1; k++) {
            a_z += seed_gru_W_z[i][k] * x[k];
            a_r += seed_gru_W_r[i][k] * x[k];
            s_n += seed_gru_W_n[i][k] * x[k];
        }
        for (size_t k = 0; k < 1; k++) {
            a_z += seed_gru_U_z[i][k] * h[k];
            a_r += seed_gru_U_r[i][k] * h[k];
            u_n += seed_gru_U_n[i][k] * h[k];
        }
        const float z = seed_sigma(a_z);
        tape->gru.z[i] = z;
        const float r = seed_sigma(a_r);
        tape->gru.r[i] = r;
        tape->gru.u_n[i] = u_n;
        const float n = seed_tanh(s_n + r * u_n);
        tape->gru.n[i] = n;
        h1[i] = z * h[i] + (1.0f - z) * n;
    }
    for (size_t i = 0; i < 1; i++) {
        h[i] = h1[i];
    }
}

/* Its reverse:
 *   delta_n = dh'*(1 - z)*(1 - n*n)
 *   du_n = delta_n*r
 *   delta_r = delta_n*u_n*r*(1 - r)
 *   delta_z = dh'*(h - n)*z*(1 - z)
 *   dx = W_n^T delta_n + W_r^T delta_r + W_z^T delta_z
 *   dh = dh'*z + U_n^T du_n + U_r^T delta_r + U_z^T delta_z
 *   dL/dW_z += delta_z x^T
 *   dL/dd_z += delta_z
 *   dL/dU_z += delta_z h^T
 *   dL/dW_r += delta_r x^T
 *   dL/dd_r += delta_r
 *   dL/dU_r += delta_r h^T
 *   dL/dW_n += delta_n x^T
 *   dL/db_n += delta_n
 *   dL/dU_n += du_n h^T
 *   dL/dc_n += du_n
 */
static void seed_gru_back(const float x[1], const seed_tape *tape, const float dh1[1], float dh[1],
                          float dx[1], seed_gradients *sums)
{
    float delta_n[1];
    float du_n[1];
    float delta_r[1];
    float delta_z[1];
    for (size_t i = 0; i < 1; i++) {
        const float h = tape->gru.h[i];
        const float z = tape->gru.z[i];
        const float r = tape->gru.r[i];
        const float u_n = tape->gru.u_n[i];
        const float n = tape->gru.n[i];
        delta_n[i] = dh1[i] * (1.0f - z) * (1.0f - n * n);
        du_n[i] = delta_n[i] * r;
        delta_r[i] = delta_n[i] * u_n * r * (1.0f - r);
        delta_z[i] = dh1[i] * (h - n) * z * (1.0f - z);
    }
    if (dx != NULL) {
        for (size_t i = 0; i < 1; i++) {
            float a_dx = 0.0f;
            for (size_t k = 0; k < 1; k++) {
                a_dx += seed_gru_W_n[k][i] * delta_n[k];
                a_dx += seed_gru_W_r[k][i] * delta_r[k];
                a_dx += seed_gru_W_z[k][i] * delta_z[k];
            }
            dx[i] = a_dx;
        }
    }
    for (size_t i = 0; i < 1; i++) {
        const float z = tape->gru.z[i];
        float s_dh = 0.0f;
        for (size_t k = 0; k < 1; k++) {
            s_dh += seed_gru_U_r[k][i] * delta_r[k];
            s_dh += seed_gru_U_z[k][i] * delta_z[k];
            s_dh += seed_gru_U_n[k][i] * du_n[k];
        }
        dh[i] = s_dh + dh1[i] * z;
    }
    for (size_t i = 0; i < 1; i++) {
        for (size_t k = 0; k < 1; k++) {
            sums->gru.W_z[i][k] += delta_z[i] * x[k];
            sums->gru.W_r[i][k] += delta_r[i] * x[k];
            sums->gru.W_n[i][k] += delta_n[i] * x[k];
        }
        for (size_t k = 0; k < 1; k++) {
            sums->gru.U_z[i][k] += delta_z[i] * tape->gru.h[k];
            sums->gru.U_r[i][k] += delta_r[i] * tape->gru.h[k];
            sums->gru.U_n[i][k] += du_n[i] * tape->gru.h[k];
        }
        sums->gru.d_z[i] += delta_z[i];
        sums->gru.d_r[i] += delta_r[i];
        sums->gru.b_n[i] += delta_n[i];
        sums->gru.c_n[i] += du_n[i];
    }
}

void seed_forward(seed_state *state, const float *x, size_t steps, float *y, seed_tape *tape)
{
    for (size_t t = 0; t < steps; t++) {
        seed_gru_keep(x + t * SEED_FEATURES, state->gru, &tape[t]);
    }
    seed_output(state, y);
}

void seed_backward(const float *x, size_t steps, const float *dy, const seed_tape *tape, seed_gradients *sums,
                   float *dx, seed_state *dstate)
{
    for (size_t i = 0; i < 1; i++) {
        dstate->gru[i] += dy[i];
    }
    for (size_t t = steps; t-- > 0;) {
        float after_gru[1];
        for (size_t i = 0; i < 1; i++) {
            after_gru[i] = dstate->gru[i];
        }
        float *to_gru = dx == NULL ? NULL : dx + t * SEED_FEATURES;
        seed_gru_back(x + t * SEED_FEATURES, &tape[t], after_gru, dstate->gru, to_gru, sums);
    }
}
