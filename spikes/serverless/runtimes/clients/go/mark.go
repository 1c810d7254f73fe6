// Package mark tells the harness that the runtime is up.
package mark

import "os"

// Up writes one byte to the pipe that the harness named; it does nothing where none is named.
func Up() {
	path := os.Getenv("SPIKEBENCH_MARK")
	if path == "" {
		return
	}
	pipe, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	defer pipe.Close()
	if _, err := pipe.Write([]byte{'1'}); err != nil {
		panic(err)
	}
}
