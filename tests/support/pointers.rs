//! What the pointers of a call lead to: which memory the kernel reads when it begins, and has
//! written when it ends. More than a scenario states may be read, never less.

use crate::trace::{Call, Memory};

/// Reads as many of so many bytes from an address on as there are.
pub type Read<'a> = &'a dyn Fn(u64, usize) -> Vec<u8>;

/// No array and no buffer is followed beyond this.
const MOST: usize = 4096;

const IOCB: usize = 64;
const IO_EVENT: usize = 32;
const IOVEC: usize = 16;
const TIMESPEC: usize = 16;
const WORD: usize = 8;

/// What a call finds.
#[must_use]
pub fn before(call: &Call, read: Read<'_>) -> Memory {
    let mut way = Way::new(read);
    match (call.name.as_str(), call.args.as_slice()) {
        ("openat" | "faccessat" | "unlinkat", &[_, path, ..]) => way.text(path),
        ("write", &[_, buf, count]) => way.note(buf, count as usize),
        ("io_setup", &[_, ctxp]) => way.note(ctxp, WORD),
        ("io_submit", &[_, nr, iocbpp]) => way.requests(nr, iocbpp, Lio::reads),
        ("io_cancel", &[_, iocb, _]) => way.note(iocb, IOCB),
        ("io_getevents", &[.., timeout]) => way.note(timeout, TIMESPEC),
        ("io_pgetevents", &[.., timeout, usig]) => {
            way.note(timeout, TIMESPEC);
            way.note(usig, 2 * WORD);
            let sigmask = way.word(usig);
            way.note(sigmask, WORD);
        }
        ("nanosleep", &[time, _]) => way.note(time, TIMESPEC),
        ("ppoll", &[fds, nfds, time, sigmask, _]) => {
            way.note(fds, nfds as usize * WORD);
            way.note(time, TIMESPEC);
            way.note(sigmask, WORD);
        }
        ("rt_sigaction", &[_, act, ..]) => way.note(act, 4 * WORD),
        ("rt_sigprocmask", &[_, set, ..]) => way.note(set, WORD),
        ("setitimer", &[_, value, _]) => way.note(value, 4 * WORD),
        _ => {}
    }
    way.memory
}

/// What a call leaves behind.
#[must_use]
pub fn after(call: &Call, read: Read<'_>) -> Memory {
    let mut way = Way::new(read);
    let count = call.ret.map_or(0, |ret| ret.max(0) as usize);
    match (call.name.as_str(), call.args.as_slice()) {
        ("read", &[_, buf, _]) => way.note(buf, count),
        ("io_setup", &[_, ctxp]) => way.note(ctxp, WORD),
        ("io_submit", &[_, _, iocbpp]) => way.requests(count as u64, iocbpp, Lio::writes),
        ("io_cancel", &[_, _, result]) => way.note(result, IO_EVENT),
        ("io_getevents" | "io_pgetevents", &[_, _, _, events, ..]) => {
            way.completions(events, count);
        }
        ("pipe2", &[fds, _]) => way.note(fds, WORD),
        ("ppoll", &[fds, nfds, ..]) => way.note(fds, nfds as usize * WORD),
        ("wait4", &[_, status, ..]) if count > 0 => way.note(status, 4),
        ("rt_sigprocmask", &[_, _, set, _]) => way.note(set, WORD),
        _ => {}
    }
    way.memory
}

/// The way along the pointers, and what was read on it.
struct Way<'a> {
    read: Read<'a>,
    memory: Memory,
}

impl<'a> Way<'a> {
    fn new(read: Read<'a>) -> Self {
        let memory = Memory::new();
        Self { read, memory }
    }

    fn note(&mut self, address: u64, len: usize) {
        self.bytes(address, len);
    }

    fn bytes(&mut self, address: u64, len: usize) -> Vec<u8> {
        let bytes = (self.read)(address, len.min(MOST));
        if !bytes.is_empty() {
            self.memory.insert(address, bytes.clone());
        }
        bytes
    }

    /// 0 if there is none.
    fn word(&self, address: u64) -> u64 {
        let bytes = (self.read)(address, WORD);
        bytes.try_into().map_or(0, u64::from_le_bytes)
    }

    fn text(&mut self, address: u64) {
        let mut bytes = (self.read)(address, MOST);
        if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
            bytes.truncate(end + 1);
            self.memory.insert(address, bytes);
        }
    }

    /// The array given to io_submit, its iocbs, and those of their buffers that are asked for.
    fn requests(&mut self, nr: u64, iocbpp: u64, wanted: fn(Lio) -> bool) {
        let nr = nr.min((MOST / WORD) as u64) as usize;
        for iocb in words(&self.bytes(iocbpp, nr * WORD)) {
            self.request(iocb, wanted);
        }
    }

    fn request(&mut self, iocb: u64, wanted: fn(Lio) -> bool) {
        let bytes = self.bytes(iocb, IOCB);
        let fields = words(&bytes);
        let (Some(lio), [_, _, _, buf, nbytes, ..]) = (Lio::of(&bytes), fields.as_slice()) else {
            return;
        };
        let len = (*nbytes).min(MOST as u64) as usize;
        if lio.vector {
            for pair in words(&self.bytes(*buf, len.min(8) * IOVEC)).chunks_exact(2) {
                if wanted(lio) {
                    self.bytes(pair[0], pair[1].min(MOST as u64) as usize);
                }
            }
        } else if wanted(lio) {
            self.bytes(*buf, len);
        }
    }

    /// The io_events, and what the requests that they are of have read.
    fn completions(&mut self, events: u64, count: usize) {
        let bytes = self.bytes(events, count * IO_EVENT);
        for event in words(&bytes).chunks_exact(IO_EVENT / WORD) {
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
    fn of(iocb: &[u8]) -> Option<Self> {
        let (write, vector) = match iocb.get(16..18)? {
            [0, 0] => (false, false),
            [1, 0] => (true, false),
            [7, 0] => (false, true),
            [8, 0] => (true, true),
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
