//! Brings prompts to one loudness, so that no two of a campaign differ.

use super::limit;

/// Loudness of every prompt in LUFS. Speech at this level has the strength of a clear talker on a
/// telephone line.
const TARGET: f32 = -19.0;
/// Never more than this is added: it would be noise.
const MOST_GAIN: f32 = 30.0;
/// −1 dBTP.
const CEILING: f32 = 0.891_250_9;

/// Levels `samples`, whose loudness was measured; gives what was added in dB.
pub(super) fn level(samples: &mut [f32], loudness: Option<f32>) -> f32 {
    let gain = loudness.map_or(0.0, |loudness| (TARGET - loudness).min(MOST_GAIN));
    let factor = 10_f32.powf(gain / 20.0);
    for sample in &mut *samples {
        *sample *= factor;
    }
    if limit::limit(samples, CEILING) {
        tracing::debug!(gain, "peaks of a prompt were held down");
    }
    gain
}
