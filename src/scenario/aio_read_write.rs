//! aio-read-write: writes a file from one buffer and from two, and reads it whole, short, beyond
//! its end, and into two buffers.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! openat(AT_FDCWD, "/tmp/ioworkload-aio-read-write", O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600) = 3
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0d01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="0123456789abcdef", aio_nbytes=16, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0d01, obj=&iocb, res=16, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0d02, aio_lio_opcode=IOCB_CMD_PWRITEV, aio_fildes=3, aio_buf=[{iov_base="ghijkl", iov_len=6}, {iov_base="mnopqrstuv", iov_len=10}], aio_offset=16}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0d02, obj=&iocb, res=16, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0d03, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=&buf, aio_nbytes=32, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0d03, obj=&iocb, res=32, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0d04, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=&buf, aio_nbytes=32, aio_offset=24}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0d04, obj=&iocb, res=8, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0d05, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=&buf, aio_nbytes=32, aio_offset=4096}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0d05, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0d06, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=&buf, aio_nbytes=0, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0d06, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0d07, aio_lio_opcode=IOCB_CMD_PREADV, aio_fildes=3, aio_buf=[{iov_base=&buf, iov_len=20}, {iov_base=&other, iov_len=16}], aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0d07, obj=&iocb, res=32, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_destroy(ctx) = 0
//! close(3) = 0
//! unlinkat(AT_FDCWD, "/tmp/ioworkload-aio-read-write", 0) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Calls nothing but AIO for the data: what has been written is checked by what is read.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, `fs.aio-max-nr` is used up, or no file can be made in /tmp.

use crate::story::*;

scenario!("aio-read-write");

const TEXT: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

fn run() -> Outcome {
    let target = Target::create(TARGET)?; // openat
    let (mut buf, mut other) = ([0_u8; 32], [0_u8; 16]);
    let part = |of: *const u8, iov_len| Iovec {
        iov_base: of as u64,
        iov_len,
    };
    let out = [part(TEXT[16..].as_ptr(), 6), part(TEXT[22..].as_ptr(), 10)];
    let into = [
        part((&raw mut buf).cast(), 20),
        part((&raw mut other).cast(), 16),
    ];
    let mut iocb = pwrite(target.fd(), 0xda7a_0d01);
    let mut iocbpp;
    let (mut event, deadline) = (IoEvent::default(), DEADLINE);
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, TEXT, `buf`, `other`, the iovecs and
    // `event`, room for the one completion that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        iocb.aio_buf = TEXT.as_ptr() as u64;
        iocb.aio_nbytes = 16;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 16);

        iocb.aio_data = 0xda7a_0d02;
        iocb.aio_lio_opcode = IOCB_CMD_PWRITEV;
        iocb.aio_buf = &raw const out as u64;
        iocb.aio_nbytes = 2;
        iocb.aio_offset = 16;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 16);

        iocb = pread(target.fd(), 0xda7a_0d03, &raw mut buf, 32);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 32);
        bytes!(io_getevents: buf => TEXT);

        iocb.aio_data = 0xda7a_0d04;
        iocb.aio_offset = 24;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 8);
        bytes!(io_getevents: buf => b"opqrstuv89abcdefghijklmnopqrstuv");

        iocb.aio_data = 0xda7a_0d05;
        iocb.aio_offset = 4096;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 0);

        iocb.aio_data = 0xda7a_0d06;
        iocb.aio_offset = 0;
        iocb.aio_nbytes = 0;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 0);

        iocb.aio_data = 0xda7a_0d07;
        iocb.aio_lio_opcode = IOCB_CMD_PREADV;
        iocb.aio_buf = &raw const into as u64;
        iocb.aio_nbytes = 2;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 32);
        bytes!(io_getevents: buf => TEXT[..20]);
        bytes!(io_getevents: other => TEXT[20..]);
    }
    call!(io_destroy(ctx.release()) = 0);
    target.remove() // close, unlinkat
}
