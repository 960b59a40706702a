package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// From the call of one client to the poll of another, while so many records a second go through the topic. The records
// leave by the clock, whatever became of the earlier ones: a broker that stops for a while does not hide it.
func latency(l load) (result, error) {
	writer, err := producer(l, kgo.ProducerLinger(0))
	if err != nil {
		return result{}, err
	}
	defer writer.Close()
	reader, err := kgo.NewClient(
		kgo.SeedBrokers(l.servers),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{l.topic: fromStart(l.partitions)}),
	)
	if err != nil {
		return result{}, err
	}
	defer reader.CloseAllowingRebalance()
	base := time.Now()
	// The first tenth makes connections and warms up; it is not counted.
	warmUp := l.records / 10
	total := l.records + warmUp
	failed := make(chan error, 1)
	go send(l, writer, base, total, failed)
	var times []time.Duration
	for seen := 0; seen < total; {
		waiting, cancel := context.WithTimeout(context.Background(), silenceMax)
		fetches := reader.PollFetches(waiting)
		cancel()
		now := time.Since(base)
		if err := fetches.Err(); err != nil {
			return result{}, fmt.Errorf("%d of %d records came: %w", seen, total, err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			seen++
			if seen > warmUp {
				times = append(times, now-time.Duration(binary.BigEndian.Uint64(record.Value)))
			}
		})
		select {
		case err := <-failed:
			return result{}, err
		default:
		}
	}
	return timed(len(times), l.recordBytes, time.Since(base), times), nil
}

func send(l load, writer *kgo.Client, base time.Time, total int, failed chan<- error) {
	pause := time.Second / time.Duration(l.perSecond)
	for index := range total {
		due := time.Duration(index) * pause
		time.Sleep(due - time.Since(base))
		value := payload(max(8, l.recordBytes))
		// From when it was due: a sender that was late itself would flatter the broker.
		binary.BigEndian.PutUint64(value, uint64(due))
		writer.Produce(context.Background(), &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err == nil {
				return
			}
			select {
			case failed <- err:
			default:
			}
		})
	}
}
