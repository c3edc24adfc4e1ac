// Attaches strace to a waiting workload, and opens its gate when strace says that it has attached.
package main

import (
	"bufio"
	"log"
	"os/exec"
	"strings"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	workload := exec.Command("ioworkload", "aio-submit", "--hold=stdin")
	gate, _ := workload.StdinPipe()
	said, _ := workload.StdoutPipe()
	check(workload.Start())
	pid, err := bufio.NewReader(said).ReadString('\n')
	check(err)

	tracer := exec.Command("strace", "-o", "trace", "-p", strings.TrimSpace(pid))
	ready, _ := tracer.StderrPipe()
	check(tracer.Start())
	_, err = bufio.NewReader(ready).ReadString('\n')
	check(err)

	check(gate.Close()) // opens the gate
	check(workload.Wait())
	check(tracer.Wait())
}
