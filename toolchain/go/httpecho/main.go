// A small web service for proving network policies: it answers every request with what it received, or passes requests on, and it calls
// others when told to.
//
//	httpecho serve [-listen ADDRESS] [-name NAME] [-forward URL]
//	httpecho call [-seconds N] METHOD URL
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fail("serve or call?")
	}
	switch command, args := os.Args[1], os.Args[2:]; command {
	case "serve":
		serve(args)
	case "call":
		call(args)
	default:
		fail("no such command: " + command)
	}
}

func serve(args []string) {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	listen := flags.String("listen", ":8080", "address")
	name := flags.String("name", "httpecho", "what answers call themselves")
	forward := flags.String("forward", "", "base URL that requests are passed on to, all but /healthz")
	_ = flags.Parse(args)
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle("/", echo(*name))
	if *forward != "" {
		target, err := url.Parse(*forward)
		if err != nil {
			fail(err.Error())
		}
		mux = http.NewServeMux()
		mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
		mux.Handle("/", pass(target))
	}
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	fail(server.ListenAndServe().Error())
}

// Says back who asked for what.
func echo(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		_ = json.NewEncoder(w).Encode(map[string]any{
			"name": name, "method": r.Method, "path": r.URL.RequestURI(), "bytes": len(body),
		})
	})
}

// Passes requests on; a target that does not answer is told from one that refuses.
func pass(target *url.URL) http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = &http.Transport{
		DialContext:       (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
		DisableKeepAlives: true,
	}
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err error) {
		status := http.StatusBadGateway
		if word(err) == "timed out" {
			status = http.StatusGatewayTimeout
		}
		http.Error(w, word(err), status)
	}
	return proxy
}

// Prints how one request ended: its status, or `timed out`, `refused`, `unknown name`. Connections end with the request.
func call(args []string) {
	flags := flag.NewFlagSet("call", flag.ExitOnError)
	seconds := flags.Int("seconds", 3, "time for the whole request")
	_ = flags.Parse(args)
	if flags.NArg() != 2 {
		fail("call METHOD URL")
	}
	request, err := http.NewRequest(flags.Arg(0), flags.Arg(1), nil)
	if err != nil {
		fail(err.Error())
	}
	client := &http.Client{Timeout: time.Duration(*seconds) * time.Second}
	response, err := client.Do(request)
	if err != nil {
		fmt.Println(word(err))
		return
	}
	defer response.Body.Close()
	fmt.Println(response.StatusCode)
}

// One word for how a request failed.
func word(err error) string {
	var name *net.DNSError
	var network net.Error
	switch {
	case errors.As(err, &name) && !name.IsTimeout:
		return "unknown name"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.As(err, &network) && network.Timeout():
		return "timed out"
	}
	return "failed: " + err.Error()
}

func fail(reason string) {
	fmt.Fprintln(os.Stderr, reason)
	os.Exit(1)
}
