// Records enter the chain in portions; before each portion but the first, a member comes or goes in every group.
package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// quiet is how long no record may arrive at the end: longer than sessions and transactions take to time out.
const quiet = 90 * time.Second

// look is how often the end of the chain is looked at.
const look = 20 * time.Millisecond

// feed returns when all records have come out of the last stage, or with the reason why they do not.
func feed(ctx context.Context, s *settings, stages []*stage) error {
	producer, err := kgo.NewClient(s.options(s.name + "-feed")...)
	if err != nil {
		return err
	}
	defer producer.Close()
	last := stages[len(stages)-1]
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
		if err := last.wait(ctx, wanted); err != nil {
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

// wait returns when the stage has passed on so many records.
func (g *stage) wait(ctx context.Context, wanted int) error {
	before, since := g.passed.Load(), time.Now()
	for {
		now := g.passed.Load()
		if now >= int64(wanted) {
			return nil
		}
		if now != before {
			before, since = now, time.Now()
		}
		if time.Since(since) > quiet {
			return fmt.Errorf("the chain stands still: %d of %d records came out of group %d", now, wanted, g.at)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("out of time: %d of %d records came out of group %d", now, wanted, g.at)
		case <-time.After(look):
		}
	}
}
