//! Chance whose seed is given, so that the same seed gives the same day.

/// SplitMix64 (Steele, Lea, Flood: *Fast splittable pseudorandom number generators*, 2014). Not for
/// secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall the same way for the same seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 to `sides` − 1; 0 when there are no sides.
    pub const fn roll(&mut self, sides: u64) -> u64 {
        if sides == 0 { 0 } else { self.bits() % sides }
    }

    /// True in `percent` of 100 throws.
    pub const fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_falls_the_same_way() {
        let (mut one, mut two) = (Dice::new(7), Dice::new(7));
        assert!((0..100).all(|_| one.bits() == two.bits()));
        assert_ne!(Dice::new(8).bits(), Dice::new(7).bits());
        assert_eq!(Dice::new(1).roll(0), 0);
    }
}
