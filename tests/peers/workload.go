// The scenarios in Go, with its package syscall. Which one: -ldflags "-X main.scenario=aio-submit", say.
package main

import (
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

const flags = syscall.O_RDWR | syscall.O_CREAT | syscall.O_EXCL | syscall.O_NOFOLLOW | syscall.O_CLOEXEC

var scenario string
var payload = []byte("ior-aio-submit\n")

type iocb struct {
	data      uint64
	key       uint32
	rwFlags   int32
	lioOpcode uint16
	reqprio   int16
	fildes    uint32
	buf       uintptr
	nbytes    uint64
	offset    int64
	reserved2 uint64
	flags     uint32
	resfd     uint32
}

type event struct {
	data, obj uint64
	res, res2 int64
}

func address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

func expect(want bool) {
	if !want {
		os.Exit(1)
	}
}

func call(nr, a, b, c, d, e uintptr) (uintptr, syscall.Errno) {
	r, _, errno := syscall.Syscall6(nr, a, b, c, d, e, 0)
	return r, errno
}

func setup() uintptr {
	var ctx uintptr
	_, errno := call(syscall.SYS_IO_SETUP, 32, address(&ctx), 0, 0, 0)
	expect(errno == 0)
	return ctx
}

func destroy(ctx uintptr) {
	_, errno := call(syscall.SYS_IO_DESTROY, ctx, 0, 0, 0, 0)
	expect(errno == 0)
}

// Submits one write; afterwards, cancels and fetches what is asked for.
func writeOne(data uint64, cancel bool, min uintptr, fetch bool) {
	path := "/tmp/ioworkload-" + scenario
	fd, err := syscall.Open(path, flags, 0600)
	expect(err == nil)
	req := &iocb{data: data, lioOpcode: 1, fildes: uint32(fd), buf: address(&payload[0]), nbytes: 15}
	list := &[1]*iocb{req}
	var done event
	ctx := setup()
	n, _ := call(syscall.SYS_IO_SUBMIT, ctx, 1, address(list), 0, 0)
	expect(n == 1)
	if cancel {
		_, errno := call(syscall.SYS_IO_CANCEL, ctx, address(req), address(&done), 0, 0)
		expect(errno == syscall.EINVAL)
	}
	if fetch {
		n, _ = call(syscall.SYS_IO_GETEVENTS, ctx, min, 1, address(&done), 0)
		expect(n == 1 && done == event{data, uint64(address(req)), 15, 0})
	}
	destroy(ctx)
	expect(syscall.Close(fd) == nil)
	expect(syscall.Unlink(path) == nil)
}

// The loop of aio-burst: so many calls, numbered.
func burst(rounds uintptr) {
	ctx := setup()
	interrupted := 0
	for n := uintptr(1); n <= rounds; n++ {
		if _, errno := call(syscall.SYS_IO_GETEVENTS, ctx, 0, n, 0, 0); errno != 0 {
			interrupted++
		}
	}
	destroy(ctx)
	if interrupted > 0 {
		println(interrupted, "calls answered with an error")
	}
}

func main() {
	switch scenario {
	case "aio-setup":
		destroy(setup())
	case "aio-setup-einval":
		for i := 0; i < 5; i++ {
			var ctx uintptr
			_, errno := call(syscall.SYS_IO_SETUP, 0, address(&ctx), 0, 0, 0)
			expect(errno == syscall.EINVAL)
		}
	case "aio-submit":
		writeOne(0xda7a0001, false, 0, false)
	case "aio-getevents":
		writeOne(0xda7a0002, false, 1, true)
	case "aio-cancel":
		writeOne(0xda7a0003, true, 0, true)
	case "aio-burst":
		rounds, err := strconv.Atoi(os.Args[1])
		expect(err == nil)
		burst(uintptr(rounds))
	default:
		os.Exit(2)
	}
}
