//! Flags, and the conditions that are read from them.

use super::set::{Set, mask};
use super::value::{Id, Known, Table, Val};
use iced_x86::ConditionCode;

/// What the flags are of.
#[derive(Clone, Copy, Debug)]
pub enum Flags {
    /// These: carry, zero, sign, overflow.
    Known(bool, bool, bool, bool),
    /// Of the comparison of two values of so many bits.
    Compare(Val, Val, u32),
    /// Of a result of so many bits, without carry and overflow.
    Logic(Val, u32),
    /// Of a result, with nothing known of carry and overflow.
    Result(Val, u32),
    /// Nothing is known of the carry flag, and nobody may ask for another.
    Carry,
    /// Nobody has set them.
    Undef,
}

/// Whether a condition holds.
pub enum Decision {
    /// It does or does not.
    Sure(bool),
    /// It does if the value is in the set.
    If(Id, Set),
    /// Either may be.
    Open,
    /// It depends on what is not known.
    Unknown,
}

impl Flags {
    /// Of `one - two`.
    #[must_use]
    pub fn compare(one: Val, two: Val, bits: u32) -> Self {
        let (Val::Const(a), Val::Const(b)) = (one, two) else {
            return Self::Compare(one, two, bits);
        };
        let (top, result) = (1 << (bits - 1), a.wrapping_sub(b) & mask(bits));
        let overflow = (a ^ b) & (a ^ result) & top != 0;
        Self::Known(a < b, result == 0, result & top != 0, overflow)
    }

    /// Of `one + two`.
    #[must_use]
    pub fn sum(one: Val, two: Val, result: Val, bits: u32) -> Self {
        let (Val::Const(a), Val::Const(b), Val::Const(sum)) = (one, two, result) else {
            return Self::Result(result, bits);
        };
        let top = 1 << (bits - 1);
        let overflow = !(a ^ b) & (a ^ sum) & top != 0;
        Self::Known(sum < a, sum == 0, sum & top != 0, overflow)
    }

    /// Of a result that clears carry and overflow.
    #[must_use]
    pub fn logic(result: Val, bits: u32) -> Self {
        let Val::Const(number) = result else {
            return Self::Logic(result, bits);
        };
        Self::Known(false, number == 0, number >> (bits - 1) & 1 == 1, false)
    }

    /// Whether the condition holds.
    pub fn decide(self, table: &Table, known: &Known, code: ConditionCode) -> Decision {
        match self {
            Self::Known(carry, zero, sign, overflow) => {
                Decision::Sure(holds(code, carry, zero, sign, overflow))
            }
            Self::Carry if matches!(code, ConditionCode::b | ConditionCode::ae) => Decision::Open,
            Self::Compare(one, two, bits) => compared(table, known, code, one, two, bits),
            Self::Logic(result, bits) => against(table, known, code, result, 0, bits),
            Self::Result(result, bits) if zero_or_sign(code) => {
                against(table, known, code, result, 0, bits)
            }
            _ => Decision::Unknown,
        }
    }
}

fn zero_or_sign(code: ConditionCode) -> bool {
    use ConditionCode::{e, ne, ns, s};
    matches!(code, e | ne | s | ns)
}

fn holds(code: ConditionCode, carry: bool, zero: bool, sign: bool, overflow: bool) -> bool {
    use ConditionCode::{a, ae, b, be, e, g, ge, l, le, ne, no, ns, o, s};
    match code {
        o => overflow,
        no => !overflow,
        b => carry,
        ae => !carry,
        e => zero,
        ne => !zero,
        be => carry || zero,
        a => !carry && !zero,
        s => sign,
        ns => !sign,
        l => sign != overflow,
        ge => sign == overflow,
        le => zero || sign != overflow,
        g => !zero && sign == overflow,
        _ => false,
    }
}

fn compared(
    table: &Table,
    known: &Known,
    code: ConditionCode,
    one: Val,
    two: Val,
    bits: u32,
) -> Decision {
    match (table.settled(known, one), table.settled(known, two)) {
        (one, Val::Const(two)) => against(table, known, code, one, two, bits),
        (Val::Const(one), two) => match mirrored(code) {
            Some(code) => against(table, known, code, two, one, bits),
            None => Decision::Unknown,
        },
        (Val::Sym(one), Val::Sym(two)) => symbols(table, known, code, one, two),
        _ => Decision::Unknown,
    }
}

/// The condition with its two sides changed.
fn mirrored(code: ConditionCode) -> Option<ConditionCode> {
    use ConditionCode::{a, ae, b, be, e, g, ge, l, le, ne};
    Some(match code {
        b => a,
        a => b,
        be => ae,
        ae => be,
        l => g,
        g => l,
        le => ge,
        ge => le,
        e | ne => code,
        _ => return None,
    })
}

/// Two values: all that can be known is whether they are equal.
fn symbols(table: &Table, known: &Known, code: ConditionCode, one: Id, two: Id) -> Decision {
    let equal = match (table.split(one), table.split(two)) {
        _ if one == two => true,
        (a, b) if a.0 == b.0 && a.1 != b.1 => false,
        _ if known.differs(one, two) => false,
        _ if table
            .range(known, one)
            .and(&table.range(known, two))
            .is_empty() =>
        {
            false
        }
        _ => return Decision::Unknown,
    };
    match code {
        ConditionCode::e => Decision::Sure(equal),
        ConditionCode::ne => Decision::Sure(!equal),
        _ => Decision::Unknown,
    }
}

/// A value and a number.
fn against(
    table: &Table,
    known: &Known,
    code: ConditionCode,
    val: Val,
    number: u64,
    bits: u32,
) -> Decision {
    let Val::Sym(id) = table.settled(known, val) else {
        let Val::Const(val) = table.settled(known, val) else {
            return Decision::Unknown;
        };
        let now = Flags::compare(Val::Const(val), Val::Const(number), bits);
        return now.decide(table, known, code);
    };
    let Some(holds) = solution(code, number, bits) else {
        return Decision::Unknown;
    };
    let range = table.range(known, id);
    match (range.and(&holds).is_empty(), range.minus(&holds).is_empty()) {
        (true, _) => Decision::Sure(false),
        (_, true) => Decision::Sure(true),
        _ => Decision::If(id, holds),
    }
}

/// The numbers of so many bits for which the condition holds after a comparison with `number`.
fn solution(code: ConditionCode, number: u64, bits: u32) -> Option<Set> {
    use ConditionCode::{a, ae, b, be, e, g, ge, l, le, ne, ns, s};
    let (top, all) = (1 << (bits - 1), Set::all(bits));
    let below = |end: u64| {
        end.checked_sub(1)
            .map_or(Set::default(), |last| Set(vec![(0, last)]))
    };
    // A signed order is the unsigned one after half a turn.
    let turned = number ^ top;
    let less = |end: u64| Set::of(below(end).plus(top).truncated(bits).0);
    Some(match code {
        e => Set::one(number),
        ne => Set::one(number).not(bits),
        b => below(number),
        ae => below(number).not(bits),
        a => all.minus(&Set(vec![(0, number)])),
        be => Set(vec![(0, number)]),
        l => less(turned),
        ge => less(turned).not(bits),
        le => Set::of([less(turned).0, vec![(number, number)]].concat()),
        g => Set::of([less(turned).0, vec![(number, number)]].concat()).not(bits),
        s if number == 0 => Set(vec![(top, mask(bits))]),
        ns if number == 0 => below(top),
        _ => return None,
    })
}
