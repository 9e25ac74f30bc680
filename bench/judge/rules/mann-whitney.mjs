// The two-sample rank test and its shift interval, as the judge of Kayenta uses them.

/**
 * U of the first sample and its standard score, with the corrections for ties and continuity.
 * @param {readonly number[]} x
 * @param {readonly number[]} y
 * @returns {{ u: number, z: number }}
 * @source H. B. Mann, D. R. Whitney, Annals of Mathematical Statistics 18 (1947) 50-60; ties: E. L. Lehmann,
 * Nonparametrics (1975), section 1.4
 */
export function mannWhitney(x, y) {
  const { u, centred, sigma } = rankSum(ascending(x), ascending(y), 0);
  return { u, z: sigma === 0 ? 0 : (centred - 0.5 * Math.sign(centred)) / sigma };
}

/**
 * Interval and Hodges-Lehmann estimate of the shift x - y: the shifts that the test does not reject.
 * @param {readonly number[]} x
 * @param {readonly number[]} y
 * @param {number} z standard normal quantile of the interval's end, 2.326 for 98 %
 * @returns {{ lower: number, upper: number, estimate: number, zAtZero: number }}
 * @source as `wilcox.test(x, y, conf.int = TRUE, exact = FALSE)` of R documents it: the root of the continuity-corrected
 * standard score in the shift; J. L. Hodges, E. L. Lehmann, Annals of Mathematical Statistics 34 (1963) 598-611
 */
export function shiftInterval(x, y, z) {
  const [sortedX, sortedY] = [ascending(x), ascending(y)];
  const low = sortedX[0] - sortedY[sortedY.length - 1];
  const high = sortedX[sortedX.length - 1] - sortedY[0];
  const score = (shift) => {
    const { centred, sigma } = rankSum(sortedX, sortedY, shift);
    return sigma === 0 ? 0 : (centred - 0.5 * Math.sign(centred)) / sigma;
  };
  const root = (target) => lastAbove((shift) => score(shift) > target, low, high);
  return { lower: root(z), upper: root(-z), estimate: root(0), zAtZero: score(0) };
}

/** Where a predicate that holds at first stops to hold; the ends when it never or always holds. */
function lastAbove(isAbove, low, high) {
  if (!isAbove(low)) return low;
  if (isAbove(high)) return high;
  let [inside, outside] = [low, high];
  for (let step = 0; step < 48; step++) {
    const middle = (inside + outside) / 2;
    if (isAbove(middle)) inside = middle;
    else outside = middle;
  }
  return (inside + outside) / 2;
}

function ascending(values) {
  return Float64Array.from(values).sort();
}

/** U of x - shift against y by one merge of both ascending samples, centred on its mean, and its deviation. */
function rankSum(x, y, shift) {
  const [m, n] = [x.length, y.length];
  let [i, j, ranks, tieTerm] = [0, 0, 0, 0];
  while (i < m || j < n) {
    const value = Math.min(i < m ? x[i] - shift : Number.POSITIVE_INFINITY, j < n ? y[j] : Number.POSITIVE_INFINITY);
    const before = i + j;
    const firstX = i;
    while (i < m && x[i] - shift === value) i++;
    while (j < n && y[j] === value) j++;
    const tied = i + j - before;
    ranks += (i - firstX) * (before + (tied + 1) / 2);
    tieTerm += tied ** 3 - tied;
  }
  const u = ranks - (m * (m + 1)) / 2;
  const total = m + n;
  const variance = ((m * n) / 12) * (total + 1 - tieTerm / (total * (total - 1)));
  return { u, centred: u - (m * n) / 2, sigma: Math.sqrt(Math.max(0, variance)) };
}
