/** Milliseconds in logarithmic bins: 32 per power of two, so a percentile is off by 2 % at most. */
const BINS_PER_OCTAVE = 32;
const BINS = 40 * BINS_PER_OCTAVE;

export class Histogram {
  bins = new Uint32Array(BINS);
  count = 0;
  max = 0;

  add(ms) {
    this.bins[
      Math.min(BINS - 1, Math.max(0, Math.floor(Math.log2(ms * 1000 + 1) * BINS_PER_OCTAVE)))
    ] += 1;
    this.count += 1;
    if (ms > this.max) this.max = ms;
  }

  percentile(share) {
    let left = Math.max(1, Math.round(share * this.count));
    for (let bin = 0; bin < BINS; bin += 1) {
      left -= this.bins[bin];
      if (left <= 0) return Math.min(this.max, (2 ** ((bin + 0.5) / BINS_PER_OCTAVE) - 1) / 1000);
    }
    return this.max;
  }

  summary() {
    if (this.count === 0) return null;
    return {
      count: this.count,
      p50: this.percentile(0.5),
      p90: this.percentile(0.9),
      p99: this.percentile(0.99),
      p999: this.percentile(0.999),
      max: this.max,
    };
  }
}
