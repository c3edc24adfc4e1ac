//! Packs texts, for src/build.rs: byte pair encoding, which src/packed.rs undoes in a few lines. The
//! texts are ASCII and very alike, and come out at a sixth of their size.

use std::collections::{BTreeMap, BTreeSet};

/// What a text consists of while it is packed: a character below 128, or 128 and more, a pair.
type Symbol = u16;

/// Two symbols that stand side by side.
type Pair = [Symbol; 2];

/// So many pairs have a byte of their own, from 128 on; the others have two bytes.
const SHORT: u16 = 112;

/// And there are bytes for no more than so many.
const MOST: usize = 112 + 16 * 256;

/// A pair that is not found so often isn't worth the four bytes that it takes.
const WORTH: usize = 4;

/// Texts and the pairs that are in them, by number from 0.
pub struct Packed {
    /// In bytes: below 128 a character; 128 to 239 the pair of that number; 240 and more, with the
    /// byte behind it, a pair with a number from 112 on.
    pub texts: Vec<Vec<u8>>,
    /// The symbols of each pair.
    pub pairs: Vec<Pair>,
}

/// Packs texts.
///
/// # Panics
/// If one is not ASCII.
pub fn pack(texts: &[String]) -> Packed {
    assert!(texts.iter().all(|text| text.is_ascii()), "not ASCII");
    let symbols = |text: &String| text.bytes().map(Symbol::from).collect();
    let mut texts: Vec<Vec<Symbol>> = texts.iter().map(symbols).collect();
    let mut pairs = Vec::new();
    loop {
        let known = pairs.len();
        pairs.extend(frequent(&texts));
        pairs.truncate(MOST);
        if pairs.len() == known {
            break;
        }
        let numbered = (128 + known as Symbol..).zip(&pairs[known..]);
        let new = numbered.map(|(symbol, pair)| (*pair, symbol)).collect();
        for text in &mut texts {
            *text = replaced(text, &new);
        }
    }
    sort(&mut texts, &mut pairs);
    let texts = texts.iter().map(|text| bytes(text)).collect();
    Packed { texts, pairs }
}

/// The most frequent pairs, as far as no two have a symbol in common.
fn frequent(texts: &[Vec<Symbol>]) -> Vec<Pair> {
    let mut counts = BTreeMap::<Pair, usize>::new();
    for pair in texts.iter().flat_map(|text| text.windows(2)) {
        *counts.entry([pair[0], pair[1]]).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.retain(|(_, count)| *count >= WORTH);
    counts.sort_by_key(|(pair, count)| (usize::MAX - count, *pair));
    // What is much rarer than the first may be part of something better.
    let rare = counts.first().map_or(0, |(_, count)| count / 2);
    let mut used = BTreeSet::<Symbol>::new();
    let fresh = counts.into_iter().filter(|(pair, count)| {
        let free = *count >= rare && pair.iter().all(|symbol| !used.contains(symbol));
        if free {
            used.extend(pair);
        }
        free
    });
    fresh.map(|(pair, _)| pair).collect()
}

fn replaced(text: &[Symbol], new: &BTreeMap<Pair, Symbol>) -> Vec<Symbol> {
    let mut shorter = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        let symbol = behind
            .first()
            .and_then(|second| new.get(&[*first, *second]));
        shorter.push(*symbol.unwrap_or(first));
        rest = if symbol.is_some() {
            &behind[1..]
        } else {
            behind
        };
    }
    shorter
}

/// Gives the lowest numbers to the pairs that the texts name most often.
fn sort(texts: &mut [Vec<Symbol>], pairs: &mut Vec<Pair>) {
    let mut uses = vec![0_usize; 128 + pairs.len()];
    for symbol in texts.iter().flatten() {
        uses[usize::from(*symbol)] += 1;
    }
    let mut order: Vec<_> = (0..pairs.len()).collect();
    order.sort_by_key(|number| (usize::MAX - uses[128 + number], *number));
    let mut place = vec![0; 128 + pairs.len()];
    let numbers = (0..128).chain(order.iter().map(|number| 128 + number));
    for (new, old) in numbers.enumerate() {
        place[old] = new as Symbol;
    }
    let moved = |symbol: &mut Symbol| *symbol = place[usize::from(*symbol)];
    texts.iter_mut().flatten().for_each(moved);
    pairs.iter_mut().flatten().for_each(moved);
    *pairs = order.iter().map(|number| pairs[*number]).collect();
}

fn bytes(text: &[Symbol]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for symbol in text {
        if *symbol < 128 + SHORT {
            bytes.push(*symbol as u8);
        } else {
            let [high, low] = (symbol - 128 - SHORT).to_be_bytes();
            bytes.extend([240 + high, low]);
        }
    }
    bytes
}
