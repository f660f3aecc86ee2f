//! How alike two sounds are, and how far one lags behind the other.

/// The best normalised cross-correlation of `a` against `b`: the lag in samples at which it is
/// found, and its value from -1 to 1.
///
/// A positive lag means that `a` comes later: `a[n + lag]` is held against `b[n]`. Only lags of at
/// most `max_lag` either way are tried, each over the part where both overlap, with the means taken
/// off. A lag whose overlap is shorter than half of the shorter sound does not count, since a few
/// samples are alike by chance. Silence is like nothing: 0.
pub(crate) fn correlate(a: &[f32], b: &[f32], max_lag: usize) -> (isize, f64) {
    let least = a.len().min(b.len()).div_ceil(2).max(1);
    let (one, two) = (Sums::of(a), Sums::of(b));
    let products = products(a, b);
    let mut best = (0, 0.0_f64);
    for lag in -(max_lag as isize)..=max_lag as isize {
        let (from_a, from_b) = (lag.max(0) as usize, (-lag).max(0) as usize);
        let length = a.len().saturating_sub(from_a).min(b.len().saturating_sub(from_b));
        if length < least {
            continue;
        }
        let n = length as f64;
        let (sum_a, square_a) = one.between(from_a, length);
        let (sum_b, square_b) = two.between(from_b, length);
        let spread = ((square_a - sum_a * sum_a / n) * (square_b - sum_b * sum_b / n)).sqrt();
        // Rounding leaves a trace of spread in a constant sound.
        if spread > 1e-6 {
            let product = products[lag.rem_euclid(products.len() as isize) as usize];
            let alike = (product - sum_a * sum_b / n) / spread;
            if alike.abs() > best.1.abs() {
                best = (lag, alike);
            }
        }
    }
    best
}

/// Running sums of samples and of their squares.
struct Sums(Vec<(f64, f64)>);

impl Sums {
    fn of(sound: &[f32]) -> Self {
        let mut sums = vec![(0.0, 0.0)];
        let (mut sum, mut square) = (0.0, 0.0);
        for sample in sound {
            let sample = f64::from(*sample);
            sum += sample;
            square += sample * sample;
            sums.push((sum, square));
        }
        Self(sums)
    }

    fn between(&self, from: usize, length: usize) -> (f64, f64) {
        let (start, end) = (self.0[from], self.0[from + length]);
        (end.0 - start.0, end.1 - start.1)
    }
}

/// A complex number.
type Complex = (f64, f64);

const fn times(one: Complex, two: Complex) -> Complex {
    (one.0 * two.0 - one.1 * two.1, one.0 * two.1 + one.1 * two.0)
}

/// The sum of `a[n + lag] * b[n]` for every lag, a negative one counted from the end.
fn products(a: &[f32], b: &[f32]) -> Vec<f64> {
    let size = (a.len() + b.len()).next_power_of_two();
    let spectrum = |sound: &[f32]| {
        let mut values: Vec<Complex> = sound.iter().map(|x| (f64::from(*x), 0.0)).collect();
        values.resize(size, (0.0, 0.0));
        transform(&mut values);
        values
    };
    let mut both: Vec<Complex> =
        spectrum(a).iter().zip(spectrum(b)).map(|(x, y)| times(*x, (y.0, -y.1))).collect();
    // The inverse by the forward transform: conjugate, transform, conjugate, divide. What is wanted
    // is the real part, so that the second conjugate is left out.
    for value in &mut both {
        value.1 = -value.1;
    }
    transform(&mut both);
    both.iter().map(|value| value.0 / size as f64).collect()
}

/// The discrete Fourier transform in place, of a power of two of values (Cooley and Tukey).
fn transform(values: &mut [Complex]) {
    let size = values.len();
    let bits = size.trailing_zeros();
    for n in 1..size {
        let mirrored = n.reverse_bits() >> (usize::BITS - bits);
        if n < mirrored {
            values.swap(n, mirrored);
        }
    }
    let mut half = 1;
    while half < size {
        let angle = -std::f64::consts::PI / half as f64;
        let turns: Vec<Complex> = (0..half)
            .map(|n| {
                let (im, re) = (angle * n as f64).sin_cos();
                (re, im)
            })
            .collect();
        for block in values.chunks_exact_mut(half * 2) {
            let (low, high) = block.split_at_mut(half);
            for ((x, y), turn) in low.iter_mut().zip(high).zip(&turns) {
                let turned = times(*y, *turn);
                *y = (x.0 - turned.0, x.1 - turned.1);
                *x = (x.0 + turned.0, x.1 + turned.1);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64, length: usize) -> Vec<f32> {
        let mut dice = base::Dice::new(seed);
        (0..length).map(|_| dice.roll(20_001) as f32 / 10_000.0 - 1.0).collect()
    }

    #[test]
    fn a_sound_is_like_itself_at_the_lag_by_which_it_was_moved() {
        let sound = noise(1, 2_000);
        let later: Vec<f32> = vec![0.0; 137].into_iter().chain(sound.iter().copied()).collect();
        let (lag, alike) = correlate(&later, &sound, 400);
        assert_eq!(lag, 137);
        assert!(alike > 0.999, "{alike}");
        let (lag, alike) = correlate(&sound, &later, 400);
        assert_eq!(lag, -137);
        assert!(alike > 0.999, "{alike}");
    }

    #[test]
    fn products_are_those_of_the_definition() {
        let (a, b) = (noise(8, 30), noise(9, 21));
        let fast = products(&a, &b);
        for lag in -20_isize..30 {
            let slow: f64 = (0..21)
                .filter_map(|n| {
                    let x = a.get(usize::try_from(n + lag).ok()?)?;
                    Some(f64::from(*x) * f64::from(b[n as usize]))
                })
                .sum();
            let fast = fast[lag.rem_euclid(fast.len() as isize) as usize];
            assert!((fast - slow).abs() < 1e-9, "{lag}: {fast} {slow}");
        }
    }

    #[test]
    fn loudness_and_offset_change_nothing_and_a_turned_sign_is_seen() {
        let sound = noise(2, 1_000);
        let quiet: Vec<f32> = sound.iter().map(|x| x * 0.1 + 0.3).collect();
        assert!(correlate(&quiet, &sound, 10).1 > 0.999);
        let turned: Vec<f32> = sound.iter().map(|x| -x).collect();
        let (lag, alike) = correlate(&turned, &sound, 10);
        assert_eq!(lag, 0);
        assert!(alike < -0.999, "{alike}");
    }

    #[test]
    fn different_sounds_and_silence_are_not_alike() {
        let alike = correlate(&noise(3, 4_000), &noise(4, 4_000), 200).1;
        assert!(alike.abs() < 0.2, "{alike}");
        assert_eq!(correlate(&[0.0; 500], &noise(5, 500), 50), (0, 0.0));
        assert_eq!(correlate(&[0.25; 500], &noise(5, 500), 50), (0, 0.0));
        assert_eq!(correlate(&[], &noise(5, 500), 50), (0, 0.0));
    }

    #[test]
    fn a_short_overlap_does_not_count() {
        // The last sample of one equals the first of the other, which alone would be a full match.
        let (lag, _) = correlate(&noise(6, 100), &noise(7, 100), 99);
        assert!(lag.abs() <= 50, "{lag}");
    }
}
