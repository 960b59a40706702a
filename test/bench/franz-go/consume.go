package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The longest pause in which no record comes.
const silenceMax = 30 * time.Second

// Reads all partitions from their beginning, without a group, as often as is said.
func consume(l load) (result, error) {
	began := time.Now()
	for range l.passes {
		if err := readOnce(l); err != nil {
			return result{}, err
		}
	}
	return timed(l.records*l.passes, l.recordBytes, time.Since(began), nil), nil
}

func readOnce(l load) error {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(l.servers),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{l.topic: fromStart(l.partitions)}),
	)
	if err != nil {
		return err
	}
	defer client.CloseAllowingRebalance()
	for seen := 0; seen < l.records; {
		waiting, cancel := context.WithTimeout(context.Background(), silenceMax)
		fetches := client.PollFetches(waiting)
		cancel()
		if err := fetches.Err(); err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("only %d of %d records came", seen, l.records)
			}
			return err
		}
		seen += fetches.NumRecords()
	}
	return nil
}

func fromStart(partitions int) map[int32]kgo.Offset {
	offsets := make(map[int32]kgo.Offset, partitions)
	for partition := range partitions {
		offsets[int32(partition)] = kgo.NewOffset().AtStart()
	}
	return offsets
}
