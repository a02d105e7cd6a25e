/* seed: a recurrent network as one straight line of C99, for 4 time steps. No loop over time, no libm.
 *
 * Made by symgru 0.1.0 from templates/c/unrolled.h.j2; options: --unrolled --steps 4.
 * Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
 * 0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
 *
 *   work    30 multiplications, 16 additions, 11 functions
 *           (as a loop over the equations as written: 36 multiplications, 44 additions, 12 functions)
 *   rules   zero initial state, merged biases, zero biases, unused lines, numbers
 *   RAM     none but the stack; the weights are inside the code
 *
 * Sums are added in another order than in the loop that symgru writes without --unrolled, so the last bits differ.
 * Compile it as C99 with contraction off: gcc -std=c99, or any compiler with -ffp-contract=off. Then it gives the same
 * bits on every target.
 *
 * Largest errors of the functions inside, measured over all floats that can reach them (an ulp is a unit in the last
 * place):
 *   sigma   1.8 ulp, 9e-08 absolute
 *   tanh    1.4 ulp, 8.1e-08 absolute
 */
#ifndef SEED_H
#define SEED_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SEED_FEATURES 1 /* numbers that go in at each time step */
#define SEED_STEPS 4 /* time steps of a window */
#define SEED_OUTPUTS 1 /* numbers that come out */

/* A whole window: reads x[SEED_STEPS * SEED_FEATURES], one time step after the other, and writes
 * y[SEED_OUTPUTS], the output after the last one. x and y must not overlap. */
void seed_window(const float *x, float *y);

#ifdef __cplusplus
}
#endif

#endif
