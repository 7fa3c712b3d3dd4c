// The Go runtime: goroutines, garbage collection, preemption, timers, processes, signals, sockets, files.
// env: TMPDIR=.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

func channels() {
	jobs, results := make(chan int), make(chan int, 10)
	var workers sync.WaitGroup
	for i := 0; i < 20; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for job := range jobs {
				results <- job * job
			}
		}()
	}
	go func() {
		for i := 1; i <= 500; i++ {
			jobs <- i
		}
		close(jobs)
		workers.Wait()
		close(results)
	}()
	sum := 0
	for result := range results {
		sum += result
	}
	fmt.Println("squares", sum)
	unbuffered, done := make(chan int), make(chan bool)
	go func() {
		for value := range unbuffered {
			sum -= value
		}
		done <- true
	}()
	for i := 0; i < 1000; i++ {
		unbuffered <- i
	}
	close(unbuffered)
	<-done
	fmt.Println("handed over", sum)
}

type node struct {
	left, right *node
	data        [16]byte
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: tree(depth - 1), right: tree(depth - 1)}
}

func (n *node) count() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

func garbage() {
	debug.SetGCPercent(20)
	kept := tree(12)
	var total atomic.Int64
	var all sync.WaitGroup
	for i := 0; i < 4; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for round := 0; round < 5; round++ {
				total.Add(int64(tree(9).count()))
			}
		}()
	}
	all.Wait()
	finalized := make(chan bool, 1)
	func() {
		runtime.SetFinalizer(&node{}, func(*node) { finalized <- true })
	}()
	for i := 0; i < 5; i++ {
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println("nodes", total.Load(), kept.count(), "collected", stats.NumGC > 5, "finalized", <-finalized)
}

// A loop without calls can be left only by a signal (SIGURG).
func preemption() {
	runtime.GOMAXPROCS(1)
	var stop int32
	spun := 0
	go func() { atomic.StoreInt32(&stop, 1) }()
	for i := 0; atomic.LoadInt32(&stop) == 0; i++ {
		spun++
	}
	runtime.GOMAXPROCS(4)
	fmt.Println("preempted", spun >= 0)
}

func timers() {
	begin := time.Now()
	order := make(chan int, 3)
	for _, n := range []int{3, 1, 2} {
		n := n
		time.AfterFunc(time.Duration(n)*15*time.Millisecond, func() { order <- n })
	}
	fmt.Println("timers", <-order, <-order, <-order, time.Since(begin) >= 45*time.Millisecond)
	ticker := time.NewTicker(3 * time.Millisecond)
	for i := 0; i < 3; i++ {
		<-ticker.C
	}
	ticker.Stop()
	context, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	<-context.Done()
	fmt.Println("context", context.Err())
}

func processes() {
	self, err := os.Executable()
	check(err)
	command := exec.Command(self, "child", "a", "b c")
	command.Stdin = strings.NewReader("line one\nline two\n")
	command.Env = append(os.Environ(), "GREETING=hello")
	out, err := command.Output()
	check(err)
	fmt.Printf("child said %q\n", out)
	err = exec.Command(self, "status", "7").Run()
	var failed *exec.ExitError
	fmt.Println("status", errors.As(err, &failed), failed.ExitCode())
	err = exec.Command(self, "kill").Run()
	errors.As(err, &failed)
	fmt.Println("signal", failed.Sys().(syscall.WaitStatus).Signal())
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	fmt.Println("timeout", exec.CommandContext(ctx, self, "sleep").Run())
	_, err = exec.LookPath("no-such-program")
	fmt.Println("lookup", err)
	fmt.Println("start", exec.Command("/no/such/program").Run())
	var running sync.WaitGroup
	for i := 0; i < 4; i++ {
		running.Add(1)
		go func() {
			defer running.Done()
			check(exec.Command(self, "status", "0").Run())
		}()
	}
	running.Wait()
}

func child(args []string) {
	switch args[0] {
	case "child":
		fmt.Println(args[1:], os.Getenv("GREETING"))
		io.Copy(os.Stdout, os.Stdin)
	case "status":
		os.Exit(int(args[1][0] - '0'))
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "sleep":
		time.Sleep(time.Minute)
	case "panic":
		var missing map[string]int
		missing["x"] = 1
	}
}

func signals() {
	caught := make(chan os.Signal, 4)
	signal.Notify(caught, syscall.SIGUSR1, syscall.SIGTERM)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println("caught", <-caught)
	syscall.Kill(os.Getpid(), syscall.SIGTERM)
	fmt.Println("caught", <-caught)
	signal.Ignore(syscall.SIGUSR2)
	syscall.Kill(os.Getpid(), syscall.SIGUSR2)
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		var none *node
		none.data[3] = 1
	}()
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		zero := len(os.Args) - len(os.Args)
		fmt.Println(1 / zero)
	}()
}

func serve(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer connection.Close()
			lines := bufio.NewScanner(connection)
			for lines.Scan() {
				fmt.Fprintln(connection, strings.ToUpper(lines.Text()))
			}
		}()
	}
}

func network(family, address string) {
	listener, err := net.Listen(family, address)
	check(err)
	go serve(listener)
	replies := make(chan string, 8)
	for i := 0; i < 8; i++ {
		i := i
		go func() {
			connection, err := net.Dial(family, listener.Addr().String())
			check(err)
			defer connection.Close()
			fmt.Fprintf(connection, "client %d\n", i)
			reply, err := bufio.NewReader(connection).ReadString('\n')
			check(err)
			replies <- strings.TrimSpace(reply)
		}()
	}
	var all []string
	for i := 0; i < 8; i++ {
		all = append(all, <-replies)
	}
	sort.Strings(all)
	fmt.Println(family, all)
	connection, err := net.Dial(family, listener.Addr().String())
	check(err)
	connection.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
	_, err = connection.Read(make([]byte, 1))
	fmt.Println("deadline", errors.Is(err, os.ErrDeadlineExceeded))
	connection.Close()
	listener.Close()
	_, err = net.Dial(family, listener.Addr().String())
	fmt.Println("closed", err != nil)
}

func datagrams() {
	one, err := net.ListenPacket("udp", "127.0.0.1:0")
	check(err)
	two, err := net.Dial("udp", one.LocalAddr().String())
	check(err)
	fmt.Fprint(two, "datagram")
	buffer := make([]byte, 100)
	n, from, err := one.ReadFrom(buffer)
	check(err)
	fmt.Println("udp", string(buffer[:n]), from.String() == two.LocalAddr().String())
}

func files() {
	directory, err := os.MkdirTemp("", "go")
	check(err)
	defer os.RemoveAll(directory)
	check(os.WriteFile(directory+"/file", []byte("text\n"), 0o640))
	data, err := os.ReadFile(directory + "/file")
	check(err)
	info, err := os.Stat(directory + "/file")
	check(err)
	fmt.Printf("file %q %v %d\n", data, info.Mode(), info.Size())
	reader, writer, err := os.Pipe()
	check(err)
	go func() {
		for i := 0; i < 1000; i++ {
			fmt.Fprintln(writer, i)
		}
		writer.Close()
	}()
	lines := 0
	for scanner := bufio.NewScanner(reader); scanner.Scan(); {
		lines++
	}
	fmt.Println("piped lines", lines)
	_, err = os.Open(directory + "/absent")
	fmt.Println("absent", errors.Is(err, os.ErrNotExist))
}

func main() {
	if len(os.Args) > 1 {
		child(os.Args[1:])
		return
	}
	runtime.GOMAXPROCS(4)
	channels()
	garbage()
	preemption()
	timers()
	processes()
	signals()
	network("tcp", "127.0.0.1:0")
	network("tcp6", "[::1]:0")
	network("unix", "@go-test-socket")
	datagrams()
	files()
	var once sync.Once
	var mutex sync.RWMutex
	counts := map[int]int{}
	var all sync.WaitGroup
	for i := 0; i < 100; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			once.Do(func() { fmt.Println("once") })
			mutex.Lock()
			counts[i%7]++
			mutex.Unlock()
			mutex.RLock()
			defer mutex.RUnlock()
			_ = counts[0]
		}(i)
	}
	all.Wait()
	fmt.Println("map", counts)
	locked := make(chan bool)
	go func() {
		runtime.LockOSThread()
		locked <- syscall.Gettid() != os.Getpid()
	}()
	<-locked
	child([]string{"panic"})
}
