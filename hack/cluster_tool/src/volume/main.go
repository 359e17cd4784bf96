// Command volume makes and removes the directory of one claim. The local-path
// provisioner runs it in a helper pod, in place of its shell scripts, so that no
// image with a shell is needed. Directories are writable for every user, as the
// pods that claim them do not run as root.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	path := flag.String("p", "", "directory of the volume")
	flag.String("s", "", "size in bytes; directories have no quota")
	flag.String("m", "", "volume mode")
	action := flag.String("a", "", "create or delete")
	flag.Parse()
	if err := apply(*action, *path); err != nil {
		fmt.Fprintln(os.Stderr, "volume:", err)
		os.Exit(1)
	}
}

func apply(action, path string) error {
	switch action {
	case "create":
		if err := os.MkdirAll(path, 0o777); err != nil {
			return err
		}
		return os.Chmod(path, 0o777) // the umask has its say in MkdirAll
	case "delete":
		return os.RemoveAll(path)
	}
	return fmt.Errorf("unknown action %q: want create or delete", action)
}
