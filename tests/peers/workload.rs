//! The scenarios as a program of the Rust standard library, which makes system calls through libc.
//! Which one: the variable `SCENARIO` when it is compiled.

use std::ffi::{CStr, CString};
use std::process::ExitCode;

unsafe extern "C" {
    fn syscall(nr: i64, ...) -> i64;
}

const AT_FDCWD: u32 = 0xffff_ff9c;
const FLAGS: u32 = 0xa00c2; // O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC
const PAYLOAD: &[u8; 15] = b"ior-aio-submit\n";

#[repr(C)]
#[derive(Default)]
struct Iocb {
    aio_data: u64,
    aio_key: u32,
    aio_rw_flags: i32,
    aio_lio_opcode: u16,
    aio_reqprio: i16,
    aio_fildes: u32,
    aio_buf: u64,
    aio_nbytes: u64,
    aio_offset: i64,
    aio_reserved2: u64,
    aio_flags: u32,
    aio_resfd: u32,
}

#[repr(C)]
#[derive(Default)]
struct IoEvent {
    data: u64,
    obj: u64,
    res: i64,
    res2: i64,
}

macro_rules! call {
    ($nr:literal $(, $arg:expr)*) => { unsafe { syscall($nr $(, $arg)*) } };
}

fn setup() -> u64 {
    let mut ctx = 0_u64;
    assert_eq!(call!(206, 32_u64, &raw mut ctx), 0);
    ctx
}

/// Submits one write; afterwards, cancels and fetches what is asked for.
fn write_one(data: u64, cancel: bool, fetch: Option<i64>) {
    let path = CString::new(format!("/tmp/ioworkload-{}", env!("SCENARIO"))).unwrap();
    let fd = call!(257, AT_FDCWD, path.as_ptr(), FLAGS, 0o600);
    assert!(fd >= 0);
    let mut iocb = Iocb {
        aio_data: data,
        aio_lio_opcode: 1,
        aio_fildes: fd as u32,
        aio_buf: PAYLOAD.as_ptr() as u64,
        aio_nbytes: 15,
        ..Iocb::default()
    };
    let mut event = IoEvent::default();
    let iocbpp = [&raw mut iocb];
    let ctx = setup();
    assert_eq!(call!(209, ctx, 1_i64, iocbpp.as_ptr()), 1);
    if cancel {
        assert_eq!(call!(210, ctx, &raw const iocb, &raw mut event), -1);
    }
    if let Some(min) = fetch {
        assert_eq!(call!(208, ctx, min, 1_i64, &raw mut event, 0_usize), 1);
        assert_eq!(
            (event.data, event.obj, event.res, event.res2),
            (data, &raw const iocb as u64, 15, 0)
        );
    }
    assert_eq!(call!(207, ctx), 0);
    assert_eq!(call!(3, fd), 0);
    assert_eq!(call!(263, AT_FDCWD, CStr::as_ptr(&path), 0), 0);
}

fn main() -> ExitCode {
    match env!("SCENARIO") {
        "aio-setup" => assert_eq!(call!(207, setup()), 0),
        "aio-setup-einval" => {
            let mut ctx = 0_u64;
            for _ in 0..5 {
                assert_eq!(call!(206, 0_u64, &raw mut ctx), -1);
            }
        }
        "aio-submit" => write_one(0xda7a_0001, false, None),
        "aio-getevents" => write_one(0xda7a_0002, false, Some(1)),
        "aio-cancel" => write_one(0xda7a_0003, true, Some(0)),
        _ => unreachable!(),
    }
    ExitCode::SUCCESS
}
