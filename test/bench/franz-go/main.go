// The load of the broker bench that Kafka's own tools cannot make: so many small requests that the broker is the limit,
// reading the same records many times, and the time from one client to another at a given rate.
//
//	load produce|singles|consume|latency -servers HOST:PORT -topic NAME [flags]
//
// Prints one JSON object when everything was acknowledged or read. Whatever fails ends it with exit code 1.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"time"
)

// What to do, and to whom.
type load struct {
	servers     string
	topic       string
	partitions  int
	records     int
	recordBytes int
	acks        string
	compression string
	connections int
	inFlight    int
	passes      int
	perSecond   int
}

// What it took. Milliseconds are those of one request or record.
type result struct {
	Records int     `json:"records"`
	Bytes   int     `json:"bytes"`
	Seconds float64 `json:"seconds"`
	P50Ms   float64 `json:"p50Ms,omitempty"`
	P99Ms   float64 `json:"p99Ms,omitempty"`
}

func main() {
	kinds := map[string]func(load) (result, error){
		"produce": produce, "singles": singles, "consume": consume, "latency": latency,
	}
	if len(os.Args) < 2 || kinds[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: load produce|singles|consume|latency [flags]"))
	}
	var l load
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	flags.StringVar(&l.servers, "servers", "", "bootstrap server, host:port")
	flags.StringVar(&l.topic, "topic", "", "an existing topic")
	flags.IntVar(&l.partitions, "partitions", 1, "partitions of the topic")
	flags.IntVar(&l.records, "records", 0, "records to write or to read in one pass")
	flags.IntVar(&l.recordBytes, "record-bytes", 100, "bytes of a value")
	flags.StringVar(&l.acks, "acks", "all", "all or 1")
	flags.StringVar(&l.compression, "compression", "none", "none or lz4")
	flags.IntVar(&l.connections, "connections", 16, "connections of singles")
	flags.IntVar(&l.inFlight, "in-flight", 5, "open requests of one connection of singles")
	flags.IntVar(&l.passes, "passes", 1, "how often consume reads the topic")
	flags.IntVar(&l.perSecond, "per-second", 1000, "records a second of latency")
	_ = flags.Parse(os.Args[2:])
	done, err := kinds[os.Args[1]](l)
	if err != nil {
		fail(err)
	}
	line, _ := json.Marshal(done)
	fmt.Println(string(line))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// The value at a share of all of them, in milliseconds.
func percentile(times []time.Duration, share float64) float64 {
	if len(times) == 0 {
		return 0
	}
	index := min(len(times)-1, int(float64(len(times))*share))
	return float64(times[index]) / float64(time.Millisecond)
}

func timed(records, recordBytes int, took time.Duration, times []time.Duration) result {
	sort.Slice(times, func(a, b int) bool { return times[a] < times[b] })
	return result{
		Records: records,
		Bytes:   records * recordBytes,
		Seconds: took.Seconds(),
		P50Ms:   percentile(times, 0.5),
		P99Ms:   percentile(times, 0.99),
	}
}
