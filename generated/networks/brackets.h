/* brackets: a recurrent network as C99, computed in float without libm.
 *
 * Made by symgru 0.1.0 from templates/c/model.h.j2; options: --steps 20.
 * Model SHA-256 a378e8a6ce575c0433039f25fa64cc5f3a04622c625096ee8ed93a34eae51292.
 * 0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
 *
 *   layer         cell            in -> out  weights  multiply-accumulates
 *   forward_gru   gru             2 -> 6     168      144
 *   backward_gru  gru             2 -> 6     168      144
 *   has_partner   dense, softmax  12 -> 2    26       24
 *   embedding     look-up         3 x 2      6        0
 *   (biases that are only ever added are stored as one)
 *
 *   flash   1472 B of weights, and some 1 to 3 KB of code (`size brackets.o` tells what your compiler makes of it)
 *   RAM     1920 B for a brackets_workspace, which holds nothing between calls
 *   stack   24 B of local arrays at most, and the frames of two nested calls
 *   work    6240 multiply-accumulates a window
 *
 * Compile it as C99 with contraction off: gcc -std=c99, or any compiler with -ffp-contract=off. Then it gives the same
 * bits on every target.
 *
 * It runs on a whole window at once, of 20 time steps. There is no brackets_step:
 * Layer flip_backward_gru (time reversed) needs the whole window: it begins with the last time step.
 *
 *   x  const int32_t[BRACKETS_FEATURES]
 *   y  float[BRACKETS_OUTPUTS]           20 by 2, the last index runs fastest
 *
 * An index outside its table means the table's first row (below 0) or its last one (too large).
 *
 * Inputs, outputs and the workspace must not overlap.
 *
 * Largest errors of the functions inside, measured over all floats that can reach them (an ulp is a unit in the last
 * place):
 *   sigma   1.8 ulp, 9e-08 absolute
 *   tanh    1.4 ulp, 8.1e-08 absolute
 *   exp     1 ulp
 */
#ifndef BRACKETS_H
#define BRACKETS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BRACKETS_FEATURES 20 /* numbers that go in */
#define BRACKETS_OUTPUTS 40 /* numbers that come out: 20 by 2 */
#define BRACKETS_STEPS 20 /* time steps of a window */

/* Room for what is worked out on the way. It needs no start value, and may be shared by networks that do not run at the
 * same time. */
typedef struct {
    float memory[480];
} brackets_workspace;

/* A whole window. */
void brackets_window(brackets_workspace *work, const int32_t *x, float *y);

#ifdef __cplusplus
}
#endif

#endif
