// A member of a group: reads, counts one hop up, writes, commits.
package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	sessionTimeout = 6 * time.Second
	heartbeat      = 500 * time.Millisecond
	pollTime       = 200 * time.Millisecond
	// commitTime is how long a commit is tried again while the group rebalances.
	commitTime  = 20 * time.Second
	commitPause = 50 * time.Millisecond
	// transactionTimeout is short: the transaction of a vanished member must not hold up readers for long.
	transactionTimeout = 20 * time.Second
)

var members atomic.Int64

type member struct {
	stage   *stage
	name    string
	number  int64
	network network
	client  *kgo.Client
	// Ended by stop: the member finishes its round and leaves.
	stopping context.Context
	stop     context.CancelFunc
	// Ended by fall: nothing that waits goes on.
	living   context.Context
	die      context.CancelFunc
	done     chan struct{}
	vanished atomic.Bool
}

func startMember(g *stage, slot int) *member {
	m := &member{stage: g, number: members.Add(1), done: make(chan struct{})}
	m.name = fmt.Sprintf("%s-group-%d-member-%d", g.name, g.at, m.number)
	m.stopping, m.stop = context.WithCancel(context.Background())
	m.living, m.die = context.WithCancel(context.Background())
	options := append(g.options(m.name),
		kgo.Dialer(m.network.dial),
		kgo.ConsumerGroup(g.group(g.at)),
		kgo.ConsumeTopics(g.topic(g.at)),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.SessionTimeout(sessionTimeout),
		kgo.HeartbeatInterval(heartbeat),
		kgo.RebalanceTimeout(30*time.Second),
		kgo.RequireStableFetchOffsets(),
	)
	options = append(options, g.balance()...)
	work := m.plainly
	if g.transactional {
		id := fmt.Sprintf("%s-group-%d-slot-%d", g.name, g.at, slot)
		options = append(options, kgo.TransactionalID(id), kgo.TransactionTimeout(transactionTimeout),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		work = m.transactionally
	} else {
		options = append(options, kgo.BlockRebalanceOnPoll())
	}
	go func() {
		defer close(m.done)
		if err := work(options); err != nil && !m.vanished.Load() {
			g.fail(m.name, err)
		}
	}()
	return m
}

// fall takes the network away for ever.
func (m *member) fall() {
	m.vanished.Store(true)
	m.network.cut()
	m.stop()
	m.die()
}

// plainly commits after the records it wrote are acknowledged; the group may rebalance only between the rounds.
func (m *member) plainly(options []kgo.Opt) error {
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.CloseAllowingRebalance()
	m.client = client
	for m.stopping.Err() == nil {
		fetches, err := m.poll(client.PollRecords)
		if err != nil {
			return err
		}
		if count := fetches.NumRecords(); count > 0 {
			if err := m.pass(fetches, client.Produce); err != nil {
				return fmt.Errorf("producing: %w", err)
			}
			if err := m.commit(); err != nil {
				return fmt.Errorf("committing: %w", err)
			}
			m.stage.passed.Add(int64(count))
		}
		client.AllowRebalance()
	}
	return nil
}

// commit tries again while the group is between two generations: the records are ours until we allow the rebalance.
func (m *member) commit() error {
	deadline := time.Now().Add(commitTime)
	for {
		err := m.client.CommitUncommittedOffsets(m.living)
		again := errors.Is(err, kerr.RebalanceInProgress) || errors.Is(err, kerr.IllegalGeneration) ||
			errors.Is(err, kerr.StaleMemberEpoch)
		if !again || time.Now().After(deadline) {
			return err
		}
		time.Sleep(commitPause)
	}
}

// transactionally makes each round a transaction, which is aborted when the group rebalances in it.
func (m *member) transactionally(options []kgo.Opt) error {
	session, err := kgo.NewGroupTransactSession(options...)
	if err != nil {
		return err
	}
	defer session.Close()
	m.client = session.Client()
	// Fences the one before us at once, and ends what it left open.
	if _, _, err := m.client.ProducerID(m.living); err != nil {
		return fmt.Errorf("initialising: %w", err)
	}
	for m.stopping.Err() == nil {
		fetches, err := m.poll(session.PollRecords)
		if err != nil {
			return err
		}
		count := fetches.NumRecords()
		if count == 0 {
			continue
		}
		if err := session.Begin(); err != nil {
			return fmt.Errorf("beginning: %w", err)
		}
		passed := m.pass(fetches, session.Produce)
		committed, err := session.End(m.living, kgo.TransactionEndTry(passed == nil))
		if err = errors.Join(passed, err); err != nil {
			return fmt.Errorf("in a transaction: %w", err)
		}
		if committed {
			m.stage.passed.Add(int64(count))
		} else {
			m.stage.aborts.Add(1)
		}
	}
	return nil
}

func (m *member) poll(poll func(context.Context, int) kgo.Fetches) (kgo.Fetches, error) {
	ctx, cancel := context.WithTimeout(m.stopping, pollTime)
	defer cancel()
	fetches := poll(ctx, m.stage.settings.poll)
	for _, failed := range fetches.Errors() {
		// The client says that it could not join, or lost its place, and joins again; what that does to the records, if
		// anything, is found at the end.
		if lost := (*kgo.ErrGroupSession)(nil); errors.As(failed.Err, &lost) {
			m.stage.rejoins.Add(1)
			continue
		}
		if !errors.Is(failed.Err, context.DeadlineExceeded) && !errors.Is(failed.Err, context.Canceled) {
			return nil, fmt.Errorf("polling %s-%d: %w", failed.Topic, failed.Partition, failed.Err)
		}
	}
	return fetches, nil
}

// pass writes the records to the next topic and waits until all are acknowledged.
func (m *member) pass(fetches kgo.Fetches, produce func(context.Context, *kgo.Record, func(*kgo.Record, error))) error {
	var failure atomic.Value
	next := m.stage.topic(m.stage.at + 1)
	for record := range fetches.RecordsAll() {
		sequence, hops, err := parse(record.Value)
		if err != nil {
			return fmt.Errorf("%s-%d at %d: %w", record.Topic, record.Partition, record.Offset, err)
		}
		moved := &kgo.Record{Topic: next, Key: record.Key, Value: valueOf(sequence, hops+1), Headers: append(record.Headers,
			kgo.RecordHeader{Key: "hop", Value: strconv.AppendInt(nil, int64(m.stage.at), 10)})}
		produce(m.living, moved, func(_ *kgo.Record, err error) {
			if err != nil {
				failure.CompareAndSwap(nil, err)
			}
		})
	}
	if err := m.client.Flush(m.living); err != nil {
		return err
	}
	if err, failed := failure.Load().(error); failed {
		return err
	}
	return nil
}
