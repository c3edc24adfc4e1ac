//! The proof of a fixture: from its bytes alone, that it makes the calls of its expected trace and no
//! others, whatever the kernel answers.
//!
//! Every path is followed, with values where the program can't know a number: an address of its stack,
//! a descriptor, an answer. Where a branch depends on such a value, both ways are.

use crate::expected;
use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use std::rc::Rc;

pub mod certificate;
mod code;
mod cpu;
mod failure;
mod flags;
mod kernel;
mod leaves;
mod memory;
mod path;
mod set;
mod state;
mod steps;
mod value;

pub use certificate::{Certificate, Counted, Site};
use kernel::{Kernel, Shown};
use path::{Mode, Path};
use state::{State, World};

/// More instructions than any proof needs.
const STEPS: u64 = 200_000_000;

/// Proves a scenario's file.
///
/// # Errors
/// There is no such scenario, or the file is none that could be proved. What could not be shown of one
/// that could stands in the certificate.
pub fn prove(scenario: &str, file: &[u8]) -> Result<Certificate> {
    let mut world = World::new(file);
    let mut findings = Findings {
        most: 20,
        all: Vec::new(),
    };
    let (shown, stated) = explore(scenario, file, &mut world, &mut findings)?;
    finish(scenario, file, stated, &world, shown, findings.all)
}

/// The first thing that could not be shown, without the certificate.
///
/// # Errors
/// As [`prove`].
pub fn flaw(scenario: &str, file: &[u8]) -> Result<Option<String>> {
    let mut world = World::new(file);
    let mut findings = Findings {
        most: 1,
        all: Vec::new(),
    };
    let (shown, stated) = explore(scenario, file, &mut world, &mut findings)?;
    let proof = finish(scenario, file, stated, &world, shown, findings.all)?;
    Ok(proof.not_shown.into_iter().next())
}

/// The addresses of the instructions that can be reached, and whether some path comes to each.
///
/// # Errors
/// As [`prove`].
pub fn reached(scenario: &str, file: &[u8]) -> Result<Vec<(u64, bool)>> {
    let mut world = World::new(file);
    let mut findings = Findings {
        most: 20,
        all: Vec::new(),
    };
    let (shown, _) = explore(scenario, file, &mut world, &mut findings)?;
    let code = code::reach(file, shown.roots.into_iter().chain([code::entry(file)?]))?;
    Ok(code
        .keys()
        .map(|at| (*at, world.visited[(at - memory::BASE) as usize]))
        .collect())
}

/// What could not be shown, up to a number.
struct Findings {
    most: usize,
    all: Vec<String>,
}

impl Findings {
    fn add(&mut self, line: String) {
        if !self.full() && !self.all.contains(&line) {
            self.all.push(line);
        }
    }

    fn full(&self) -> bool {
        self.all.len() >= self.most
    }
}

/// Follows every path of every way to read the trace. Returns what is shown, and how many arguments the
/// trace states.
fn explore(
    scenario: &str,
    file: &[u8],
    world: &mut World,
    findings: &mut Findings,
) -> Result<(Shown, usize)> {
    let traces = steps::traces(expected::text(scenario).context("unknown scenario")?)?;
    // No path is followed through code that is not sound.
    code::reach(file, [code::entry(file)?])?;
    let mut shown = Shown::default();
    let ways = traces.iter().map(steps::ways).collect::<Result<Vec<_>>>()?;
    for (trace, (at, lists)) in traces.iter().zip(ways.iter().enumerate()) {
        for (count, list) in lists.iter().enumerate() {
            let mut list = list.clone();
            ways.iter()
                .for_each(|other| steps::join(&mut list, &other[count]));
            steps::open_ends(&mut list);
            let children = steps::children(trace)?.into_iter().map(Rc::new).collect();
            let mut kernel = Kernel {
                name: scenario,
                children,
                shown,
                explore: at == 0,
            };
            way(&mut kernel, world, list, findings)?;
            shown = kernel.shown;
        }
    }
    let stated = traces
        .iter()
        .flat_map(|trace| trace.each())
        .map(steps::stated)
        .sum();
    Ok((shown, stated))
}

/// Follows every path of one way to read the trace.
fn way<'a>(
    kernel: &mut Kernel<'a>,
    world: &mut World,
    list: Vec<steps::Step<'a>>,
    findings: &mut Findings,
) -> Result<()> {
    let entry = code::entry(world.file)?;
    let before = kernel.shown.whole;
    follow(
        kernel,
        world,
        Path::start(State::start(world, entry), Rc::new(list)),
        findings,
    );
    if kernel.shown.whole == before {
        findings.add("no path makes the whole trace".into());
    }
    Ok(())
}

/// Follows a path and all that branch off.
fn follow<'a>(
    kernel: &mut Kernel<'a>,
    world: &mut World,
    start: Path<'a>,
    findings: &mut Findings,
) {
    let mut open = vec![start];
    while let Some(path) = open.pop() {
        let (what, altered) = (story(&path), path.altered.clone());
        if let Err(error) = one(kernel, world, path, &mut open) {
            if let Some(word) = altered.filter(|_| error.is::<failure::GoesOn>()) {
                kernel.shown.unread.insert(word.to_string());
                continue;
            }
            findings.add(format!("{what}{error:#}"));
        }
        if world.steps > STEPS {
            findings.add("there is no end of paths".into());
        }
        if findings.full() || world.steps > STEPS {
            return;
        }
    }
}

fn story(path: &Path) -> String {
    match &path.mode {
        Mode::Expected => String::new(),
        Mode::Failed(_) if path.altered.is_some() => {
            format!(
                "after another word, {}: ",
                path.altered.as_deref().unwrap_or_default()
            )
        }
        Mode::Failed(call) => format!("after another answer of {call}, call {}: ", path.at),
        Mode::Taken(times) => format!("with the name taken {times} times: "),
    }
}

/// Follows one path to its next call.
fn one<'a>(
    kernel: &mut Kernel<'a>,
    world: &mut World,
    mut path: Path<'a>,
    open: &mut Vec<Path<'a>>,
) -> Result<()> {
    let end = world.steps + 1_000_000;
    loop {
        ensure!(world.steps < end, "runs without an end");
        match cpu::step(world, &mut path.state)? {
            cpu::Next::Go => {}
            cpu::Next::Fork(other) => {
                let mut path = path.clone();
                path.state = *other;
                open.push(path);
            }
            cpu::Next::Call(site) => {
                open.extend(kernel.call(world, path, site)?);
                return Ok(());
            }
        }
    }
}

fn finish(
    scenario: &str,
    file: &[u8],
    stated: usize,
    world: &World,
    shown: Shown,
    not_shown: Vec<String>,
) -> Result<Certificate> {
    let entry = code::entry(file)?;
    let code = code::reach(file, shown.roots.iter().copied().chain([entry]))?;
    code::agree(file, &code)?;
    let pairs = code::pairs(file, &code);
    let (sites, others): (Vec<_>, Vec<_>) = pairs
        .into_iter()
        .partition(|(_, pair)| *pair == code::Pair::Site);
    let sites: Vec<_> = sites
        .iter()
        .map(|(address, _)| site(world, *address))
        .collect();
    let reached = code
        .keys()
        .filter(|at| world.visited[(**at - memory::BASE) as usize]);
    Ok(Certificate {
        format: 1,
        scenario: scenario.into(),
        sha256: hash(file),
        bytes: file.len() as u64,
        entry,
        roots: shown.roots.into_iter().collect(),
        instructions: Counted {
            proved: reached.count() as u64,
            of: code.len() as u64,
        },
        sites,
        never_reached: others.into_iter().map(|(at, _)| at).collect(),
        arguments: Counted {
            proved: shown.args as u64,
            of: stated as u64,
        },
        answers: shown.answers as u64,
        words: Counted {
            proved: (shown.fields - shown.unread.len()) as u64,
            of: shown.fields as u64,
        },
        unread: shown.unread.into_iter().collect(),
        ends: shown.ends as u64,
        assumptions: certificate::ASSUMPTIONS
            .iter()
            .map(ToString::to_string)
            .collect(),
        not_shown,
    })
}

fn site(world: &World, address: u64) -> Site {
    let numbers = world.sites.get(&address);
    Site {
        address,
        numbers: numbers.into_iter().flatten().copied().collect(),
    }
}

fn hash(file: &[u8]) -> String {
    Sha256::digest(file)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whether a certificate is of this file, and all that it says can be shown again.
///
/// # Errors
/// It is of another file, says something else, or leaves something open.
pub fn verify(file: &[u8], certificate: &Certificate) -> Result<()> {
    ensure!(
        certificate.sha256 == hash(file),
        "the certificate is of another file"
    );
    let again = prove(&certificate.scenario, file)?;
    ensure!(
        again == *certificate,
        "the file's proof says something else than the certificate"
    );
    ensure!(
        again.not_shown.is_empty(),
        "not shown: {}",
        again.not_shown.join("; ")
    );
    Ok(())
}
