/* Checks brackets.c against recorded numbers: cc -std=c99 brackets.c brackets_test.c && ./a.out
 *
 * The expected values are the equations evaluated in exact arithmetic on the stored weights. The tolerance of each
 * output is 4 times plain float32's own error (or half an ulp of the largest value) plus 2 ulps.
 *
 * Made by symgru 0.1.0 from templates/c/graph_test.c.j2; options: --steps 20.
 * Model SHA-256 a378e8a6ce575c0433039f25fa64cc5f3a04622c625096ee8ed93a34eae51292.
 * 0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
 */
#include "brackets.h"

#include <stdio.h>

enum { SEQUENCES = 2, STEPS = 20 };

static const int32_t given_x[SEQUENCES][BRACKETS_FEATURES] = {
    {2, 0, 0, 1, 2, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 2, 2, 2, 2, 1},
    {1, 1, 1, 0, 2, 0, 1, 0, 0, 0, 1, 2, 2, 0, 0, 0, 0, 0, 0, 0}
};

static const float expected_has_partner[SEQUENCES][BRACKETS_OUTPUTS] = {
    {0.9998055f, 0.00019448277f, 0.85218745f, 0.14781256f, 0.85218745f, 0.14781256f, 1.7149492e-06f,
     0.9999983f, 9.0451096e-05f, 0.9999095f, 0.85218745f, 0.14781256f, 0.85218745f, 0.14781256f,
     4.0192317e-06f, 0.999996f, 0.85218745f, 0.14781256f, 1.0261318e-06f, 0.999999f, 0.85218745f, 0.14781256f,
     0.85218745f, 0.14781256f, 0.85218745f, 0.14781256f, 0.85218745f, 0.14781256f, 5.01152e-07f, 0.9999995f,
     3.1087043e-07f, 0.9999997f, 1.0306483e-06f, 0.999999f, 9.023202e-05f, 0.99990976f, 0.99881226f,
     0.0011877362f, 0.99992085f, 7.914635e-05f},
    {0.99999136f, 8.619326e-06f, 0.9998721f, 0.00012791518f, 1.1724064e-05f, 0.99998826f, 0.85218745f,
     0.14781256f, 2.0071408e-07f, 0.9999998f, 0.85218745f, 0.14781256f, 2.4055329e-05f, 0.9999759f,
     0.85218745f, 0.14781256f, 0.85218745f, 0.14781256f, 0.85218745f, 0.14781256f, 1.8569838e-07f, 0.9999998f,
     9.313491e-08f, 0.9999999f, 2.715914e-07f, 0.9999997f, 0.85218745f, 0.14781256f, 0.85218745f, 0.14781256f,
     0.85218745f, 0.14781256f, 0.85218745f, 0.14781256f, 0.85218745f, 0.14781256f, 0.85218745f, 0.14781256f,
     0.85218745f, 0.14781256f}
};

static float worst = 0.0f; /* as a share of what is allowed */

static void compare(const char *what, const float *y, const float *right, size_t n, float tolerance)
{
    float largest = 0.0f;
    for (size_t i = 0; i < n; i++) {
        const float difference = y[i] < right[i] ? right[i] - y[i] : y[i] - right[i];
        if (largest == largest && !(difference <= largest)) { /* a NaN stays */
            largest = difference;
        }
    }
    if (!(largest <= tolerance)) {
        printf("brackets: %s is off by %g; %g is allowed\n", what, (double)largest, (double)tolerance);
    }
    if (worst == worst && !(largest / tolerance <= worst)) {
        worst = largest / tolerance;
    }
}

int main(void)
{
    for (size_t s = 0; s < SEQUENCES; s++) {
        float y[BRACKETS_OUTPUTS];
        static brackets_workspace work;

        brackets_window(&work, given_x[s], y);
        compare("y", y, expected_has_partner[s], BRACKETS_OUTPUTS, 3.3538186e-07f);
    }
    printf("brackets: the largest difference is %g of what is allowed: %s\n", (double)worst,
           worst <= 1.0f ? "passed" : "FAILED");
    return worst <= 1.0f ? 0 : 1;
}
