/* brackets: see brackets.h for what it does and how to call it.
 *
 * Made by symgru 0.1.0 from templates/c/model.c.j2; options: --steps 20.
 * Model SHA-256 a378e8a6ce575c0433039f25fa64cc5f3a04622c625096ee8ed93a34eae51292.
 * 0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
 */
#include "brackets.h"

#include <float.h>
#include <stdint.h>

#ifdef __FAST_MATH__
#error "brackets.c needs IEEE arithmetic as written: compile it without -ffast-math"
#endif
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0
#error "brackets.c needs float arithmetic rounded to float: on x86 compile it with -msse2 -mfpmath=sse"
#endif
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF /* a*b + c is rounded twice on every target; gcc does so under -std=c99 */
#endif

/* A float's 32 bits, and the float that has them. */
typedef union {
    float value;
    uint32_t bits;
} brackets_word;

static uint32_t brackets_bits(float a)
{
    const brackets_word word = {.value = a};
    return word.bits;
}

static float brackets_float(uint32_t u)
{
    const brackets_word word = {.bits = u};
    return word.value;
}

/* sigma(a), at most 1.8 ulp and 9e-08 off: 1 / (1 + e^-a), both sides times c = 2^-64 */
static float brackets_sigma(float a)
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
    const float k = brackets_float(brackets_bits(m) << 23);
    const float u = k + 5.421011e-20f;
    const float lost = 5.421011e-20f - (u - k);
    return 5.421011e-20f / (u + (k * p + lost));
}

/* tanh(a), at most 1.4 ulp and 8.1e-08 off: a + a^3 P(a^2); beyond 0.55 1 - 2 / (e^2|a| + 1) */
static float brackets_tanh(float a)
{
    const float size = brackets_float(brackets_bits(a) & 0x7fffffffu);
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
    const float k = brackets_float(brackets_bits(m) << 23);
    const float outer = 1.0f - 2.0f / (k + 1.0f + k * p);
    const float y = t > 0.55f ? outer : inner;
    return brackets_float(brackets_bits(y) | (brackets_bits(a) & 0x80000000u));
}

/* exp(a), at most 1 ulp off: 2^n (1 + p) with n = round(a / log 2) */
static float brackets_exp(float a)
{
    const float low = a < -104.0f ? -104.0f : a;
    const float x = low > 89.0f ? 89.0f : low;
    const float m = x * 1.442695f + 12583166.0f;
    const float n = m - 12583166.0f;
    const float r = x - n * 0.69314575f - n * 1.4286068e-06f;
    const float s = r * r;
    const float q2 = 0.0013818359f * s + (0.008368716f * r + 0.041668296f);
    const float q1 = q2 * s + (0.16666521f * r + 0.49999994f);
    const float p = q1 * s + r;
    const uint32_t h = brackets_bits(m) >> 1;
    return (p + 1.0f) * brackets_float(h << 23) * brackets_float((brackets_bits(m) - h) << 23);
}

/* e^a over its sum; the largest is taken off first, so that nothing overflows. */
static void brackets_softmax(const float *a, float *y, size_t n)
{
    float top = a[0];
    float sum = 0.0f;
    for (size_t k = 1; k < n; k++) {
        top = a[k] > top ? a[k] : top;
    }
    for (size_t k = 0; k < n; k++) {
        y[k] = brackets_exp(a[k] - top);
        sum += y[k];
    }
    for (size_t k = 0; k < n; k++) {
        y[k] /= sum;
    }
}

static const float brackets_embedding_E[3][2] = {
    {0.015394632f, 0.009940945f},
    {1.48321f, -1.6633533f},
    {-0.14444485f, 2.3752103f}
};

/* The row of a table of `rows` that an index means. An index below 0 (or a NaN) means the first, one that is too large
 * the last: nothing outside the table is read. */
static size_t brackets_row(float index, size_t rows)
{
    if (!(index > 0.0f)) {
        return 0;
    }
    return index < (float)rows ? (size_t)index : rows - 1;
}

/* forward_gru: Keras' GRU, reset_after=True (keras/src/layers/rnn/gru.py).
 * A matrix has one row for each unit. */
static const float brackets_forward_gru_W_z[6][2] = {
    {0.5228699f, -0.42325538f},
    {0.30225345f, -0.7532855f},
    {-0.2811911f, -0.47007406f},
    {0.40351158f, 0.20307516f},
    {0.10370301f, -0.29703385f},
    {-0.32861677f, -0.54774666f}
};
static const float brackets_forward_gru_d_z[6] = {-1.2983186f, -1.576446f, -1.7998172f, 0.46427327f,
                                                  -1.8978214f, -1.1988897f};
static const float brackets_forward_gru_U_z[6][6] = {
    {-1.4719753f, -0.80021787f, 1.5068244f, -1.2261664f, 1.4159663f, -1.4720625f},
    {-0.9436223f, -0.60581213f, 0.8225251f, -0.23905711f, -0.011427764f, -0.44075444f},
    {-1.2386869f, -0.72282493f, 0.5144377f, -1.1500505f, 0.9412268f, -1.4145925f},
    {0.37122223f, -0.31266728f, -0.27034724f, -0.36980852f, -0.70294225f, 0.12944692f},
    {-0.8216546f, -1.0489619f, 0.22792368f, -0.37258548f, 0.7133365f, -0.7576351f},
    {-0.8242241f, -0.5350586f, 0.54506147f, -0.36154237f, 0.74893695f, -0.36169067f}
};
static const float brackets_forward_gru_W_r[6][2] = {
    {0.005439566f, 0.8355631f},
    {-0.6488273f, 0.9663755f},
    {-0.66828775f, 0.9680134f},
    {-0.21184555f, -0.5120765f},
    {-0.7969497f, 0.7281539f},
    {-0.5261165f, 0.47286692f}
};
static const float brackets_forward_gru_d_r[6] = {0.21547966f, 0.71402806f, 0.97530705f, -0.026983209f,
                                                  0.7179786f, 0.6577496f};
static const float brackets_forward_gru_U_r[6][6] = {
    {0.012904947f, 0.09629966f, -0.12347037f, -0.42154488f, 0.31517467f, 0.33220232f},
    {-0.538898f, -0.98050034f, 0.17569624f, -0.5173773f, 0.4529529f, -0.3847228f},
    {-0.20049588f, -0.74126893f, 0.45828643f, -0.6289557f, 0.63938004f, -0.4731381f},
    {-0.36949962f, -0.37394643f, 0.26662755f, -0.572529f, 0.61499685f, -0.8172684f},
    {0.1492918f, -0.6734944f, 0.644804f, -0.91153044f, 0.5090376f, -0.12346662f},
    {-0.17814606f, -0.39464232f, 0.3417388f, -0.59671617f, 0.41753042f, -0.67716277f}
};
static const float brackets_forward_gru_W_n[6][2] = {
    {0.091233395f, 0.4729108f},
    {0.07364091f, 0.70981467f},
    {0.769485f, -0.76442957f},
    {-0.26823133f, 0.43018565f},
    {0.61852396f, -0.74572796f},
    {0.21008842f, 0.77300274f}
};
static const float brackets_forward_gru_b_n[6] = {0.46335623f, 0.15633523f, -0.052227553f, -0.0372182f,
                                                  -0.18562712f, 0.21171245f};
static const float brackets_forward_gru_U_n[6][6] = {
    {0.17062034f, 0.45248088f, -0.08574722f, 0.7649927f, -0.5141713f, 0.773324f},
    {0.48015875f, 0.8094744f, -0.9689387f, 0.6565023f, -1.3571942f, 0.79941684f},
    {-0.36202604f, -1.2110201f, 0.86170346f, -1.1457038f, 0.921046f, -1.272513f},
    {0.645217f, 0.5074298f, -0.34345284f, 0.48122612f, -0.115532234f, 0.7464259f},
    {-0.06997278f, -0.7775603f, 0.50116366f, -0.83961886f, 0.7950371f, -0.7972544f},
    {0.0038660993f, 0.7512963f, -0.51820475f, 0.6083049f, -0.69243944f, 1.0644896f}
};
static const float brackets_forward_gru_c_n[6] = {0.47427896f, 0.1956924f, -0.0644539f, -0.08134965f,
                                                  -0.16546862f, 0.18977223f};

/* One time step of forward_gru; h holds h before it and h' after it:
 *   z = sigma(W_z x + d_z + U_z h)
 *   r = sigma(W_r x + d_r + U_r h)
 *   n = tanh(W_n x + b_n + r*(U_n h + c_n))
 *   h2 = z*h + (1 - z)*n
 *   h' = h2 if m else h
 *   d_z = b_z + c_z, added once when this file was made
 *   d_r = b_r + c_r, added once when this file was made
 */
static void brackets_forward_gru_cell(const float x[2], int m, float h[6])
{
    float h1[6];
    for (size_t i = 0; i < 6; i++) {
        float a_z = brackets_forward_gru_d_z[i];
        float a_r = brackets_forward_gru_d_r[i];
        float u_n = brackets_forward_gru_c_n[i];
        float s_n = brackets_forward_gru_b_n[i];
        for (size_t k = 0; k < 2; k++) {
            a_z += brackets_forward_gru_W_z[i][k] * x[k];
            a_r += brackets_forward_gru_W_r[i][k] * x[k];
            s_n += brackets_forward_gru_W_n[i][k] * x[k];
        }
        for (size_t k = 0; k < 6; k++) {
            a_z += brackets_forward_gru_U_z[i][k] * h[k];
            a_r += brackets_forward_gru_U_r[i][k] * h[k];
            u_n += brackets_forward_gru_U_n[i][k] * h[k];
        }
        const float z = brackets_sigma(a_z);
        const float r = brackets_sigma(a_r);
        const float n = brackets_tanh(s_n + r * u_n);
        const float h2 = z * h[i] + (1.0f - z) * n;
        h1[i] = (m ? h2 : h[i]);
    }
    for (size_t i = 0; i < 6; i++) {
        h[i] = h1[i];
    }
}

/* backward_gru: Keras' GRU, reset_after=True (keras/src/layers/rnn/gru.py).
 * A matrix has one row for each unit. */
static const float brackets_backward_gru_W_z[6][2] = {
    {-0.88123256f, -0.23359631f},
    {-1.0258881f, 0.19231352f},
    {-0.04992986f, 0.0346975f},
    {0.1500767f, 0.42802173f},
    {0.3182952f, -0.41572416f},
    {-0.27574843f, 0.406877f}
};
static const float brackets_backward_gru_d_z[6] = {-2.0478244f, -1.858277f, -1.537002f, -2.0240421f,
                                                   -0.6439881f, -1.7902372f};
static const float brackets_backward_gru_U_z[6][6] = {
    {1.0982691f, 0.688037f, -1.2680736f, 0.63700515f, 0.87904644f, -0.5721574f},
    {0.8667838f, 0.8016536f, -0.73348284f, 1.1558073f, 0.37020615f, -0.15177405f},
    {1.18802f, 0.40768316f, -0.40951893f, 0.5700893f, 1.0539764f, -0.18738976f},
    {1.0631992f, 0.54335064f, -0.73840535f, 0.8189938f, 0.95460945f, -0.28396723f},
    {0.7821654f, 0.5806296f, -0.35853022f, 0.47619805f, 0.15302609f, -0.35627735f},
    {1.0789387f, 0.86004555f, -1.0927138f, 1.1015389f, 1.8752872f, 0.20500918f}
};
static const float brackets_backward_gru_W_r[6][2] = {
    {0.6313465f, -0.7759053f},
    {0.9812474f, -0.99241835f},
    {0.43969584f, -0.5844476f},
    {0.9061975f, -1.0920743f},
    {0.11298008f, 0.89569944f},
    {0.64028907f, -1.3786532f}
};
static const float brackets_backward_gru_d_r[6] = {0.88790065f, 0.13830578f, -0.23206359f, 0.2574237f,
                                                   0.82804835f, 0.048604243f};
static const float brackets_backward_gru_U_r[6][6] = {
    {0.86956775f, 0.6297895f, -0.53991485f, 0.8606629f, 0.72831714f, -0.3184149f},
    {0.5600287f, 0.19105555f, -0.8108493f, 0.11988416f, 0.45613983f, -0.12994207f},
    {0.6279178f, 0.33979124f, -0.3805126f, 0.10271534f, 0.20213757f, 0.25236169f},
    {0.14608729f, 0.46404317f, -0.467034f, 0.69529086f, 0.63123995f, 0.62595195f},
    {0.5499408f, 0.09396524f, -0.47517112f, 0.51005363f, 0.40201584f, -0.18572612f},
    {-0.27160433f, -0.4246299f, -0.07664168f, 0.3421405f, -0.3196116f, -0.19999585f}
};
static const float brackets_backward_gru_W_n[6][2] = {
    {-0.67357045f, 0.56352246f},
    {-0.45432138f, 0.6173589f},
    {0.9412991f, -1.0385537f},
    {-0.5942261f, 0.7141897f},
    {-0.7462166f, -0.11891052f},
    {0.44008768f, 0.03664121f}
};
static const float brackets_backward_gru_b_n[6] = {-0.0711838f, -0.11526163f, 0.1280705f, -0.034851637f,
                                                   -0.30756202f, 0.55198854f};
static const float brackets_backward_gru_U_n[6][6] = {
    {0.53528893f, 0.87120616f, -0.79118645f, 0.672092f, 0.85985285f, 0.086609185f},
    {1.0709392f, 1.1325294f, -0.9963993f, 1.2626339f, 0.8414038f, 0.1789038f},
    {-0.4057474f, -0.74334675f, 0.25077748f, -0.10270425f, -0.5531495f, 0.108424835f},
    {1.0556655f, 0.38837713f, -0.83535933f, 0.6117919f, 1.3152882f, 0.4544737f},
    {0.44884577f, 0.72142184f, -1.1494447f, 0.39796722f, 0.766781f, -0.2099501f},
    {-0.93651474f, -0.66783315f, 0.9716284f, -1.291547f, -0.16018741f, -0.4164305f}
};
static const float brackets_backward_gru_c_n[6] = {-0.18978117f, -0.18739517f, 0.20891634f, -0.03418072f,
                                                   -0.30100942f, 0.4977241f};

/* One time step of backward_gru; h holds h before it and h' after it:
 *   z = sigma(W_z x + d_z + U_z h)
 *   r = sigma(W_r x + d_r + U_r h)
 *   n = tanh(W_n x + b_n + r*(U_n h + c_n))
 *   h2 = z*h + (1 - z)*n
 *   h' = h2 if m else h
 *   d_z = b_z + c_z, added once when this file was made
 *   d_r = b_r + c_r, added once when this file was made
 */
static void brackets_backward_gru_cell(const float x[2], int m, float h[6])
{
    float h1[6];
    for (size_t i = 0; i < 6; i++) {
        float a_z = brackets_backward_gru_d_z[i];
        float a_r = brackets_backward_gru_d_r[i];
        float u_n = brackets_backward_gru_c_n[i];
        float s_n = brackets_backward_gru_b_n[i];
        for (size_t k = 0; k < 2; k++) {
            a_z += brackets_backward_gru_W_z[i][k] * x[k];
            a_r += brackets_backward_gru_W_r[i][k] * x[k];
            s_n += brackets_backward_gru_W_n[i][k] * x[k];
        }
        for (size_t k = 0; k < 6; k++) {
            a_z += brackets_backward_gru_U_z[i][k] * h[k];
            a_r += brackets_backward_gru_U_r[i][k] * h[k];
            u_n += brackets_backward_gru_U_n[i][k] * h[k];
        }
        const float z = brackets_sigma(a_z);
        const float r = brackets_sigma(a_r);
        const float n = brackets_tanh(s_n + r * u_n);
        const float h2 = z * h[i] + (1.0f - z) * n;
        h1[i] = (m ? h2 : h[i]);
    }
    for (size_t i = 0; i < 6; i++) {
        h[i] = h1[i];
    }
}

/* has_partner: Keras' Dense (keras/src/layers/core/dense.py).
 * A matrix has one row for each unit. */
static const float brackets_has_partner_W[2][12] = {
    {2.3018246f, 1.4809812f, -2.0227787f, -1.1651689f, -0.93346f, 1.6825314f, -1.8729059f, -1.4923543f,
     1.1215825f, -1.1882541f, 0.71292406f, 2.6482937f},
    {-2.2787623f, -2.1308198f, 1.7924439f, 0.37496892f, 1.6818991f, -1.2959188f, 0.95088255f, 1.8451269f,
     -1.8044842f, 1.7891542f, 0.20342545f, -2.806058f}
};
static const float brackets_has_partner_b[2] = {0.8759329f, -0.8759287f};

/* One time step of has_partner:
 *   y = softmax(W x + b)
 */
static void brackets_has_partner_cell(const float x[12], float y[2])
{
    float a_y[2];
    for (size_t i = 0; i < 2; i++) {
        float s_y = brackets_has_partner_b[i];
        for (size_t k = 0; k < 12; k++) {
            s_y += brackets_has_partner_W[i][k] * x[k];
        }
        a_y[i] = s_y;
    }
    brackets_softmax(a_y, y, 2);
}

void brackets_window(brackets_workspace *work, const int32_t *x, float *y)
{
    float *const in_x = work->memory;
    for (size_t i = 0; i < 20; i++) {
        in_x[i] = (float)x[i];
    }
    float *const from_embedding = work->memory + 120;
    /* embedding: a row of the table for each index */
    for (size_t i = 0; i < 20; i++) {
        const float *const row = brackets_embedding_E[brackets_row(in_x[i], 3)];
        for (size_t k = 0; k < 2; k++) {
            from_embedding[i * 2 + k] = row[k];
        }
    }
    float *const from_not_zero_embedding = work->memory + 160;
    /* not_zero_embedding: a mask: not 0 */
    for (size_t i = 0; i < 20; i++) {
        from_not_zero_embedding[i] = in_x[i] != 0.0f ? 1.0f : 0.0f;
    }
    float *const state_forward_gru = work->memory + 180;
    float *const from_forward_gru = work->memory;
    /* forward_gru: gru */
    for (size_t i = 0; i < 6; i++) {
        state_forward_gru[i] = 0.0f;
    }
    for (size_t t = 0; t < 20; t++) {
        brackets_forward_gru_cell(from_embedding + t * 2, from_not_zero_embedding[t] != 0.0f, state_forward_gru);
        for (size_t i = 0; i < 6; i++) {
            from_forward_gru[t * 6 + i] = state_forward_gru[i];
        }
    }
    float *const from_blank_forward_gru = work->memory + 240;
    /* blank_forward_gru: 0 where the mask does not hold */
    for (size_t t = 0; t < 20; t++) {
        for (size_t i = 0; i < 6; i++) {
            from_blank_forward_gru[t * 6 + i] = from_not_zero_embedding[t] != 0.0f ? from_forward_gru[t * 6 + i] : 0.0f;
        }
    }
    float *const state_backward_gru = work->memory + 180;
    float *const from_backward_gru = work->memory;
    /* backward_gru: gru */
    for (size_t i = 0; i < 6; i++) {
        state_backward_gru[i] = 0.0f;
    }
    for (size_t t = 0; t < 20; t++) {
        brackets_backward_gru_cell(from_embedding + (19 - t) * 2, from_not_zero_embedding[19 - t] != 0.0f, state_backward_gru);
        for (size_t i = 0; i < 6; i++) {
            from_backward_gru[t * 6 + i] = state_backward_gru[i];
        }
    }
    float *const from_blank_backward_gru = work->memory + 360;
    /* blank_backward_gru: 0 where the mask does not hold */
    for (size_t t = 0; t < 20; t++) {
        for (size_t i = 0; i < 6; i++) {
            from_blank_backward_gru[t * 6 + i] = from_not_zero_embedding[19 - t] != 0.0f ? from_backward_gru[t * 6 + i] : 0.0f;
        }
    }
    float *const from_concatenate_both_ways = work->memory;
    /* concatenate_both_ways: side by side */
    for (size_t t = 0; t < 20; t++) {
        for (size_t i = 0; i < 6; i++) {
            from_concatenate_both_ways[t * 12 + i] = from_blank_forward_gru[t * 6 + i];
        }
    }
    for (size_t t = 0; t < 20; t++) {
        for (size_t i = 0; i < 6; i++) {
            from_concatenate_both_ways[t * 12 + i + 6] = from_blank_backward_gru[(19 - t) * 6 + i];
        }
    }
    /* has_partner: dense */
    for (size_t t = 0; t < 20; t++) {
        brackets_has_partner_cell(from_concatenate_both_ways + t * 12, y + t * 2);
    }
}
