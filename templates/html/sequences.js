// The sequence as somebody reads it otherwise, under the names of symgru's table of mistakes -----------------------------

/** Each takes the steps' lists of typed numbers and gives another sequence; sums are exact decimals. */
const SEQUENCES = {
  "summed into one step": (x) => [totals(x).map(typedSum)],
  "mean in one step": (x) => [totals(x).map((total) => typedSum(meanOf(total, x.length)))],
  "reversed": (x) => [...x].reverse(),
  "first step only": (x) => x.slice(0, 1),
  "last step dropped": (x) => (x.length > 1 ? x.slice(0, -1) : x),
  "zeros skipped": (x) => orAll(x.filter((row) => row.some((text) => Number(text) !== 0)), x),
  "carried over": (x) => [...x, ...x],
  "column by column": byColumns,
};

const SHOWN_OF_A_MEAN = 15; // significant digits of 20/3
const orAll = (some, all) => (some.length ? some : all);
const totals = (x) => x[0].map((_, k) => x.reduce((total, row) => add(total, decimalOf(row[k])), ZERO));

function meanOf(total, count) {
  const mean = divide(total, { n: BigInt(count), e: 0 });
  return roundTo(mean, leading(mean) - SHOWN_OF_A_MEAN + 1);
}

/** A decimal as one types it: 20, 0.3. */
function typedSum({ n, e }) {
  let [digits, power] = [n, e];
  while (digits !== 0n && digits % 10n === 0n) [digits, power] = [digits / 10n, power + 1];
  return plain({ n: digits, e: power });
}

/** Down the columns of (time, features); the steps of one feature lie as a table of the fewest rows above 1. */
function byColumns(x) {
  const [steps, features, flat] = [x.length, x[0].length, x.flat()];
  const fewest = each(steps, (k) => k).find((k) => k > 1 && steps % k === 0) ?? 1;
  const rows = features > 1 ? steps : fewest;
  const columns = flat.length / rows;
  const turned = each(flat.length, (k) => flat[(k % rows) * columns + Math.floor(k / rows)]);
  return each(steps, (t) => turned.slice(t * features, (t + 1) * features));
}
