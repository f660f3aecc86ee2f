//! Sound for checks: a sine as a WAV file.

/// A mono 16-bit WAV of `seconds` of a sine of `hertz` at half of full scale.
pub(crate) fn wav(rate: u32, seconds: f64, hertz: f64) -> Vec<u8> {
    let samples = (f64::from(rate) * seconds) as u32;
    let mut out = Vec::with_capacity(44 + samples as usize * 2);
    let size = samples * 2;
    out.extend(b"RIFF");
    out.extend((36 + size).to_le_bytes());
    out.extend(b"WAVEfmt ");
    out.extend(16_u32.to_le_bytes());
    out.extend(1_u16.to_le_bytes());
    out.extend(1_u16.to_le_bytes());
    out.extend(rate.to_le_bytes());
    out.extend((rate * 2).to_le_bytes());
    out.extend(2_u16.to_le_bytes());
    out.extend(16_u16.to_le_bytes());
    out.extend(b"data");
    out.extend(size.to_le_bytes());
    for n in 0..samples {
        let angle = std::f64::consts::TAU * hertz * f64::from(n) / f64::from(rate);
        out.extend(((angle.sin() * 16_384.0) as i16).to_le_bytes());
    }
    out
}
