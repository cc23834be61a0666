package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The tests of this package are of the whole program: built once, run as
// processes on real folders, and killed as operators and machines kill.

const (
	// fewRecords is a small demo org: 40 people and what they cannot be without.
	fewRecords = "2400"

	patience = 30 * time.Second
	often    = 10 * time.Millisecond

	// lifetime ends a process that hangs.
	lifetime = 4 * patience
)

// program is where TestMain has put the binary.
var program string

func TestMain(m *testing.M) {
	code, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func buildAndRun(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "roadbook-cmd-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "roadbook")
	// Nobody debugs it, and without what debuggers read it is linked in half the time.
	out, err := exec.CommandContext(context.Background(), "go", "build", "-ldflags=-s -w", "-o", program, ".").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("go build: %w\n%s", err, out)
	}
	defer func() { _ = os.RemoveAll(template.parent) }()
	return m.Run(), nil
}

// dataFolder is a folder that PostgreSQL's user can enter, in memory if there is
// any. It does not exist yet: whoever is given it makes it.
func dataFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(inMemory(), "roadbook-cmd-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "data")
}

// inMemory is where folders that tests make are in memory, if there is any.
func inMemory() string {
	const memory = "/dev/shm"
	if _, err := os.Stat(memory); err != nil {
		return os.TempDir()
	}
	return memory
}

// process is the program at work.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	out *output
	url string
}

// launch runs the program with an environment of just these variables.
func launch(t *testing.T, environ []string, args ...string) *process {
	t.Helper()
	return launchOf(t, program, environ, args...)
}

// launchOf is launch of some build of the program.
func launchOf(t *testing.T, program string, environ []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, out: &output{}}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), lifetime)
	p.cmd = exec.CommandContext(ctx, program, args...)
	p.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "ROADBOOK_LOG=json", "ROADBOOK_LOG_LEVEL=warn"}, environ...)
	p.cmd.Dir = "/"
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		cancel()
	})
	return p
}

// run waits for the end of the program and returns what it printed.
func run(t *testing.T, environ []string, args ...string) (string, int) {
	t.Helper()
	p := launch(t, environ, args...)
	code := p.wait()
	return p.out.String(), code
}

// serve starts a server with a small demo org and waits for its address.
func serve(t *testing.T, environ ...string) *process {
	t.Helper()
	return serveOf(t, program, environ...)
}

func serveOf(t *testing.T, program string, environ ...string) *process {
	t.Helper()
	p := launchOf(t, program, append([]string{"ROADBOOK_ADDR=127.0.0.1:0"}, environ...), "serve", "--demo-records", fewRecords)
	listens := regexp.MustCompile(`listens on (http://\S+)`)
	p.url = listens.FindStringSubmatch(p.says(listens))[1]
	return p
}

// says waits until the program has printed something, and returns all of it.
func (p *process) says(what *regexp.Regexp) string {
	p.t.Helper()
	require.Eventually(p.t, func() bool { return what.MatchString(p.out.String()) }, patience, often, p.out)
	return p.out.String()
}

// ready waits until requests can be served.
func (p *process) ready() *process {
	p.t.Helper()
	require.Eventually(p.t, func() bool { return p.get("/readyz") == http.StatusOK }, patience, often, p.out)
	return p
}

// get is the status of an answer, 0 for none.
func (p *process) get(path string) int {
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.url+path, http.NoBody)
	require.NoError(p.t, err)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// login signs lin in.
func (p *process) login() *http.Response {
	p.t.Helper()
	answer, err := p.post(strings.NewReader(loginBody))
	require.NoError(p.t, err)
	return answer
}

const loginBody = `{"org":"demo","user":"lin","password":"roadbook","device":{
	"install":"5e6f7a80-0008-4000-8000-00000000c0de","kind":"phone","platform":"android 15","app":"1.0.0"}}`

// post sends a sign-in. Of a body that comes bit by bit the server has begun to
// read when its first bit has been taken.
func (p *process) post(body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/v1/auth/login", body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Expect", "100-continue")
	request.Header.Set("Content-Type", "application/json")
	return http.DefaultClient.Do(request)
}

// signal asks for something, and wait returns the exit code.
func (p *process) signal(s os.Signal) { require.NoError(p.t, p.cmd.Process.Signal(s)) }

func (p *process) wait() int {
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// stop ends a server as an operator does.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	require.Zero(p.t, p.wait(), p.out)
}

// kill ends it as a machine does that is out of memory.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	p.wait()
}

// postgres is the process that works on the data, 0 if there is none.
func postgres(data string) int {
	text, err := os.ReadFile(filepath.Join(data, "pg", "postmaster.pid"))
	if err != nil {
		return 0
	}
	var pid int
	_, _ = fmt.Sscan(string(text), &pid)
	if pid == 0 || syscall.Kill(pid, 0) == syscall.ESRCH {
		return 0
	}
	return pid
}
