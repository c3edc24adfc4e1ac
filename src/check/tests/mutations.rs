//! Whatever is changed in the correct events of any scenario, the verdict is not exact.

mod stream;

use ioworkload_check::ctype::{self, CType};
use ioworkload_check::event::{Ret, Value};
use ioworkload_check::expected::{self, ALL, Expected, Pairs, Shape, Word};
use ioworkload_check::judge::Options;
use ioworkload_check::trace::Memory;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use stream::{Made, calls, events, judge, load};

#[test]
fn correct_events_are_exact() {
    for (scenario, _) in ALL {
        let expected = load(scenario);
        for registers in [false, true] {
            let options = Options {
                registers,
                ..Options::default()
            };
            let verdict = judge(&expected, options, events(&calls(&expected)));
            assert!(
                verdict.complete(),
                "{scenario}: {} {verdict}",
                verdict.summary()
            );
        }
    }
}

/// How often a name stands for the same value as in this call.
fn uses(made: &[Made], at: usize, name: &str) -> usize {
    let this = &made[at];
    let near = |round: u64, before: bool| round == this.round || round == 0 && before;
    let own = made
        .iter()
        .enumerate()
        .filter(|(other, made)| made.process == this.process && near(made.round, *other < at));
    let own = own.map(|(_, made)| made);
    let in_words = |words: &[Word]| words.iter().filter(|word| is(word, name)).count();
    let uses = own.map(|made| {
        let ret = matches!(&made.want.ret, Some(expected::Ret::Name(ret)) if ret == name);
        in_words(&made.want.args)
            + usize::from(ret)
            + within(&made.want.before, name)
            + within(&made.want.after, name)
    });
    uses.sum()
}

fn is(word: &Word, name: &str) -> bool {
    matches!(word, Word::Name(other) if other == name)
}

fn within(pairs: &Pairs, name: &str) -> usize {
    pairs.0.iter().map(|(_, shape)| in_shape(shape, name)).sum()
}

fn in_shape(shape: &Shape, name: &str) -> usize {
    match shape {
        Shape::Word(word) => usize::from(is(word, name)),
        Shape::Bytes(_) => 0,
        Shape::List(shapes) => shapes.iter().map(|shape| in_shape(shape, name)).sum(),
        Shape::Struct(fields) => within(fields, name),
    }
}

/// Changes something; says what, or nothing if this can't be changed so that it shows.
fn change(made: &mut Vec<Made>, kind: u8, at: usize, pick: usize, value: u64) -> Option<String> {
    let at = at % made.len();
    let title = format!("{kind}: call {at}, {}", made[at].want);
    match kind {
        0 => drop(made.remove(at)),
        1 => made.insert(at, made[at].clone()),
        2 => {
            let other = pick % made.len();
            let same = alike(made, at) == alike(made, other);
            if same || made[at].process != made[other].process {
                return None;
            }
            let call = made[at].call.clone();
            made[at].call = std::mem::replace(&mut made[other].call, call);
        }
        3 => argument(made, at, pick, value)?,
        4 => result(made, at, value)?,
        _ => memory(&mut made[at], pick, value)?,
    }
    Some(title)
}

/// What tells a call from others: a name that stands nowhere else does not.
fn alike(made: &[Made], at: usize) -> String {
    let mut call = made[at].call.clone();
    let args = made[at]
        .want
        .args
        .iter()
        .zip(call.args.iter_mut().flatten());
    for (want, got) in args {
        if matches!(want, Word::Name(name) if uses(made, at, name) < 2) {
            *got = Value::Unknown;
        }
    }
    let memory = |memory: Memory| memory.into_values().collect::<Vec<_>>();
    let (before, after) = (memory(call.before.clone()), memory(call.after.clone()));
    (call.before, call.after) = Default::default();
    format!("{call:?} {before:?} {after:?}")
}

fn argument(made: &mut [Made], at: usize, pick: usize, value: u64) -> Option<()> {
    let want = made[at].want.clone();
    let index = pick % want.args.len().max(1);
    let arg = want.args.get(index)?;
    let types = ctype::args(want.nr);
    let ctype = types.get(index).copied().unwrap_or(CType::WORD);
    let args = made[at].call.args.as_mut()?;
    let Value::Number(old) = args[index] else {
        return None;
    };
    let other = i128::from(ctype.unsigned(value));
    if ctype.same(old as u64, other) {
        return None;
    }
    args[index] = Value::Number(other);
    if let Word::Name(name) = arg
        && uses(made, at, name) < 2
    {
        if name.starts_with('$') {
            return None;
        }
        made[at].call.args.as_mut()?[index] = Value::Number(0);
    }
    Some(())
}

fn result(made: &mut [Made], at: usize, value: u64) -> Option<()> {
    let want = made[at].want.clone();
    let allowed = |number: i64| match &want.ret {
        None => false,
        Some(expected::Ret::Number(one)) => *one == number || want.sys_exit == Some(number),
        Some(expected::Ret::Any(all)) => all.contains(&number),
        Some(expected::Ret::Range(range)) => (range.min..=range.max).contains(&number),
        Some(expected::Ret::Name(name)) => {
            uses(made, at, name) < 2 && number >= 0
                || made[at].call.ret == Some(Ret::Number(number))
        }
    };
    let number = (value % 5000) as i64 - 4100;
    if allowed(number) {
        return None;
    }
    made[at].call.ret = Some(Ret::Number(number));
    Some(())
}

fn memory(made: &mut Made, pick: usize, value: u64) -> Option<()> {
    let (before, address, at) = *made.sure.get(pick % made.sure.len().max(1))?;
    let memory = if before {
        &mut made.call.before
    } else {
        &mut made.call.after
    };
    memory.get_mut(&address)?[at] ^= (value % 255) as u8 + 1;
    Some(())
}

fn check(
    expected: &Expected,
    kind: u8,
    at: usize,
    pick: usize,
    value: u64,
) -> Result<(), TestCaseError> {
    let mut made = calls(expected);
    let title = change(&mut made, kind, at, pick, value);
    prop_assume!(title.is_some());
    let verdict = judge(expected, Options::default(), events(&made));
    let name = &expected.scenario;
    prop_assert!(!verdict.exact(), "{name}: {title:?}: {}", verdict.summary());
    prop_assert!(!verdict.differences().is_empty(), "{name}: {title:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, max_global_rejects: 100_000, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn a_change_is_never_exact(
        scenario in 0..ALL.len(),
        kind in 0_u8..6,
        at in any::<usize>(),
        pick in any::<usize>(),
        value in prop_oneof![any::<u64>(), 0_u64..40, any::<u32>().prop_map(u64::from)],
    ) {
        check(&load(ALL[scenario].0), kind, at, pick, value)?;
    }
}
