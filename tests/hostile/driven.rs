//! A run that was driven, and what it held at each moment.

use anyhow::Result;
use ioworkload_tests::driver::{self, Act, Made, Run, Stop, peek};
use ioworkload_tests::room::Room;
use ioworkload_tests::shipped;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs;
use std::process::Command;

/// A run that was driven, and what it was seen to hold at its end.
#[derive(Debug)]
pub struct Driven {
    /// What it did and said.
    pub run: Run,
    /// At the entry of the first process's exit_group: contexts mapped, descriptors that it was not
    /// started with.
    pub exit: Option<(usize, usize)>,
    /// What the calls of the first process have written: a context's handle, two descriptors.
    given: HashMap<usize, u64>,
    /// The names in its room.
    pub left: Vec<String>,
}

/// Runs a scenario in a room of its own: the fixture, or `ioworkload`, whose calls are the same.
pub fn drive(
    program: &str,
    scenario: &str,
    act: impl FnMut(&Stop) -> Act + Send,
) -> Result<Driven> {
    let room = Room::new();
    let mut command = Command::new(shipped(program));
    command.arg(scenario);
    room.as_tmp(&mut command);
    drive_in(command, &room, act)
}

/// Runs a command whose /tmp is this room.
pub fn drive_in(
    command: Command,
    room: &Room,
    mut act: impl FnMut(&Stop) -> Act + Send,
) -> Result<Driven> {
    let (mut started, mut exit, mut given) = (None, None, HashMap::new());
    let run = driver::drive(command, |stop| {
        if stop.process == 0 {
            let started = started.get_or_insert_with(|| descriptors(stop));
            if stop.entry && stop.call.nr == EXIT_GROUP {
                let new = descriptors(stop).difference(started).count();
                exit = Some((contexts(stop), new));
            }
            given.extend(written(stop));
        }
        act(stop)
    })?;
    Ok(Driven {
        run,
        exit,
        given,
        left: room.names(),
    })
}

pub const IO_SETUP: u64 = 206;
pub const IO_DESTROY: u64 = 207;
pub const OPENAT: u64 = 257;
pub const CLOSE: u64 = 3;
pub const UNLINKAT: u64 = 263;
pub const PIPE2: u64 = 293;
pub const EVENTFD2: u64 = 290;
pub const MEMFD_CREATE: u64 = 319;
pub const MREMAP: u64 = 25;
pub const MUNMAP: u64 = 11;
pub const EXIT_GROUP: u64 = 231;
pub const RT_SIGPROCMASK: u64 = 14;
pub const WRITE: u64 = 1;

/// What a call has just written that its answer does not say.
fn written(stop: &Stop) -> Option<(usize, u64)> {
    let call = stop.call;
    let address = match call.nr {
        IO_SETUP => call.args[1],
        PIPE2 => call.args[0],
        _ => return None,
    };
    let done = call.real && call.ret == Some(0);
    let word = done.then(|| peek(stop.pid, address).expect("the kernel has just written there"));
    Some((stop.at, u64::from_le_bytes(word?)))
}

/// How many contexts a process has mapped.
fn contexts(stop: &Stop) -> usize {
    let maps = fs::read_to_string(format!("/proc/{}/maps", stop.pid)).expect("it is stopped");
    maps.lines().filter(|line| line.contains("[aio]")).count()
}

/// The descriptors that a process has open.
fn descriptors(stop: &Stop) -> HashSet<OsString> {
    let open = fs::read_dir(format!("/proc/{}/fd", stop.pid)).expect("it is stopped");
    open.map(|fd| fd.expect("it is stopped").file_name())
        .collect()
}

impl Driven {
    /// What was held and the call at this place should have given back.
    pub fn lost(&self, at: usize) -> Option<Held> {
        let before = at.checked_sub(1).map(|before| self.held(before));
        released_by(&self.run.calls[0][at]).filter(|held| before.unwrap_or_default().contains(held))
    }

    /// What was held when the call at this place began, less what the call itself gives back.
    pub fn held(&self, at: usize) -> Vec<Held> {
        let mut held = Vec::new();
        for (at, call) in self.run.calls[0][..=at].iter().enumerate() {
            if let Some(gone) = released_by(call) {
                held.retain(|one| *one != gone);
            }
            if let (MREMAP, Some(new)) = (call.nr, call.ret) {
                let moved = Held::Context(call.args[0]);
                let place = held.iter_mut().find(|one| **one == moved && call.real);
                if let Some(place) = place {
                    *place = Held::Context(new as u64);
                }
            }
            held.extend(self.taken(at, call));
        }
        held
    }

    /// The descriptors that the call at this place has opened.
    pub fn opened(&self, at: usize) -> Vec<u64> {
        let taken = self.taken(at, &self.run.calls[0][at]).into_iter();
        let number = |held| match held {
            Held::Descriptor(number) => Some(number),
            Held::Context(_) | Held::Name => None,
        };
        taken.filter_map(number).collect()
    }

    fn taken(&self, at: usize, call: &Made) -> Vec<Held> {
        let given = self.given.get(&at);
        let ret = call
            .ret
            .filter(|ret| call.real && *ret >= 0)
            .map(|ret| ret as u64);
        match (call.nr, ret, given) {
            (IO_SETUP, _, Some(ctx)) => vec![Held::Context(*ctx)],
            (PIPE2, _, Some(both)) => {
                vec![
                    Held::Descriptor(both & 0xffff_ffff),
                    Held::Descriptor(both >> 32),
                ]
            }
            (EVENTFD2 | MEMFD_CREATE, Some(fd), _) => vec![Held::Descriptor(fd)],
            (OPENAT, Some(fd), _) if call.args[2] & 0o100 == 0 => vec![Held::Descriptor(fd)],
            (OPENAT, Some(fd), _) => vec![Held::Name, Held::Descriptor(fd)],
            _ => vec![],
        }
    }
}

/// Something that a run holds, and the call that gives it back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Held {
    Context(u64),
    Descriptor(u64),
    Name,
}

/// What a call gives back.
pub fn released_by(call: &Made) -> Option<Held> {
    match call.nr {
        IO_DESTROY => Some(Held::Context(call.args[0])),
        // A context whose ring is unmapped is out of reach.
        MUNMAP if call.real => Some(Held::Context(call.args[0])),
        CLOSE => Some(Held::Descriptor(call.args[0])),
        UNLINKAT => Some(Held::Name),
        _ => None,
    }
}
