package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Open records of one producer.
const buffered = 50_000

// One record in so many is timed.
const timedEvery = 64

func producer(l load, more ...kgo.Opt) (*kgo.Client, error) {
	options := append([]kgo.Opt{
		kgo.SeedBrokers(l.servers),
		kgo.DefaultProduceTopic(l.topic),
		kgo.MaxBufferedRecords(buffered),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	}, more...)
	if l.compression == "lz4" {
		options = append(options, kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	}
	if l.acks == "1" {
		options = append(options, kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite())
	}
	return kgo.NewClient(options...)
}

// Writes as fast as the broker takes it, in batches.
func produce(l load) (result, error) {
	client, err := producer(l, kgo.ProducerLinger(5*time.Millisecond), kgo.ProducerBatchMaxBytes(65536))
	if err != nil {
		return result{}, err
	}
	defer client.Close()
	value := payload(l.recordBytes)
	var guard sync.Mutex
	var failure error
	var times []time.Duration
	began := time.Now()
	for index := range l.records {
		var sent time.Time
		if index%timedEvery == 0 {
			sent = time.Now()
		}
		client.Produce(context.Background(), &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
			if err == nil && sent.IsZero() {
				return
			}
			guard.Lock()
			defer guard.Unlock()
			if err != nil {
				failure = err
			} else {
				times = append(times, time.Since(sent))
			}
		})
	}
	if err := client.Flush(context.Background()); err != nil {
		return result{}, err
	}
	if failure != nil {
		return result{}, fmt.Errorf("a record was not written: %w", failure)
	}
	return timed(l.records, l.recordBytes, time.Since(began), times), nil
}

// Bytes that do not compress to nothing.
func payload(bytes int) []byte {
	value := make([]byte, bytes)
	state := uint32(1)
	for index := range value {
		state = state*1664525 + 1013904223
		value[index] = 'a' + byte(state>>24)%26
	}
	return value
}
