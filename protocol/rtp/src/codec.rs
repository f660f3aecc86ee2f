//! G.711: its names on the wire and its tables.

use std::fmt;

/// Samples in a second; both companding laws run at this rate.
pub const SAMPLE_RATE: u32 = 8_000;
/// Samples, and G.711 bytes, in one 20 ms packet.
pub const FRAME_SAMPLES: usize = 160;

/// A companding law of ITU-T G.711. One byte is one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// µ-law, RTP payload type 0.
    Pcmu,
    /// A-law, RTP payload type 8.
    Pcma,
}

impl Codec {
    /// Every codec, in the order in which we offer them.
    pub const ALL: [Self; 2] = [Self::Pcma, Self::Pcmu];

    /// The static payload type (RFC 3551, 6).
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// The codec of a static payload type.
    pub const fn of_payload_type(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Pcmu),
            8 => Some(Self::Pcma),
            _ => None,
        }
    }

    /// The encoding name of SDP and of settings: `PCMU` or `PCMA`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// The codec of an encoding name, upper or lower case (RFC 4855, 3).
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// The byte that stands for no sound. A-law has no zero; its silence is the sample 8.
    pub const fn silence(self) -> u8 {
        match self {
            Self::Pcmu => 0xFF,
            Self::Pcma => 0xD5,
        }
    }

    /// The 16-bit sample of a byte.
    #[inline]
    pub const fn decode(self, byte: u8) -> i16 {
        match self {
            Self::Pcmu => MU_LAW[byte as usize],
            Self::Pcma => A_LAW[byte as usize],
        }
    }

    /// The byte whose sample is nearest to `sample`, as the reference encoder chooses it.
    #[inline]
    pub const fn encode(self, sample: i16) -> u8 {
        match self {
            Self::Pcmu => encode_mu(sample),
            Self::Pcma => encode_a(sample),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const MU_LAW: [i16; 256] = table(true);
const A_LAW: [i16; 256] = table(false);
const MU_BIAS: i32 = 0x84;
const MU_CLIP: i32 = 32_635;

const fn table(mu: bool) -> [i16; 256] {
    let mut samples = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        samples[byte] = if mu { decode_mu(byte as u8) } else { decode_a(byte as u8) };
        byte += 1;
    }
    samples
}

const fn decode_mu(byte: u8) -> i16 {
    let byte = !byte;
    let magnitude = (((byte as i32 & 0x0F) << 3) + MU_BIAS) << ((byte >> 4) & 7);
    (if byte & 0x80 == 0 { magnitude - MU_BIAS } else { MU_BIAS - magnitude }) as i16
}

const fn encode_mu(sample: i16) -> u8 {
    let negative = sample < 0;
    let mut magnitude = (sample as i32).abs();
    if magnitude > MU_CLIP {
        magnitude = MU_CLIP;
    }
    magnitude += MU_BIAS;
    let segment = 24 - magnitude.leading_zeros() as i32;
    let mantissa = (magnitude >> (segment + 3)) & 0x0F;
    !((if negative { 0x80 } else { 0 }) | (segment << 4) | mantissa) as u8
}

const fn decode_a(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (segment, mantissa) = ((byte >> 4) & 7, (byte as i32 & 0x0F) << 4);
    let magnitude =
        if segment == 0 { mantissa + 8 } else { (mantissa + 0x108) << (segment as i32 - 1) };
    (if byte & 0x80 == 0 { -magnitude } else { magnitude }) as i16
}

const fn encode_a(sample: i16) -> u8 {
    // A-law's negative side is the one's complement of its positive side, hence the `!`.
    let (sign, magnitude) = if sample < 0 { (0, !(sample as i32)) } else { (0x80, sample as i32) };
    let segment = if magnitude < 256 { 0 } else { 24 - magnitude.leading_zeros() as i32 };
    let shift = if segment < 2 { 4 } else { segment + 3 };
    ((sign | (segment << 4) | ((magnitude >> shift) & 0x0F)) ^ 0x55) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for codec in Codec::ALL {
            for byte in 0..=255 {
                // µ-law has two zeros; the encoder gives the positive one.
                let expected = if codec == Codec::Pcmu && byte == 0x7F { 0xFF } else { byte };
                assert_eq!(codec.encode(codec.decode(byte)), expected, "{codec} {byte:#x}");
            }
        }
    }

    #[test]
    fn the_tables_are_those_of_g711() {
        // G.711 tables 1a to 2b, scaled from 13 and 14 bits to 16.
        assert_eq!(Codec::Pcmu.decode(0x80), 32_124);
        assert_eq!(Codec::Pcmu.decode(0x00), -32_124);
        assert_eq!(Codec::Pcmu.decode(0xFF), 0);
        assert_eq!(Codec::Pcmu.decode(0xF0), 120);
        assert_eq!(Codec::Pcma.decode(0xD5), 8);
        assert_eq!(Codec::Pcma.decode(0x55), -8);
        assert_eq!(Codec::Pcma.decode(0xAA), 32_256);
        assert_eq!(Codec::Pcma.decode(0x2A), -32_256);
    }

    #[test]
    fn encoding_takes_the_nearest_step() {
        for codec in Codec::ALL {
            for sample in i16::MIN..=i16::MAX {
                let error =
                    (i32::from(codec.decode(codec.encode(sample))) - i32::from(sample)).abs();
                // Half a step is 1/32 of the magnitude; the least step is 8 (µ) or 16 (A).
                let allowed = (i32::from(sample).abs() + MU_BIAS) / 32 + 8;
                assert!(
                    error <= allowed.max(0) || i32::from(sample).abs() > 32_124,
                    "{codec} {sample}: {error}"
                );
            }
        }
    }

    #[test]
    fn names_and_payload_types_lead_back() {
        for codec in Codec::ALL {
            assert_eq!(Codec::of_name(&codec.name().to_lowercase()), Some(codec));
            assert_eq!(Codec::of_payload_type(codec.payload_type()), Some(codec));
            assert!(i32::from(codec.decode(codec.silence())).abs() <= 8);
        }
        assert_eq!(Codec::of_name("G729"), None);
        assert_eq!(Codec::of_payload_type(18), None);
    }
}
