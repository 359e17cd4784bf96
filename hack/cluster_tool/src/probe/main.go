// Command probe is what the tests of the cluster run in pods: a server and a client
// in one static binary, so that DNS, services, volumes and logs can be tried without
// any image from a registry.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

const usage = "probe serve ADDRESS TEXT | get URL | lookup NAME | write FILE TEXT | print TEXT | allocate MIB"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) < 2 {
		return fmt.Errorf("usage: %s", usage)
	}
	switch verb, first := arguments[0], arguments[1]; verb {
	case "serve":
		return http.ListenAndServe(first, http.HandlerFunc(
			func(answer http.ResponseWriter, _ *http.Request) { fmt.Fprintln(answer, arguments[2]) }))
	case "get":
		return get(first)
	case "lookup":
		addresses, err := net.LookupHost(first)
		fmt.Println(addresses)
		return err
	case "write":
		return os.WriteFile(first, []byte(arguments[2]), 0o644)
	case "print":
		fmt.Println(first)
		return nil
	case "allocate":
		return allocate(first)
	}
	return fmt.Errorf("unknown verb %q; usage: %s", arguments[0], usage)
}

func get(url string) error {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}

// allocate holds memory until a limit ends the process.
func allocate(mebibytes string) error {
	var count int
	if _, err := fmt.Sscan(mebibytes, &count); err != nil {
		return err
	}
	held := make([][]byte, 0, count)
	for range count {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		held = append(held, block)
	}
	fmt.Println(len(held))
	return nil
}
