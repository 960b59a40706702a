package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The newest version that names topics.
const produceVersion = 12

// How long a new topic may take, and how often it is asked.
const (
	readyWithin = 10 * time.Second
	readyPause  = 50 * time.Millisecond
)

// Many connections, on each of which some requests are open; every request has one record. The frames are made once: a
// client that encodes each of them would be the limit, not the broker.
func singles(l load) (result, error) {
	frames := make([][]byte, l.partitions)
	for partition := range frames {
		frames[partition] = singleFrame(l, int32(partition))
	}
	if err := untilTaken(l, frames); err != nil {
		return result{}, err
	}
	left := atomic.Int64{}
	left.Store(int64(l.records))
	lanes := make([]lane, l.connections)
	for index := range lanes {
		connection, err := net.Dial("tcp", l.servers)
		if err != nil {
			return result{}, err
		}
		defer connection.Close()
		lanes[index] = lane{load: l, connection: connection, frames: frames, next: index, left: &left}
	}
	began := time.Now()
	var group sync.WaitGroup
	for index := range lanes {
		group.Go(func() { lanes[index].err = lanes[index].run() })
	}
	group.Wait()
	took := time.Since(began)
	var times []time.Duration
	for _, lane := range lanes {
		if lane.err != nil {
			return result{}, lane.err
		}
		times = append(times, lane.times...)
	}
	return timed(len(times), l.recordBytes, took, times), nil
}

// One request for each partition, again and again until it is taken: a topic is not everywhere when it is said to be made.
func untilTaken(l load, frames [][]byte) error {
	deadline := time.Now().Add(readyWithin)
	for partition := range frames {
		for {
			err := trySingle(l, frames[partition])
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				return err
			}
			time.Sleep(readyPause)
		}
	}
	return nil
}

func trySingle(l load, frame []byte) error {
	connection, err := net.Dial("tcp", l.servers)
	if err != nil {
		return err
	}
	defer connection.Close()
	if _, err := connection.Write(frame); err != nil {
		return err
	}
	trial := lane{load: l}
	return trial.receive(bufio.NewReader(connection))
}

// One connection.
type lane struct {
	load       load
	connection net.Conn
	frames     [][]byte
	next       int
	left       *atomic.Int64
	times      []time.Duration
	err        error
}

func (l *lane) run() error {
	reader := bufio.NewReader(l.connection)
	writer := bufio.NewWriter(l.connection)
	var open []time.Time
	for range l.load.inFlight {
		if sent, ok := l.send(writer); ok {
			open = append(open, sent)
		}
	}
	for len(open) > 0 {
		if reader.Buffered() == 0 {
			if err := writer.Flush(); err != nil {
				return err
			}
		}
		if err := l.receive(reader); err != nil {
			return err
		}
		l.times = append(l.times, time.Since(open[0]))
		open = open[1:]
		if sent, ok := l.send(writer); ok {
			open = append(open, sent)
		}
	}
	return nil
}

func (l *lane) send(writer *bufio.Writer) (time.Time, bool) {
	if l.left.Add(-1) < 0 {
		return time.Time{}, false
	}
	frame := l.frames[l.next%len(l.frames)]
	l.next++
	_, _ = writer.Write(frame) // an error stays and comes back from Flush
	return time.Now(), true
}

// Reads one response and looks at its error code, which lies behind correlation id, tags, the two array lengths, the
// topic's name and the partition's index.
func (l *lane) receive(reader *bufio.Reader) error {
	var prefix [4]byte
	if _, err := io.ReadFull(reader, prefix[:]); err != nil {
		return fmt.Errorf("the broker closed a connection: %w", err)
	}
	length := int(binary.BigEndian.Uint32(prefix[:]))
	at := 4 + 1 + 1 + 1 + len(l.load.topic) + 1 + 4
	response, err := reader.Peek(length)
	if err != nil {
		return err
	}
	if length < at+2 {
		return fmt.Errorf("a response has %d bytes only", length)
	}
	if code := int16(binary.BigEndian.Uint16(response[at:])); code != 0 {
		return fmt.Errorf("a record was refused with error code %d", code)
	}
	_, err = reader.Discard(length)
	return err
}

func singleFrame(l load, partition int32) []byte {
	request := kmsg.NewPtrProduceRequest()
	request.SetVersion(produceVersion)
	request.TimeoutMillis = 30_000
	request.Acks = 1
	if l.acks == "all" {
		request.Acks = -1
	}
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = l.topic
	data := kmsg.NewProduceRequestTopicPartition()
	data.Partition = partition
	data.Records = singleBatch(payload(l.recordBytes))
	topic.Partitions = append(topic.Partitions, data)
	request.Topics = append(request.Topics, topic)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("load")).AppendRequest(nil, request, 0)
}

// A batch of one record without a key.
func singleBatch(value []byte) []byte {
	record := []byte{0, 0, 0, 1}                            // attributes, both deltas, a null key
	record = binary.AppendVarint(record, int64(len(value))) // Go's varints are zigzag, as Kafka's are
	record = append(append(record, value...), 0)            // no headers
	records := binary.AppendVarint(nil, int64(len(record)))
	records = append(records, record...)
	now := time.Now().UnixMilli()
	batch := kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, FirstTimestamp: now, MaxTimestamp: now,
		ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: 1, Records: records,
	}
	bytes := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(bytes[8:], uint32(len(bytes)-12))
	binary.BigEndian.PutUint32(bytes[17:], crc32.Checksum(bytes[21:], crc32.MakeTable(crc32.Castagnoli)))
	return bytes
}
