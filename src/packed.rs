//! Texts that src/build.rs has packed (src/pack.rs says how), and how to read them; an expected trace,
//! which is made of such.

/// The two symbols of each pair.
static PAIRS: &[[u16; 2]] = &include!(concat!(env!("OUT_DIR"), "/pairs.rs"));

/// Stands in a packed text where a scenario passes on the number of the round.
pub const NUMBER: u8 = 1;

/// A text, packed.
#[derive(Clone, Copy)]
pub struct Packed(pub &'static [u8]);

impl Packed {
    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Hands the text over, byte by byte.
    pub fn unpack(self, to: &mut dyn FnMut(u8)) {
        let mut bytes = self.0.iter().copied().map(u16::from);
        while let Some(byte) = bytes.next() {
            let number = match byte.checked_sub(240) {
                None => byte,
                Some(high) => 240 + (high << 8 | bytes.next().unwrap_or_default()),
            };
            symbol(number, to);
        }
    }
}

/// An expected trace in pieces. Its lines are without the four blanks in front, and without the
/// last newline.
pub struct Trace {
    /// From the first byte to the start of the first call.
    pub head: Packed,
    /// The lines in front of the rounds, if the scenario counts these itself.
    pub front: Packed,
    /// The lines of a round, the last without its comma.
    pub round: Packed,
    /// The lines behind the rounds.
    pub back: Packed,
    /// From the last call to the first child's, or to the last byte.
    pub tail: Packed,
    /// The lines of a round's children, if there are any.
    pub children: Packed,
    /// From behind the last child to the last byte.
    pub end: Packed,
}

/// A character, or 128 and more: a pair.
fn symbol(number: u16, to: &mut dyn FnMut(u8)) {
    let pair = number.checked_sub(128).map(usize::from);
    match pair.and_then(|number| PAIRS.get(number)) {
        Some([first, second]) => {
            symbol(*first, to);
            symbol(*second, to);
        }
        None => to(number as u8),
    }
}
