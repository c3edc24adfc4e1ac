//! What the pointers of a call lead to: which memory the kernel reads when it begins, and has
//! written when it ends. More than a scenario states may be read, never less.

use ioworkload_check::layout;
use ioworkload_check::trace::Call;

/// Reads as many of so many bytes from an address on as there are.
pub type Read<'a> = &'a dyn Fn(u64, usize) -> Vec<u8>;

/// What stands at an address that a call leads to.
#[derive(Clone, Debug)]
pub struct Lead {
    /// Where.
    pub address: u64,
    /// What it is there for, in a word.
    pub role: &'static str,
    /// How it is made up.
    pub kind: Kind,
    /// As much of it as could be read: not nothing.
    pub bytes: Vec<u8>,
}

/// How memory is made up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A text that ends with NUL.
    Text,
    /// A buffer.
    Bytes,
    /// One word.
    Word,
    /// Words, one after the other.
    Words,
    /// The structure of layout.rs that has this field.
    Struct(&'static str),
    /// Such structures, one after the other.
    Structs(&'static str),
}

const IOCB: Kind = Kind::Struct("aio_data");
const EVENT: Kind = Kind::Struct("data");
const EVENTS: Kind = Kind::Structs("data");
const TIME: Kind = Kind::Struct("tv_sec");
const POLLFDS: Kind = Kind::Structs("fd");

/// What a call finds.
#[must_use]
pub fn before(call: &Call, read: Read<'_>) -> Vec<Lead> {
    let mut way = Way::new(read);
    match (call.name.as_str(), call.args.as_slice()) {
        ("openat" | "faccessat" | "unlinkat", &[_, path, ..]) => way.text("path", path),
        ("memfd_create", &[name, _]) => way.text("name", name),
        ("write" | "pwrite64", &[_, buf, count, ..]) => way.many("buf", buf, Kind::Bytes, count),
        ("io_setup", &[_, ctxp]) => way.one("ctx", ctxp, Kind::Word),
        ("io_submit", &[_, nr, iocbpp]) => way.requests(nr, iocbpp, Lio::reads),
        ("io_cancel", &[_, iocb, _]) => way.one("iocb", iocb, IOCB),
        ("io_getevents", &[.., timeout]) => way.one("timeout", timeout, TIME),
        ("io_pgetevents", &[.., timeout, usig]) => {
            way.one("timeout", timeout, TIME);
            way.one("usig", usig, Kind::Struct("sigmask"));
            let sigmask = way.word(usig);
            way.one("mask", sigmask, Kind::Word);
        }
        ("nanosleep", &[time, _]) => way.one("time", time, TIME),
        ("ppoll", &[fds, nfds, time, mask, _]) => {
            way.many("fds", fds, POLLFDS, nfds);
            way.one("time", time, TIME);
            way.one("mask", mask, Kind::Word);
        }
        ("rt_sigaction", &[_, act, ..]) => way.one("action", act, Kind::Struct("sa_handler")),
        ("rt_sigprocmask", &[_, set, ..]) => way.one("set", set, Kind::Word),
        ("setitimer", &[_, value, _]) => way.many("value", value, Kind::Words, 4),
        _ => {}
    }
    way.leads
}

/// What a call has written.
#[must_use]
pub fn after(call: &Call, read: Read<'_>) -> Vec<Lead> {
    let mut way = Way::new(read);
    let count = call.ret.map_or(0, |ret| ret.max(0) as u64);
    match (call.name.as_str(), call.args.as_slice()) {
        ("read", &[_, buf, _]) => way.many("buf", buf, Kind::Bytes, count),
        ("io_setup", &[_, ctxp]) => way.one("ctx", ctxp, Kind::Word),
        ("io_submit", &[_, _, iocbpp]) => way.requests(count, iocbpp, Lio::writes),
        ("io_cancel", &[_, _, result]) => way.one("event", result, EVENT),
        ("io_getevents" | "io_pgetevents", &[_, _, _, events, ..]) => {
            way.completions(events, count);
        }
        ("pipe2", &[fds, _]) => way.one("fds", fds, Kind::Struct("pipefd[0]")),
        ("ppoll", &[fds, nfds, ..]) => way.many("fds", fds, POLLFDS, nfds),
        ("wait4", &[_, stat, ..]) if count > 0 => way.one("stat", stat, Kind::Struct("stat")),
        ("rt_sigprocmask", &[_, _, set, _]) => way.one("old", set, Kind::Word),
        _ => {}
    }
    way.leads
}

/// No array and no buffer is followed beyond so many bytes.
const MOST: usize = 4096;
const WORD: usize = 8;

/// The way along the pointers, and what was read on it.
struct Way<'a> {
    read: Read<'a>,
    leads: Vec<Lead>,
}

impl<'a> Way<'a> {
    fn new(read: Read<'a>) -> Self {
        let leads = Vec::new();
        Self { read, leads }
    }

    fn one(&mut self, role: &'static str, address: u64, kind: Kind) {
        self.many(role, address, kind, 1);
    }

    fn many(&mut self, role: &'static str, address: u64, kind: Kind, count: u64) {
        let of = |field| layout::of(field).map_or(0, |layout| layout.size);
        let size = match kind {
            Kind::Text | Kind::Bytes => 1,
            Kind::Word | Kind::Words => WORD,
            Kind::Struct(field) | Kind::Structs(field) => of(field),
        };
        // The kernel refuses what is below 0.
        let count = if (count as i64) < 0 {
            0
        } else {
            count.min(MOST as u64) as usize
        };
        let bytes = (self.read)(address, (size * count).min(MOST));
        self.lead(role, address, kind, bytes);
    }

    fn text(&mut self, role: &'static str, address: u64) {
        let mut bytes = (self.read)(address, MOST);
        if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
            bytes.truncate(end + 1);
            self.lead(role, address, Kind::Text, bytes);
        }
    }

    fn lead(&mut self, role: &'static str, address: u64, kind: Kind, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.leads.push(Lead {
                address,
                role,
                kind,
                bytes,
            });
        }
    }

    /// 0 if there is none.
    fn word(&self, address: u64) -> u64 {
        let bytes = (self.read)(address, WORD);
        bytes.try_into().map_or(0, u64::from_le_bytes)
    }

    /// The words of what was read last, if that was this.
    fn last(&self, role: &str) -> Vec<u64> {
        let last = self.leads.last().filter(|lead| lead.role == role);
        last.map_or(Vec::new(), |lead| words(&lead.bytes))
    }

    /// The array given to io_submit, its iocbs, and those of their buffers that are asked for.
    fn requests(&mut self, nr: u64, iocbpp: u64, wanted: fn(Lio) -> bool) {
        self.many("iocbpp", iocbpp, Kind::Words, nr);
        for iocb in self.last("iocbpp") {
            self.request(iocb, wanted);
        }
    }

    fn request(&mut self, iocb: u64, wanted: fn(Lio) -> bool) {
        let field = |offset| self.word(iocb.wrapping_add(offset));
        let (opcode, buf, nbytes) = (field(16) & 0xffff, field(24), field(32));
        self.one("iocb", iocb, IOCB);
        let Some(lio) = Lio::of(opcode) else {
            return;
        };
        if lio.vector {
            self.many("iov", buf, Kind::Structs("iov_base"), nbytes.min(8));
            for pair in self.last("iov").chunks_exact(2).filter(|_| wanted(lio)) {
                self.many("buf", pair[0], Kind::Bytes, pair[1]);
            }
        } else if wanted(lio) {
            self.many("buf", buf, Kind::Bytes, nbytes);
        }
    }

    /// The io_events, and what the requests that they are of have read.
    fn completions(&mut self, events: u64, count: u64) {
        self.many("event", events, EVENTS, count);
        for event in self.last("event").chunks_exact(4) {
            self.request(event[1], Lio::writes);
        }
    }
}

fn words(bytes: &[u8]) -> Vec<u64> {
    let word = |word: &[u8]| word.try_into().map_or(0, u64::from_le_bytes);
    bytes.chunks_exact(WORD).map(word).collect()
}

/// What a request does with its buffer.
#[derive(Clone, Copy)]
struct Lio {
    write: bool,
    vector: bool,
}

impl Lio {
    /// PREAD 0, PWRITE 1, PREADV 7, PWRITEV 8; the others have no buffer.
    fn of(opcode: u64) -> Option<Self> {
        let (write, vector) = match opcode {
            0 => (false, false),
            1 => (true, false),
            7 => (false, true),
            8 => (true, true),
            _ => return None,
        };
        Some(Self { write, vector })
    }

    /// The kernel reads the buffer: a write.
    fn reads(self) -> bool {
        self.write
    }

    /// The kernel writes it.
    fn writes(self) -> bool {
        !self.write
    }
}
