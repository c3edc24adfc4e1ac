//! Chance that can be repeated.

use std::env;
use std::time::SystemTime;

/// The variable `SEED`, else the clock; says it on stderr.
///
/// # Panics
/// `SEED` is no number.
#[must_use]
pub fn seed() -> u64 {
    let clock = || SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
    let given = env::var("SEED").ok().filter(|text| !text.is_empty());
    let seed = given.map_or_else(|| clock().as_nanos() as u64, |text| number(&text));
    eprintln!("seed: {seed} (SEED={seed} repeats it)");
    seed
}

/// Marsaglia's xorshift64.
pub struct Random(u64);

impl Random {
    /// With a [`seed`].
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn seeded() -> Self {
        Self::from(seed())
    }

    /// A number below `limit`, which is not 0.
    pub const fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

impl From<u64> for Random {
    /// Seeded so. Of 0 xorshift would make nothing but 0.
    fn from(seed: u64) -> Self {
        Self(seed | 1)
    }
}

fn number(text: &str) -> u64 {
    let number = text.parse();
    number.unwrap_or_else(|_| panic!("SEED={text}: no number"))
}
