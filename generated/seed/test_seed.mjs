/**
 * Checks seed.mjs against recorded numbers: node test_seed.mjs
 *
 * The expected values are the equations evaluated in exact arithmetic on the stored weights, rounded once.
 * The tolerance is 4 times plain float64's own error, the largest at 32 inputs within a thousandth of each, (or half an
 * ulp of the largest value) plus 2 ulps.
 *
 * Made by symgru 0.1.0 from templates/js/test.js.j2.
 * Model SHA-256 7ab52df56512f96e90284ef9cce36a4bb792cf325fa485c669f327660d92c24c.
 * 0BSD: do with this file what you like (SPDX-License-Identifier: 0BSD).
 */

import assert from "node:assert/strict";
import { predict, step, reset } from "./seed.mjs";

// each sample: one array for each input
const X = [
  [
    [[1],
     [2],
     [9],
     [8]],
  ],
];
// each sample: one array for each output
const Y = [
  [
    [-0.4627953868173388],
  ],
];
const TOLERANCES = [5.6e-16];

/** The largest difference between nested arrays of one shape. */
function difference(found, right) {
  if (!Array.isArray(right)) return typeof found === "number" ? Math.abs(found - right) : NaN;
  assert.equal(found.length, right.length);
  return right.reduce((largest, part, k) => Math.max(largest, difference(found[k], part)), 0);
}

const outputs = (y) => [y];

const worst = TOLERANCES.map((tolerance, k) => {
  const differences = X.map((x, sample) => difference(outputs(predict(...x))[k], Y[sample][k]));
  const largest = Math.max(...differences);
  assert.ok(largest <= tolerance, `output ${k}: largest difference ${largest} of at most ${tolerance}`);
  return largest;
});

// step by step it is the same
X.forEach((x, sample) => {
  reset();
  const every = x[0].map((_, t) => outputs(step(...x.map((one) => one[t]))));
  assert.ok(difference(every.at(-1)[0], Y[sample][0]) <= TOLERANCES[0]);
});

console.log(`seed: largest difference ${worst.join(", ")} of at most 5.6e-16`);
