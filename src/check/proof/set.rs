//! Sets of 64-bit numbers, as sorted intervals: what is known of a number that is not known.

/// Intervals, both ends included, sorted, with a gap between each two.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Set(pub Vec<(u64, u64)>);

/// The greatest number of so many bits.
#[must_use]
pub const fn mask(bits: u32) -> u64 {
    u64::MAX >> (64 - bits)
}

impl Set {
    /// Every number of so many bits.
    #[must_use]
    pub fn all(bits: u32) -> Self {
        Self(vec![(0, mask(bits))])
    }

    /// One number.
    #[must_use]
    pub fn one(number: u64) -> Self {
        Self(vec![(number, number)])
    }

    /// Of intervals in any order.
    #[must_use]
    pub fn of(mut intervals: Vec<(u64, u64)>) -> Self {
        intervals.sort_unstable();
        let mut set: Vec<(u64, u64)> = Vec::with_capacity(intervals.len());
        for (low, high) in intervals {
            match set.last_mut() {
                Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
                _ => set.push((low, high)),
            }
        }
        Self(set)
    }

    /// From a signed number to another.
    #[must_use]
    pub fn signed(low: i64, high: i64) -> Self {
        if low < 0 && high >= 0 {
            Self::of(vec![(0, high as u64), (low as u64, u64::MAX)])
        } else {
            Self(vec![(low as u64, high as u64)])
        }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The only number.
    #[must_use]
    pub fn only(&self) -> Option<u64> {
        match self.0[..] {
            [(low, high)] if low == high => Some(low),
            _ => None,
        }
    }

    /// The least and the greatest.
    #[must_use]
    pub fn ends(&self) -> (u64, u64) {
        let first = self.0.first().map_or(0, |first| first.0);
        (first, self.0.last().map_or(0, |last| last.1))
    }

    /// What is in both.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let (mut one, mut two, mut both) = (0, 0, Vec::new());
        while let (Some(a), Some(b)) = (self.0.get(one), other.0.get(two)) {
            let (low, high) = (a.0.max(b.0), a.1.min(b.1));
            if low <= high {
                both.push((low, high));
            }
            if a.1 < b.1 { one += 1 } else { two += 1 }
        }
        Self(both)
    }

    /// Every other number of so many bits.
    #[must_use]
    pub fn not(&self, bits: u32) -> Self {
        let (mut next, mut rest) = (Some(0), Vec::new());
        for &(low, high) in &self.0 {
            if let Some(from) = next.filter(|from| *from < low) {
                rest.push((from, low - 1));
            }
            next = high.checked_add(1);
        }
        if let Some(from) = next.filter(|from| *from <= mask(bits)) {
            rest.push((from, mask(bits)));
        }
        Self(rest)
    }

    /// What is in this one only.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.and(&other.not(64))
    }

    /// Whether all of it is in the other.
    #[must_use]
    pub fn within(&self, other: &Self) -> bool {
        self.minus(other).is_empty()
    }

    /// Each number plus another, modulo 2^64.
    #[must_use]
    pub fn plus(&self, add: u64) -> Self {
        self.ends_by(|end| end.wrapping_add(add))
    }

    /// Each number's negative.
    #[must_use]
    pub fn negated(&self) -> Self {
        let turned = self.0.iter().map(|&(low, high)| (high, low)).collect();
        Self(turned).ends_by(u64::wrapping_neg)
    }

    /// Intervals whose ends have been moved around the circle of numbers.
    fn ends_by(&self, moved: impl Fn(u64) -> u64) -> Self {
        let mut all = Vec::new();
        for &(low, high) in &self.0 {
            match (moved(low), moved(high)) {
                (low, high) if low <= high => all.push((low, high)),
                (low, high) => all.extend([(low, u64::MAX), (0, high)]),
            }
        }
        Self::of(all)
    }

    /// The lowest bits of each number.
    #[must_use]
    pub fn truncated(&self, bits: u32) -> Self {
        let mut all = Vec::new();
        for &(low, high) in &self.0 {
            let (from, to) = (low & mask(bits), high & mask(bits));
            match high - low >= mask(bits) {
                true => all.push((0, mask(bits))),
                false if from <= to => all.push((from, to)),
                false => all.extend([(from, mask(bits)), (0, to)]),
            }
        }
        Self::of(all)
    }

    /// Each number of so many bits with its sign.
    #[must_use]
    pub fn extended(&self, bits: u32) -> Self {
        let top = 1 << (bits - 1);
        let low = self.and(&Self(vec![(0, top - 1)]));
        let high = self.and(&Self(vec![(top, mask(bits))]));
        let high = high
            .0
            .iter()
            .map(|&(a, b)| (a | !mask(bits), b | !mask(bits)));
        Self::of(low.0.iter().copied().chain(high).collect())
    }
}
