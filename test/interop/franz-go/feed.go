// Records enter the chain in portions; before each portion but the first, a member comes or goes in every group.
package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// quiet is how long no record may arrive at the end: longer than sessions and transactions take to time out.
const quiet = 90 * time.Second

// settled is how long no record may arrive before the offsets of the groups are looked at.
const settled = 2 * time.Second

// look is how often the end of the chain is looked at.
const look = 20 * time.Millisecond

// feed returns when all records have come out of the last stage, or with the reason why they do not.
func feed(ctx context.Context, s *settings, stages []*stage) error {
	producer, err := kgo.NewClient(s.options(s.name + "-feed")...)
	if err != nil {
		return err
	}
	defer producer.Close()
	admin := kadm.NewClient(producer)
	for portion := 0; portion < s.portions; portion++ {
		for _, stage := range stages {
			stage.change(portion)
		}
		from, until := s.records*portion/s.portions, s.records*(portion+1)/s.portions
		if err := produce(ctx, producer, s, from, until); err != nil {
			return fmt.Errorf("feeding: %w", err)
		}
		// Half of the portion is still under way when the next change comes, so that it comes in the middle of work.
		wanted := (from + until) / 2
		if portion == s.portions-1 {
			wanted = s.records
		}
		if err := wait(ctx, admin, stages, wanted); err != nil {
			return err
		}
	}
	return nil
}

func produce(ctx context.Context, producer *kgo.Client, s *settings, from, until int) error {
	var failure atomic.Value
	for at := from; at < until; at++ {
		record := &kgo.Record{Topic: s.topic(0), Key: keyOf(at % s.keys), Value: valueOf(at/s.keys, 0)}
		producer.Produce(ctx, record, func(_ *kgo.Record, err error) {
			if err != nil {
				failure.CompareAndSwap(nil, err)
			}
		})
	}
	if err := producer.Flush(ctx); err != nil {
		return err
	}
	if err, failed := failure.Load().(error); failed {
		return err
	}
	return nil
}

// wait returns when the last stage has passed on so many records, or nothing is left to pass on anywhere: a member that
// vanished while it waited for the answer to its commit has not counted what it passed on, and nobody reads that again.
func wait(ctx context.Context, admin *kadm.Client, stages []*stage, wanted int) error {
	last := stages[len(stages)-1]
	before, since := last.passed.Load(), time.Now()
	for {
		now := last.passed.Load()
		if now >= int64(wanted) {
			return nil
		}
		if last.fallen > 0 && time.Since(since) > settled {
			if done, err := drained(ctx, admin, stages); done || err != nil {
				return err
			}
		}
		if now != before {
			before, since = now, time.Now()
		}
		if time.Since(since) > quiet {
			return fmt.Errorf("the chain stands still: %d of %d records came out of group %d", now, wanted, last.at)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("out of time: %d of %d records came out of group %d", now, wanted, last.at)
		case <-time.After(look):
		}
	}
}

// drained tells whether each group, from the first to the last, has committed up to the end of its topic. Members commit what
// they have written on already.
func drained(ctx context.Context, admin *kadm.Client, stages []*stage) (bool, error) {
	for _, g := range stages {
		ends, err := admin.ListCommittedOffsets(ctx, g.topic(g.at))
		if err != nil {
			return false, fmt.Errorf("end offsets of %s: %w", g.topic(g.at), err)
		}
		offsets, err := admin.FetchOffsets(ctx, g.group(g.at))
		if err != nil {
			return false, fmt.Errorf("offsets of %s: %w", g.group(g.at), err)
		}
		// What a transaction wrote ends with a marker, which nobody reads and so nobody commits.
		marker := int64(0)
		if g.transactional && g.at > 0 {
			marker = 1
		}
		isBehind := false
		ends.Each(func(end kadm.ListedOffset) {
			committed, isThere := offsets.Lookup(end.Topic, end.Partition)
			isBehind = isBehind || end.Offset > 0 && (!isThere || committed.At < end.Offset-marker)
		})
		if isBehind {
			return false, nil
		}
	}
	return true, nil
}
