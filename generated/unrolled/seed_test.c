/* Checks seed.c against recorded numbers: cc -std=c99 seed.c seed_test.c && ./a.out
 *
 * The expected values are the equations evaluated in exact arithmetic on the stored weights. The tolerance is
 * 4 times plain float32's own error, the largest at 32 inputs within a thousandth of each, (or half an ulp of the
 * largest value) plus 2 ulps.
 *
 * Made by symgru 0.1.0 from templates/c/unrolled_test.c.j2; options: --unrolled --steps 4.
 * Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
 * 0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
 */
#include "seed.h"

#include <stdio.h>

enum { SEQUENCES = 1, ROWS = 1 / 1 };

static const float inputs[SEQUENCES * SEED_STEPS][SEED_FEATURES] = {
    {1.0f},
    {2.0f},
    {9.0f},
    {8.0f}
};

static const float expected[SEQUENCES * ROWS][SEED_OUTPUTS] = {
    {-0.46279538f}
};

static const float tolerance = 3.914418e-07f;

int main(void)
{
    float worst = 0.0f;
    for (size_t s = 0; s < SEQUENCES; s++) {
        float y[ROWS * SEED_OUTPUTS];
        seed_window(inputs[s * SEED_STEPS], y);
        for (size_t i = 0; i < ROWS * SEED_OUTPUTS; i++) {
            const float right = expected[s * ROWS + i / SEED_OUTPUTS][i % SEED_OUTPUTS];
            const float difference = y[i] < right ? right - y[i] : y[i] - right;
            if (worst == worst && !(difference <= worst)) { /* a NaN stays */
                worst = difference;
            }
        }
    }
    printf("seed: largest difference %g of at most %g: %s\n", (double)worst, (double)tolerance,
           worst <= tolerance ? "passed" : "FAILED");
    return worst <= tolerance ? 0 : 1;
}
