// Chains of consume-transform-produce on franz-go, for franz-go.interop-spec.ts and for reading by hand:
//
//	go run . -bootstrap 127.0.0.1:9092 -protocol classic|consumer [-transactional] [-records 500000]
//
// Records go through a chain of topics. Between two topics stands a group whose members read, count one hop up, and
// write; members join, leave and (with -crashes) vanish while records flow. At the end every topic is read from its
// first offset, and the program ends with code 1, telling the reason, unless every record of every key is there, in
// the order of its key, in one partition, once, and every group has committed exactly what it read.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// settings of one run; the flags say what each means.
type settings struct {
	bootstrap     string
	name          string
	protocol      string
	transactional bool
	crashes       bool
	verbose       bool
	records       int
	keys          int
	partitions    int
	stages        int
	members       int
	portions      int
	poll          int
	timeout       time.Duration
}

// checkTime is how long reading everything back may take.
const checkTime = 3 * time.Minute

const (
	classicProtocol  = "classic"
	consumerProtocol = "consumer"
)

func main() {
	s := settings{}
	flag.StringVar(&s.bootstrap, "bootstrap", "", "address of a broker, host:port")
	flag.StringVar(&s.name, "name", "", "what topics, groups and transactional ids begin with; default: chain-<time>")
	flag.StringVar(&s.protocol, "protocol", classicProtocol, "protocol of the groups: classic or consumer (KIP-848)")
	flag.BoolVar(&s.transactional, "transactional", false, "work in transactions (GroupTransactSession)")
	flag.BoolVar(&s.crashes, "crashes", false, "let some members vanish from the network instead of leaving")
	flag.BoolVar(&s.verbose, "verbose", false, "print what the clients log")
	flag.IntVar(&s.records, "records", 100_000, "records that enter the chain")
	flag.IntVar(&s.keys, "keys", 1000, "different keys")
	flag.IntVar(&s.partitions, "partitions", 6, "partitions of each topic")
	flag.IntVar(&s.stages, "stages", 3, "groups in the chain")
	flag.IntVar(&s.members, "members", 4, "members of a group at most")
	flag.IntVar(&s.portions, "portions", 10, "portions the records come in; members come or go before each but the first")
	flag.IntVar(&s.poll, "poll", 1000, "records of one poll, one commit or one transaction, at most")
	flag.DurationVar(&s.timeout, "timeout", 10*time.Minute, "how long all of it may take")
	flag.Parse()
	if err := s.complete(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func (s *settings) complete() error {
	if s.name == "" {
		s.name = fmt.Sprintf("chain-%d", time.Now().UnixMilli())
	}
	switch {
	case s.bootstrap == "":
		return errors.New("-bootstrap is missing: say where a broker is")
	case s.protocol != classicProtocol && s.protocol != consumerProtocol:
		return fmt.Errorf("-protocol is classic or consumer, not %q", s.protocol)
	case min(s.records, s.keys, s.partitions, s.stages, s.members, s.portions, s.poll) < 1:
		return errors.New("records, keys, partitions, stages, members, portions and poll are at least 1")
	}
	return nil
}

func (s *settings) topic(stage int) string { return fmt.Sprintf("%s-%d", s.name, stage) }
func (s *settings) group(stage int) string { return fmt.Sprintf("%s-group-%d", s.name, stage) }

// options that every client of the run has.
func (s *settings) options(clientID string) []kgo.Opt {
	options := []kgo.Opt{kgo.SeedBrokers(s.bootstrap), kgo.ClientID(clientID)}
	if s.verbose {
		options = append(options, kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelInfo, func() string {
			return time.Now().Format("15:04:05.000 ") + clientID + " "
		})))
	}
	return options
}

func run(s settings) error {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	client, err := kgo.NewClient(s.options(s.name + "-admin")...)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	for stage := 0; stage <= s.stages; stage++ {
		created, err := admin.CreateTopic(ctx, int32(s.partitions), 1, nil, s.topic(stage))
		if err = errors.Join(err, created.Err); err != nil {
			return fmt.Errorf("topic %s: %w", s.topic(stage), err)
		}
	}

	began := time.Now()
	stages := make([]*stage, s.stages)
	for at := range stages {
		stages[at] = newStage(&s, at)
	}
	fed := feed(ctx, &s, stages)
	for _, stage := range stages {
		stage.end()
		fmt.Println(stage.summary())
	}
	took := time.Since(began)
	fmt.Printf("%d records through %d groups in %.1f s, %.0f hops/s\n", s.records, s.stages, took.Seconds(),
		float64(s.records*s.stages)/took.Seconds())
	found := []error{fed}
	for _, stage := range stages {
		found = append(found, stage.failure())
	}
	// Of its own time: what is missing is told also when there was not enough for the chain.
	reading, enough := context.WithTimeout(context.Background(), checkTime)
	defer enough()
	return errors.Join(append(found, check(reading, &s, client))...)
}
