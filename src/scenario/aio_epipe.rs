//! aio-epipe: writes to a pipe that has no reader.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! pipe2([3, 4], O_CLOEXEC) = 0
//! close(3) = 0
//! rt_sigaction(SIGPIPE, {sa_handler=SIG_IGN, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=NULL}, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a1401, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=4, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! --- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER, si_pid=pid, si_uid=uid} ---
//! io_getevents(ctx, 1, 1, [{data=0xda7a1401, obj=&iocb, res=-32, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! rt_sigaction(SIGPIPE, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8) = 0
//! io_destroy(ctx) = 0
//! close(4) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! No signal ends it: SIGPIPE is ignored during the write, though ptrace shows it, and then as it
//! was.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-epipe");

fn run() -> Outcome {
    let mut fds = [0; 2];
    let (reader, writer) = pipe(&mut fds)?; // pipe2
    let (ignore, mut old) = (Sigaction::ignore(), Sigaction::default());
    let mut iocb = pwrite(writer.number(), 0xda7a_1401);
    let iocbpp = [&raw mut iocb];
    let (mut event, deadline) = (IoEvent::default(), DEADLINE);
    let mut ctx = Context::default();
    call!(close(reader.release()) = 0);
    call!(rt_sigaction(SIGPIPE, &ignore, Some(&mut old)) = 0);
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD and `event`, room for the one
    // completion that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
        reaped!(ctx, deadline, event, iocb, -EPIPE);
    }
    call!(rt_sigaction(SIGPIPE, &old, None) = 0);
    call!(io_destroy(ctx.release()) = 0);
    call!(close(writer.release()) = 0);
    Ok(())
}
