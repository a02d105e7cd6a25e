/* Checks the gradients of seed.c: cc -std=c99 seed.c seed_gradients_test.c && ./a.out
 *
 * The expected values are the derivatives of the equations in exact arithmetic on the stored weights, added up
 * over the sequences. The tolerance, as a share of an array's largest magnitude, is
 * 4 times plain float32's own error, the largest here and at 32 inputs within a thousandth, plus 16 ulps.
 *
 * Made by symgru 0.1.0 from templates/c/gradients_test.c.j2; options: --gradients.
 * Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
 * 0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
 */
#include "seed.h"

#include <stdio.h>
#include <string.h>

enum { SEQUENCES = 1, STEPS = 4, ROWS = 1 / 1 };

static const float inputs[SEQUENCES * STEPS][SEED_FEATURES] = {
    {1.0f},
    {2.0f},
    {9.0f},
    {8.0f}
};

static const float dy[SEQUENCES * ROWS][SEED_OUTPUTS] = {
    {-0.75f}
};

static const float gru_W_z[1] = {-0.0016980721f};

static const float gru_d_z[1] = {-0.0008267664f};

static const float gru_U_z[1] = {2.9386863e-05f};

static const float gru_W_r[1] = {0.00037670575f};

static const float gru_d_r[1] = {9.641443e-05f};

static const float gru_U_r[1] = {-1.4254963e-05f};

static const float gru_W_n[1] = {-6.4761715f};

static const float gru_b_n[1] = {-0.84681666f};

static const float gru_U_n[1] = {0.25578648f};

static const float gru_c_n[1] = {-0.8349955f};

static const float input[4] = {0.0010998232f, 0.0030544037f, 0.007999889f, 0.025999822f};

static const float before_gru[1] = {-0.013422502f};

static const float tolerance = 0.0005951279f;

static float worst = 0.0f;

static float size_of(float a)
{
    return a < 0.0f ? -a : a;
}

/* The largest difference as a share of the largest magnitude that is right. */
static void compare(const char *what, const float *found, const float *right, size_t n)
{
    float largest = 0.0f;
    float difference = 0.0f;
    for (size_t i = 0; i < n; i++) {
        const float d = size_of(found[i] - right[i]);
        largest = size_of(right[i]) > largest ? size_of(right[i]) : largest;
        if (difference == difference && !(d <= difference)) { /* a NaN stays */
            difference = d;
        }
    }
    difference = largest > 0.0f ? difference / largest : difference;
    if (!(difference <= tolerance)) {
        printf("seed: %s is off by %g of its largest magnitude\n", what, (double)difference);
    }
    if (worst == worst && !(difference <= worst)) { /* a NaN stays */
        worst = difference;
    }
}

int main(void)
{
    static seed_gradients sums; /* 0, as static objects are */
    static seed_tape tape[STEPS];
    static float dx[SEQUENCES * STEPS][SEED_FEATURES];
    static float state_gru[SEQUENCES][1];

    for (size_t s = 0; s < SEQUENCES; s++) {
        float y[ROWS * SEED_OUTPUTS];
        seed_state state;
        seed_state dstate;

        seed_reset(&state);
        seed_forward(&state, inputs[s * STEPS], STEPS, y, tape);
        seed_reset(&dstate);
        seed_backward(inputs[s * STEPS], STEPS, dy[s * ROWS], tape, &sums, dx[s * STEPS], &dstate);
        memcpy(state_gru[s], dstate.gru, sizeof dstate.gru);
    }
    compare("gru.W_z", sums.gru.W_z[0], gru_W_z, 1);
    compare("gru.d_z", sums.gru.d_z, gru_d_z, 1);
    compare("gru.U_z", sums.gru.U_z[0], gru_U_z, 1);
    compare("gru.W_r", sums.gru.W_r[0], gru_W_r, 1);
    compare("gru.d_r", sums.gru.d_r, gru_d_r, 1);
    compare("gru.U_r", sums.gru.U_r[0], gru_U_r, 1);
    compare("gru.W_n", sums.gru.W_n[0], gru_W_n, 1);
    compare("gru.b_n", sums.gru.b_n, gru_b_n, 1);
    compare("gru.U_n", sums.gru.U_n[0], gru_U_n, 1);
    compare("gru.c_n", sums.gru.c_n, gru_c_n, 1);
    compare("dx", dx[0], input, 4);
    compare("dstate.gru", state_gru[0], before_gru, 1);
    printf("seed: largest difference %g of an array's largest magnitude, of at most %g: %s\n", (double)worst,
           (double)tolerance, worst <= tolerance ? "passed" : "FAILED");
    return worst <= tolerance ? 0 : 1;
}
