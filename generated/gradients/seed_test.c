/* Checks seed.c against recorded numbers: cc -std=c99 seed.c seed_test.c && ./a.out
 *
 * The expected values are the equations evaluated in exact arithmetic on the stored weights. The tolerance is
 * 4 times plain float32's own error (or half an ulp of the largest value) plus 2 ulps.
 *
 * Made by symgru 0.1.0 from templates/c/test.c.j2; options: --gradients.
 * Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
 * 0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
 */
#include "seed.h"

#include <stdio.h>

enum { SEQUENCES = 1, STEPS = 4, ROWS = 1 / 1 };

static const float inputs[SEQUENCES * STEPS][SEED_FEATURES] = {
    {1.0f},
    {2.0f},
    {9.0f},
    {8.0f}
};

static const float expected[SEQUENCES * ROWS][SEED_OUTPUTS] = {
    {-0.46279538f}
};

static const float tolerance = 1.7881393e-07f;

static float worst = 0.0f;

static void compare(const float *y, const float *right, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float difference = y[i] < right[i] ? right[i] - y[i] : y[i] - right[i];
        if (worst == worst && !(difference <= worst)) { /* a NaN stays */
            worst = difference;
        }
    }
}

int main(void)
{
    for (size_t s = 0; s < SEQUENCES; s++) {
        float y[ROWS * SEED_OUTPUTS];
        seed_state state;

        seed_window(inputs[s * STEPS], STEPS, y);
        compare(y, expected[s * ROWS], ROWS * SEED_OUTPUTS);

        seed_reset(&state);
        for (size_t t = 0; t < STEPS; t++) {
            seed_step(&state, inputs[s * STEPS + t], y);
        }
        compare(y, expected[s * ROWS], SEED_OUTPUTS);
    }
    printf("seed: largest difference %g of at most %g: %s\n", (double)worst, (double)tolerance,
           worst <= tolerance ? "passed" : "FAILED");
    return worst <= tolerance ? 0 : 1;
}
