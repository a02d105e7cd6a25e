/**
 * gru (1 -> 1) in JavaScript, for one sequence at a time.
 *
 *     import { predict } from "./seed.mjs";
 *     const y = predict(x); // x (time, 1) -> y (1)
 *
 * Made by symgru 0.1.0 from templates/js/module.js.j2.
 * Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
 * 0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
 */

/** The logistic function. */
function sigmoid(a) {
  return 1 / (1 + Math.exp(-a));
}

/**
 * Keras' GRU, reset_after=True (keras/src/layers/rnn/gru.py).
 *
 * @param {number[][]} x (time, features)
 * @param {Array} weights as get_weights() gives them: kernel (features, 3 * units),
 *   recurrent_kernel (units, 3 * units),
 *   bias (2, 3 * units)
 * @param {number[]} h (units), the state before the first step
 * @returns {number[][]} (time, units), the state after each step
 */
function gru(x, [kernel, recurrent_kernel, bias], h) {
  const units = h.length;
  const [W_z, W_r, W_n] = blocks(kernel, 3);
  const [U_z, U_r, U_n] = blocks(recurrent_kernel, 3);
  const [b_z, b_r, b_n] = split(bias[0], 3);
  const [c_z, c_r, c_n] = split(bias[1], 3);
  return x.map((x_t) => {
    const z = each(units, (i) => sigmoid(dot(W_z[i], x_t) + b_z[i] + dot(U_z[i], h) + c_z[i]));
    const r = each(units, (i) => sigmoid(dot(W_r[i], x_t) + b_r[i] + dot(U_r[i], h) + c_r[i]));
    const n = each(units, (i) => Math.tanh(dot(W_n[i], x_t) + b_n[i] + r[i] * (dot(U_n[i], h) + c_n[i])));
    h = each(units, (i) => z[i] * h[i] + (1 - z[i]) * n[i]);
    return h;
  });
}

/**
 * The model's output for one sequence, in double precision from weights and inputs as the model holds them, in single.
 *
 * @param {number[][]} x (time, 1)
 * @param {object} [options]
 * @param {Array} [options.weights] the model's get_weights() as nested arrays; WEIGHTS below if not given
 * @param {number[][]} [options.states] one array (units) for each recurrent layer,
 *   before the first step; zeros if not given
 * @param {boolean} [options.returnStates] also return the states after the last step, as { y, states }
 * @returns {number[]} (1)
 */
export function predict(x, { weights = WEIGHTS, states = null, returnStates = false } = {}) {
  if (!fits(x, [null, 1])) {
    throw new RangeError("x is not of the shape (time, 1) with at least one step, numbers in nested arrays");
  }
  x = float32(x);
  const [h_gru] = states ?? [zeros(1)];
  const y_gru = gru(x, weights.slice(0, 3), h_gru);
  const y = y_gru.at(-1);
  return returnStates ? { y, states: [y_gru.at(-1)] } : y;
}

let kept = null;

/** The output after one time step more of a recording that goes on; the states are kept until `reset()`. */
export function step(x) {
  const { y, states } = predict([x], { states: kept, returnStates: true });
  kept = states;
  return y;
}

/** Begin at states of 0 again. */
export function reset() {
  kept = null;
}

/** [f(0), f(1), ...] */
function each(length, f) {
  return Array.from({ length }, (_, i) => f(i));
}

function zeros(length) {
  return Array(length).fill(0);
}

/** The sum of the products, from left to right. */
function dot(a, b) {
  return a.reduce((sum, a_k, k) => sum + a_k * b[k], 0);
}

/** A vector cut into `count` parts of one length. */
function split(vector, count) {
  const length = vector.length / count;
  return each(count, (k) => vector.slice(k * length, (k + 1) * length));
}

/** A matrix (inputs, count * units) cut into `count` matrices (units, inputs): row i is what unit i reads. */
function blocks(matrix, count) {
  return split(matrix[0].map((_, i) => matrix.map((row) => row[i])), count);
}

/** Numbers as a model in single precision holds them. */
function float32(x) {
  return Array.isArray(x) ? x.map(float32) : Math.fround(x);
}

/** Whether nested arrays have a shape; null is any length but 0. */
function fits(x, [length, ...inner]) {
  if (length === undefined) return typeof x === "number";
  const long = Array.isArray(x) && (length === null ? x.length > 0 : x.length === length);
  return long && x.every((part) => fits(part, inner));
}

export const WEIGHTS = [
  // gru: kernel
  float32([[-0.90954137, 1.0425225, -0.04404902]]),
  // gru: recurrent_kernel
  float32([[0.24168766, 0.8981342, 0.36734456]]),
  // gru: bias
  float32([[0, 0, 0],
           [0, 0, 0]]),
];
