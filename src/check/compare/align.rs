//! The calls expected and the calls seen, side by side so that they fit as well as possible.

use super::Step;
use crate::trace::Call;

/// An expected call, a seen one, or both.
pub type Pair<'a, 'b> = (Option<&'b Step<'a>>, Option<&'b Call>);

/// Beyond this many pairs the middle of two long traces is not aligned, but listed.
const TABLE: usize = 16_000_000;

/// Lays the two side by side so that they fit as well as possible.
pub fn align<'a, 'b>(want: &'b [Step<'a>], got: &'b [Call]) -> Vec<Pair<'a, 'b>> {
    let both = |(w, g): (&'b Step<'a>, &'b Call)| (Some(w), Some(g));
    let alike = |(w, g): &(&Step<'a>, &Call)| w.like(g);
    let front = want.iter().zip(got).take_while(alike).count();
    let (head, want) = want.split_at(front);
    let (seen_head, got) = got.split_at(front);
    let back = want.iter().rev().zip(got.iter().rev());
    let back = back.take_while(alike).count();
    let (want, tail) = want.split_at(want.len() - back);
    let (got, seen_tail) = got.split_at(got.len() - back);
    let mut pairs: Vec<_> = head.iter().zip(seen_head).map(both).collect();
    if want.len().saturating_mul(got.len()) > TABLE {
        pairs.extend(want.iter().map(|w| (Some(w), None)));
        pairs.extend(got.iter().map(|g| (None, Some(g))));
    } else {
        middle(want, got, &mut pairs);
    }
    pairs.extend(tail.iter().zip(seen_tail).map(both));
    pairs
}

/// The best of all alignments, from its table of scores.
fn middle<'a, 'b>(want: &'b [Step<'a>], got: &'b [Call], pairs: &mut Vec<Pair<'a, 'b>>) {
    let mut score = vec![vec![0; got.len() + 1]; want.len() + 1];
    for (i, w) in want.iter().enumerate().rev() {
        for (j, g) in got.iter().enumerate().rev() {
            let apart = score[i + 1][j].max(score[i][j + 1]);
            let fits = w.fits(g);
            score[i][j] = apart.max(if fits > 0 {
                score[i + 1][j + 1] + fits
            } else {
                0
            });
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < want.len() || j < got.len() {
        let both = i < want.len() && j < got.len();
        let fits = if both { want[i].fits(&got[j]) } else { 0 };
        if fits > 0 && score[i][j] == score[i + 1][j + 1] + fits {
            pairs.push((Some(&want[i]), Some(&got[j])));
            (i, j) = (i + 1, j + 1);
        } else if j == got.len() || both && score[i + 1][j] >= score[i][j + 1] {
            pairs.push((Some(&want[i]), None));
            i += 1;
        } else {
            pairs.push((None, Some(&got[j])));
            j += 1;
        }
    }
}
