// The scenarios as a C programmer writes them, with the answers checked: through the C library's syscall(), or
// (-DFREESTANDING) without any library. Which one: -DSCENARIO=aio_submit, say.
#include <linux/aio_abi.h>
#include <linux/fcntl.h>
#include <asm/fcntl.h>
#include <asm/unistd.h>

#ifdef FREESTANDING
static inline long syscall(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
	__asm__ volatile("syscall" : "+a"(nr) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return nr;
}
#define INVALID -22
#else
long syscall(long nr, ...);
#define INVALID -1
#endif
#define call(nr, a, b, c, d, e) syscall(__NR_##nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define AT 0xffffff9c
#define expect(condition) do { if (!(condition)) return 1; } while (0)

static const char path[] = TARGET, payload[] = "ior-aio-submit\n";

static int setup(aio_context_t *ctx) { return call(io_setup, 32, ctx, 0, 0, 0) != 0; }
static int destroy(aio_context_t ctx) { return call(io_destroy, ctx, 0, 0, 0, 0) != 0; }

// Submits one write; afterwards, cancels and fetches what is asked for.
static int write_one(unsigned long long data, int cancel, int min, int fetch)
{
	aio_context_t ctx = 0;
	struct io_event event;
	long fd = call(openat, AT, path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600, 0);
	expect(fd >= 0);
	struct iocb iocb = { .aio_data = data, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd,
			     .aio_buf = (unsigned long)payload, .aio_nbytes = 15 }, *iocbpp[] = { &iocb };
	expect(!setup(&ctx));
	expect(call(io_submit, ctx, 1, iocbpp, 0, 0) == 1);
	if (cancel)
		expect(call(io_cancel, ctx, &iocb, &event, 0, 0) == INVALID);
	if (fetch) {
		expect(call(io_getevents, ctx, min, 1, &event, 0) == 1);
		expect(event.data == data && event.obj == (unsigned long)&iocb && event.res == 15);
	}
	expect(!destroy(ctx));
	expect(call(close, fd, 0, 0, 0, 0) == 0);
	return call(unlinkat, AT, path, 0, 0, 0) != 0;
}

static inline int aio_submit(void) { return write_one(0xda7a0001, 0, 0, 0); }
static inline int aio_getevents(void) { return write_one(0xda7a0002, 0, 1, 1); }
static inline int aio_cancel(void) { return write_one(0xda7a0003, 1, 0, 1); }

static inline int aio_setup(void)
{
	aio_context_t ctx = 0;
	return setup(&ctx) || destroy(ctx);
}

static inline int aio_setup_einval(void)
{
	aio_context_t ctx = 0;
	for (int i = 0; i < 5; i++)
		expect(call(io_setup, 0, &ctx, 0, 0, 0) == INVALID);
	return 0;
}

#ifdef FREESTANDING
__attribute__((force_align_arg_pointer)) void _start(void)
{
	call(exit_group, SCENARIO(), 0, 0, 0, 0);
	__builtin_trap();
}
#else
int main(void) { return SCENARIO(); }
#endif
