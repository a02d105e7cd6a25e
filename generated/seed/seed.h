/* seed: a recurrent network as C99, computed in float without libm.
 *
 * Made by symgru 0.1.0 from templates/c/model.h.j2; options: none.
 * Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
 * 0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
 *
 *   layer  cell  in -> out  weights  multiply-accumulates
 *   gru    gru   1 -> 1     10       6
 *   (biases that are only ever added are stored as one)
 *
 *   flash   40 B of weights, and some 1 to 3 KB of code (`size seed.o` tells what your compiler makes of it)
 *   RAM     4 B for each seed_state
 *   stack   8 B of local arrays at most, and the frames of three nested calls
 *   work    6 multiply-accumulates a time step
 *
 * Compile it as C99 with contraction off: gcc -std=c99, or any compiler with -ffp-contract=off. Then it gives the same
 * bits on every target.
 *
 * Two ways to run it, which give different numbers. Choose the one that matches how the model predicts:
 *
 *   seed_window            a recording of several time steps at once. The state starts at 0 every time:
 *                          what Keras' predict() gives.
 *   seed_reset, seed_step  one time step a call. The state goes on from call to call until it is reset:
 *                          what a Keras model with stateful=True gives.
 *
 * x and y must not overlap. A NaN or an infinity in x may stay in the state until it is reset.
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
#define SEED_OUTPUTS 1 /* numbers that come out */

typedef struct {
    float gru[1];
} seed_state;

/* Sets the state to 0, as it is before the first time step. */
void seed_reset(seed_state *state);

/* One time step: reads x[SEED_FEATURES], moves the state on, writes y[SEED_OUTPUTS]. */
void seed_step(seed_state *state, const float *x, float *y);

/* A whole recording of `steps` time steps, at least one: reads x[steps * SEED_FEATURES], one time step after the
 * other, and writes y[SEED_OUTPUTS], the output after the last one. */
void seed_window(const float *x, size_t steps, float *y);

#ifdef __cplusplus
}
#endif

#endif
