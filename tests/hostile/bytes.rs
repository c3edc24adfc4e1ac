//! The kernel writes a wrong byte: one bit of what a call has written is another when it returns, of each
//! field of a completion, of a buffer's ends, of an exit status, of the events of a poll. Numbers that
//! only the kernel knows (a context, two descriptors) are left alone.
//!
//! The rule: the run ends with 1 and the one line that names the call, the field, what was found and
//! what was expected, and gives back what it holds.

use crate::driven::{drive, released_by};
use crate::faults::{ends, gives_back, leaves};
use crate::places::{Place, places};
use crate::tally::{Cases, trial};
use anyhow::{Context, Result, ensure};
use ioworkload_check::expected::load;
use ioworkload_check::layout;
use ioworkload_check::trace::Call;
use ioworkload_tests::driver::{Act, Stop};
use ioworkload_tests::pointers::{self, Kind, Lead};
use ioworkload_tests::ptrace::read;
use ioworkload_tests::scenarios;
use libtest_mimic::Trial;
use nix::errno::Errno;
use std::collections::VecDeque;

const AREA: &str = "1 faults, memory";

/// What nobody looks at: a ppoll's events, because the read that follows says more; and a byte that stands
/// in the buffer already. Each check would take 70 bytes.
#[rustfmt::skip]
const UNSEEN: &[(&str, &str, usize, &str)] = &[
    ("aio-eventfd", "ppoll", 0, "revents is 0, expected 1"),
    ("aio-eventfd", "ppoll", 1, "revents is 0, expected 1"),
    ("aio-pipe", "io_getevents", 3, "the first wrong byte is 0, expected none"),
];

pub fn trials() -> Vec<Trial> {
    let mut names = scenarios();
    names.retain(|name| flips(name).is_ok_and(|flips| !flips.is_empty()));
    let trials = names.iter().map(|name| trial(AREA, name, each_byte));
    trials
        .chain([Trial::test(format!("{AREA}::control"), || Ok(control()?))])
        .collect()
}

fn each_byte(scenario: &str, cases: &mut Cases) -> Result<()> {
    let flips = flips(scenario)?;
    cases.each(&flips, |flip| flip.check(scenario));
    Ok(())
}

/// At the exit of a call, this byte of what stands at this address.
#[derive(Clone, Debug)]
struct Flip {
    call: String,
    nr: u64,
    nth: usize,
    lead: usize,
    offset: usize,
    /// What the line says after the call's name.
    line: String,
}

/// All of a scenario.
fn flips(scenario: &str) -> Result<Vec<Flip>> {
    let expected = load(scenario)?;
    let (places, mut flips) = (places(&expected.calls), Vec::new());
    drive(scenario, scenario, |stop| {
        let mut here = places.iter().filter(|place| place.is(stop) && !stop.entry);
        if let Some(place) = here.next() {
            let leads = leads(place, stop);
            let flip = |(lead, offset, line)| Flip {
                call: place.call.name.clone(),
                nr: place.call.nr,
                nth: place.nth,
                lead,
                offset,
                line,
            };
            flips.extend(written(place, &leads).into_iter().map(flip));
        }
        Act::Go
    })?;
    Ok(flips)
}

/// What the pointers of a call that returns lead to.
fn leads(place: &Place, stop: &Stop) -> Vec<Lead> {
    let call = Call {
        name: place.call.name.clone(),
        nr: stop.call.nr,
        args: stop.call.args[..place.call.args.len()].to_vec(),
        ret: stop.call.ret,
        ..Call::default()
    };
    pointers::after(&call, &|address, len| read(stop.pid, address, len))
}

/// Which bytes of which lead the kernel has written, and what is said of each that is wrong.
fn written(place: &Place, leads: &[Lead]) -> Vec<(usize, usize, String)> {
    // A request was written by the program; what it has read is looked at with its completion.
    if ["io_submit", "io_cancel"].contains(&place.call.name.as_str()) {
        return Vec::new();
    }
    // The results of completions, and how much is left of that of the request whose buffers these are.
    let (mut results, mut left) = (VecDeque::new(), usize::MAX);
    let mut all = Vec::new();
    for (number, lead) in leads.iter().enumerate() {
        let bytes = match (lead.role, lead.kind) {
            (_, Kind::Bytes) => ends_of(lead.bytes.len().min(left)),
            (_, Kind::Structs(of @ "data")) => fields(lead, of, &["data", "obj", "res", "res2"]),
            (_, Kind::Structs(of @ "fd")) => fields(lead, of, &["revents"]),
            (_, Kind::Struct(of @ "stat")) => fields(lead, of, &["stat"]),
            _ => Vec::new(),
        };
        match lead.role {
            "event" => results.extend(lead.bytes.chunks(32).map(result)),
            "iocb" => left = results.pop_front().unwrap_or_default(),
            "buf" => left = left.saturating_sub(lead.bytes.len()),
            _ => {}
        }
        all.extend(bytes.into_iter().map(|(at, line)| (number, at, line)));
    }
    all
}

/// How many bytes a request has read, by its completion.
fn result(event: &[u8]) -> usize {
    let res = event[16..]
        .first_chunk()
        .map_or(0, |res| i64::from_le_bytes(*res));
    res.max(0) as usize
}

/// The first byte and the last of so many.
fn ends_of(len: usize) -> Vec<(usize, String)> {
    let mut ends: Vec<_> = [0, len.saturating_sub(1)][..len.min(2)].into();
    ends.dedup();
    let line = |at| (at, format!("the first wrong byte is {at}, expected none"));
    ends.into_iter().map(line).collect()
}

fn fields(lead: &Lead, of: &str, names: &[&str]) -> Vec<(usize, String)> {
    let layout = layout::of(of).expect("a structure");
    let mut all = Vec::new();
    for start in (0..lead.bytes.len()).step_by(layout.size) {
        let wanted = layout
            .fields
            .iter()
            .filter(|(name, ..)| names.contains(name));
        for (name, offset, size) in wanted {
            let mut word = [0; 8];
            let at = start + offset;
            word[..*size].copy_from_slice(&lead.bytes[at..at + size]);
            all.push((at, said(name, i64::from_le_bytes(word))));
        }
    }
    all
}

/// What is said where a field has another lowest bit.
fn said(field: &str, right: i64) -> String {
    let expected = match field {
        "data" => "aio_data".into(),
        "obj" => "&iocb".into(),
        // The low bits are the signal's.
        "stat" => return format!("the child's signal is {}, expected 0", right ^ 1),
        _ if right < 0 => format!("-{:?}", Errno::from_raw(-right as i32)),
        _ => right.to_string(),
    };
    // Addresses differ from run to run.
    let got = if field == "obj" {
        "…".into()
    } else {
        (right ^ 1).to_string()
    };
    format!("{field} is {got}, expected {expected}")
}

impl Flip {
    fn check(&self, scenario: &str) -> Result<()> {
        let expected = load(scenario)?;
        let places = places(&expected.calls);
        let mut places = places.into_iter();
        let place = places
            .find(|place| (place.call.nr, place.nth) == (self.nr, self.nth))
            .context("a call")?;
        let mut address = None;
        let driven = drive(scenario, scenario, |stop| {
            if stop.entry || !place.is(stop) {
                return Act::Go;
            }
            let lead = &leads(&place, stop)[self.lead];
            let word = lead.bytes[self.offset..].first_chunk();
            address = word.map(|word| i64::from_le_bytes(*word) ^ 1);
            Act::Flip(lead.address + self.offset as u64)
        })?;
        let got = address.unwrap_or_default().to_string();
        if UNSEEN.contains(&(scenario, &self.call, self.nth, &self.line)) {
            ends(&driven, 0, "")?;
            let last = driven.run.calls[0].len() - 1;
            return leaves(scenario, &driven, last, &[]);
        }
        let line = format!(
            "{scenario}: {}: {}\n",
            self.call,
            self.line.replace('…', &got)
        );
        ends(&driven, 1, &line)?;
        let mut at = driven
            .run
            .place(self.nr, self.nth)
            .context("ended before")?;
        // A story may make other calls before it looks.
        let calls = &driven.run.calls[0];
        let end = calls.len().saturating_sub(3);
        let later = calls[..end]
            .iter()
            .rposition(|call| released_by(call).is_none());
        at = at.max(later.unwrap_or_default());
        gives_back(&driven, at, 1)?;
        leaves(scenario, &driven, at, &[])
    }
}

/// Without a wrong byte nothing is said; and another line is noticed.
fn control() -> Result<()> {
    let mut flips = flips("aio-getevents")?;
    let lines: Vec<_> = flips.iter().map(|flip| flip.line.as_str()).collect();
    let wanted = [
        "data is 3665428483, expected aio_data",
        "obj is …, expected &iocb",
        "res is 14, expected 15",
        "res2 is 1, expected 0",
    ];
    ensure!(lines == wanted, "{lines:?}");
    flips[2].check("aio-getevents")?;
    flips[2].line = "res is 13, expected 15".into();
    ensure!(flips[2].check("aio-getevents").is_err(), "another line");
    Ok(())
}
