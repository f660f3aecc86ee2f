//! A limiter that looks ahead: no click is clipped, none is heard as one.

use std::collections::VecDeque;

/// Samples that the gain looks ahead and holds, each: 10 ms.
const REACH: usize = 80;
/// Oversampling of the true-peak estimate (BS.1770-4, annex 2).
const PHASES: usize = 4;
const HALF: usize = 6;

/// Holds `samples` below `ceiling`, in place; whether anything was held down.
///
/// The gain wanted at each sample is spread over the samples around it as a running minimum and
/// then smoothed by a mean of the same width, so it is never above what was wanted.
pub(super) fn limit(samples: &mut [f32], ceiling: f32) -> bool {
    let kernel = kernel();
    let wanted = |samples: &[f32], n: usize| {
        let peak = true_peak(&kernel, samples, n);
        if peak > ceiling { ceiling / peak } else { 1.0 }
    };
    if (0..samples.len()).all(|n| wanted(samples, n) >= 1.0) {
        return false;
    }
    // Sample n leaves when the gains up to n + 2 × REACH are known. The peaks are read far enough
    // ahead that no sample has been changed yet.
    let (mut minimum, mut mean) = (Minimum::default(), Mean::default());
    for n in 0..samples.len() + 2 * REACH {
        minimum.push(n, if n < samples.len() { wanted(samples, n) } else { 1.0 });
        let Some(middle) = n.checked_sub(REACH) else { continue };
        mean.push(minimum.least(middle.saturating_sub(REACH)));
        if let Some(leaving) = middle.checked_sub(REACH) {
            samples[leaving] *= mean.mean();
        }
    }
    true
}

/// The least of the last 2 × REACH + 1 wishes.
#[derive(Default)]
struct Minimum(VecDeque<(usize, f32)>);

impl Minimum {
    fn push(&mut self, at: usize, value: f32) {
        while self.0.pop_back_if(|(_, older)| *older >= value).is_some() {}
        self.0.push_back((at, value));
    }

    fn least(&mut self, from: usize) -> f32 {
        while self.0.pop_front_if(|(at, _)| *at < from).is_some() {}
        self.0.front().map_or(1.0, |(_, value)| *value)
    }
}

/// The mean of the last 2 × REACH + 1 minima.
#[derive(Default)]
struct Mean {
    last: VecDeque<f32>,
    sum: f64,
}

impl Mean {
    fn push(&mut self, value: f32) {
        self.last.push_back(value);
        self.sum += f64::from(value);
        if self.last.len() > 2 * REACH + 1
            && let Some(gone) = self.last.pop_front()
        {
            self.sum -= f64::from(gone);
        }
    }

    fn mean(&self) -> f32 {
        // Rounding must not lift it.
        (self.sum / self.last.len() as f64 * (1.0 - 1e-6)) as f32
    }
}

/// The loudest of a sample and of the curve up to the next one.
fn true_peak(kernel: &[[f32; 2 * HALF]; PHASES - 1], samples: &[f32], n: usize) -> f32 {
    let between = kernel.iter().map(|taps| {
        let start = n + 1;
        let sum: f32 = taps
            .iter()
            .enumerate()
            .filter_map(|(tap, weight)| {
                let at = (start + tap).checked_sub(HALF)?;
                samples.get(at).map(|sample| sample * weight)
            })
            .sum();
        sum.abs()
    });
    between.fold(samples[n].abs(), f32::max)
}

/// Windowed sinc between two samples, for each quarter of the way.
fn kernel() -> [[f32; 2 * HALF]; PHASES - 1] {
    std::array::from_fn(|phase| {
        let way = (phase + 1) as f32 / PHASES as f32;
        std::array::from_fn(|tap| {
            let distance = tap as f32 + 1.0 - HALF as f32 - way;
            let angle = std::f32::consts::PI * distance;
            let window = (angle / (2.0 * HALF as f32)).cos().powi(2);
            angle.sin() / angle * window
        })
    })
}

#[cfg(test)]
mod tests {
    use std::f32::consts::PI;

    use super::*;

    #[test]
    fn nothing_passes_the_ceiling_and_quiet_parts_stay() {
        let mut samples: Vec<f32> =
            (0..8_000).map(|n| 0.2 * (2.0 * PI * 300.0 * n as f32 / 8_000.0).sin()).collect();
        let before = samples.clone();
        samples[4_000] = 3.0;
        samples[4_001] = -2.5;
        assert!(limit(&mut samples, 0.9));
        let kernel = kernel();
        let peak = (0..8_000).map(|n| true_peak(&kernel, &samples, n)).fold(0.0, f32::max);
        assert!(peak <= 0.95, "{peak}");
        assert!(samples.iter().all(|x| x.abs() <= 0.9));
        for n in (0..3_800).chain(4_200..8_000) {
            assert!((samples[n] - before[n]).abs() < 1e-5, "{n}");
        }
    }

    #[test]
    fn a_peak_between_the_samples_is_seen() {
        // A quarter of the sampling rate, sampled at 45°: samples at 0.71, peaks at 1.
        let tone: Vec<f32> = (0..400).map(|n| (PI / 2.0 * n as f32 + PI / 4.0).sin()).collect();
        let peak = true_peak(&kernel(), &tone, 200);
        assert!((peak - 1.0).abs() < 0.02, "{peak}");
    }

    #[test]
    fn what_is_below_the_ceiling_is_not_touched() {
        let mut samples = vec![0.5, -0.4, 0.3, 0.1];
        assert!(!limit(&mut samples, 0.9));
        assert_eq!(samples, [0.5, -0.4, 0.3, 0.1]);
    }
}
