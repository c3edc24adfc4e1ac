//! Expected calls and seen ones, side by side so that they fit as well as possible.

use super::Options;
use super::got::Got;
use super::steps::Step;

/// How the next of the two sides are paired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    /// They are one call, and like each other or not.
    Both { like: bool },
    /// It is missing.
    Want,
    /// It is not expected.
    Got,
}

/// The best of all alignments of the two, from the table of the best move at each place.
pub fn align(want: &[&Step<'_>], got: &[&Got], options: &Options) -> Vec<Move> {
    let width = got.len() + 1;
    let mut moves = vec![Move::Want; (want.len() + 1) * width];
    for at in 0..got.len() {
        moves[want.len() * width + at] = Move::Got;
    }
    let mut below = vec![0_u16; width];
    let mut row = vec![0_u16; width];
    for (i, w) in want.iter().enumerate().rev() {
        row[got.len()] = 0;
        for (j, g) in got.iter().enumerate().rev() {
            let fits = g.fits(w, options);
            let apart = below[j].max(row[j + 1]);
            let both = below[j + 1] + fits;
            let (score, best) = if fits > 0 && both >= apart {
                (both, Move::Both { like: fits > 1 })
            } else if below[j] >= row[j + 1] {
                (below[j], Move::Want)
            } else {
                (row[j + 1], Move::Got)
            };
            row[j] = score;
            moves[i * width + j] = best;
        }
        std::mem::swap(&mut row, &mut below);
    }
    walk(&moves, want.len(), got.len())
}

fn walk(moves: &[Move], want: usize, got: usize) -> Vec<Move> {
    let (mut i, mut j) = (0, 0);
    let mut path = Vec::with_capacity(want + got);
    while i < want || j < got {
        let next = moves[i * (got + 1) + j];
        i += usize::from(next != Move::Got);
        j += usize::from(next != Move::Want);
        path.push(next);
    }
    path
}
