//! Durations in buckets that grow with the value: exact below 128 µs, within 1.6 % above, and no memory per sample.

const EXACT: u64 = 128;
/// Buckets per power of two above the exact ones.
const STEPS: usize = 64;

/// Durations in microseconds.
#[derive(Clone, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Histogram {
    /// Adds one duration.
    pub fn add(&mut self, micros: u64) {
        let bucket = bucket_of(micros);
        if bucket >= self.counts.len() {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.max = self.max.max(micros);
    }

    /// The milliseconds that a share of all durations stays within; `None` without any.
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        let wanted = (share * self.total as f64).ceil().max(1.0) as u64;
        let mut passed = 0;
        let bucket = self.counts.iter().position(|count| {
            passed += count;
            passed >= wanted
        })?;
        Some(upper_end(bucket).min(self.max) as f64 / 1000.0)
    }

    /// The longest, in milliseconds.
    pub fn max_ms(&self) -> Option<f64> {
        (self.total > 0).then_some(self.max as f64 / 1000.0)
    }
}

fn bucket_of(micros: u64) -> usize {
    if micros < EXACT {
        return micros as usize;
    }
    let power = micros.ilog2();
    let step = (micros >> (power - STEPS.ilog2())) as usize % STEPS;
    EXACT as usize + (power - EXACT.ilog2()) as usize * STEPS + step
}

fn upper_end(bucket: usize) -> u64 {
    let Some(above) = bucket.checked_sub(EXACT as usize) else {
        return bucket as u64;
    };
    let power = EXACT.ilog2() as usize + above / STEPS;
    let width = 1 << (power - STEPS.ilog2() as usize);
    (1 << power) + (above % STEPS) as u64 * width + width - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_falls_into_it() {
        for micros in (0..2_000).chain([123_456, 9_999_999, 3_600_000_000]) {
            let bucket = bucket_of(micros);
            assert!(upper_end(bucket) >= micros, "{micros}");
            assert!(bucket == 0 || upper_end(bucket - 1) < micros, "{micros}");
            assert!(upper_end(bucket) as f64 <= micros as f64 * 1.016 + 1.0, "{micros}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let mut histogram = Histogram::default();
        assert_eq!((histogram.quantile_ms(0.5), histogram.max_ms()), (None, None));
        (1..=100).for_each(|micros| histogram.add(micros));
        assert_eq!(histogram.quantile_ms(0.5), Some(0.05));
        assert_eq!(histogram.quantile_ms(0.99), Some(0.099));
        assert_eq!(histogram.max_ms(), Some(0.1));
    }
}
