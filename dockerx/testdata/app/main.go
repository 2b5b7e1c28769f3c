// Command app is what the tests of package dockerx run in containers.
package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	switch arg(1) {
	case "serve": // says so on both streams, then waits for its end
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		if _, err := os.Stat("/x"); err == nil {
			if err := os.WriteFile("/x/file", []byte("served"), 0o644); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}
		fmt.Println("out: serving")
		fmt.Fprintln(os.Stderr, "err: serving")
		fmt.Println(strings.Repeat("x", 40<<10))
		fmt.Println(strings.Repeat("y", 200<<10))
		fmt.Println("out: ready")
		<-stop
		fmt.Print("out: bye without an end of line")
	case "exit": // says something on both streams and ends with a code
		fmt.Println("to stdout")
		fmt.Fprintln(os.Stderr, "to stderr", os.Getenv("SECRET"))
		code, _ := strconv.Atoi(arg(2))
		os.Exit(code)
	case "cat":
		_, _ = io.Copy(os.Stdout, os.Stdin)
	case "hang":
		fmt.Println("hanging")
		select {}
	case "data": // proves what a scratch container sees
		raw, err := os.ReadFile("/x/file")
		fmt.Println(string(raw), err)
		ifs, _ := os.ReadDir("/sys/class/net")
		for _, i := range ifs {
			fmt.Println("net:", i.Name())
		}
	}
}

func arg(i int) string {
	if i < len(os.Args) {
		return os.Args[i]
	}
	return ""
}
