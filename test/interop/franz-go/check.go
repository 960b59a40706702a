// Reads every topic from its first offset to its last and compares it with what has to be there.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// findingsMax is how many findings of one topic are told.
	findingsMax = 10
	// readTime is how long no record may come while a topic is read.
	readTime = 30 * time.Second
)

// check returns all that is wrong, nil when nothing is.
func check(ctx context.Context, s *settings, client *kgo.Client) error {
	found := []error{checkProtocols(ctx, s, client)}
	admin := kadm.NewClient(client)
	for at := 0; at <= s.stages; at++ {
		ends, err := admin.ListEndOffsets(ctx, s.topic(at))
		if err != nil {
			return fmt.Errorf("end offsets of %s: %w", s.topic(at), err)
		}
		seen := newReading(s, at)
		if err := seen.read(ctx, ends); err != nil {
			return fmt.Errorf("reading %s: %w", s.topic(at), err)
		}
		found = append(found, seen.result())
		if at < s.stages {
			found = append(found, checkCommitted(ctx, s, admin, at, seen))
		}
	}
	return errors.Join(found...)
}

// reading is one topic as it was found.
type reading struct {
	*settings
	at         int
	count      int
	duplicates int
	next       []int
	place      []int32
	// Per partition: the offset that comes next, and the one after the last record that is no marker.
	position []int64
	data     []int64
	findings []error
	hidden   int
}

func newReading(s *settings, at int) *reading {
	r := &reading{settings: s, at: at, next: make([]int, s.keys), place: make([]int32, s.keys),
		position: make([]int64, s.partitions), data: make([]int64, s.partitions)}
	for key := range r.place {
		r.place[key] = -1
	}
	return r
}

func (r *reading) read(ctx context.Context, ends kadm.ListedOffsets) error {
	start := map[int32]kgo.Offset{}
	for partition := range r.partitions {
		start[int32(partition)] = kgo.NewOffset().At(0)
	}
	options := append(r.options(r.name+"-check"), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.topic(r.at): start}))
	if r.transactional {
		options = append(options, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	for !r.isAt(ends) {
		limited, cancel := context.WithTimeout(ctx, readTime)
		fetches := client.PollFetches(limited)
		cancel()
		for _, failed := range fetches.Errors() {
			return fmt.Errorf("partition %d, at %v of %v: %w", failed.Partition, r.position, ends, failed.Err)
		}
		fetches.EachRecord(r.take)
	}
	return nil
}

func (r *reading) isAt(ends kadm.ListedOffsets) bool {
	for partition, position := range r.position {
		if end, _ := ends.Lookup(r.topic(r.at), int32(partition)); position < end.Offset {
			return false
		}
	}
	return true
}

func (r *reading) take(record *kgo.Record) {
	partition := record.Partition
	expected := r.position[partition]
	// In a transaction, aborted records are passed over; a plain topic has no holes.
	if record.Offset < expected || !r.transactional && record.Offset != expected {
		r.find(record, "offset %d follows %d", record.Offset, expected-1)
	}
	r.position[partition] = record.Offset + 1
	if record.Attrs.IsControl() {
		return
	}
	r.data[partition] = record.Offset + 1
	r.count++
	key, err := keyNumber(record.Key)
	sequence, hops, wrong := parse(record.Value)
	if err = errors.Join(err, wrong); err != nil || key < 0 || key >= r.keys {
		r.find(record, "not ours: %v %v", err, key)
		return
	}
	if hops != r.at || len(record.Headers) != r.at {
		r.find(record, "%d hops and %d headers, expected %d", hops, len(record.Headers), r.at)
	}
	if place := r.place[key]; place >= 0 && place != partition {
		r.find(record, "key %d was in partition %d before", key, place)
	}
	r.place[key] = partition
	switch {
	case sequence == r.next[key]:
		r.next[key]++
	case sequence < r.next[key]:
		r.duplicates++
		if !r.mayRepeat() {
			r.find(record, "key %d, sequence %d comes again after %d", key, sequence, r.next[key]-1)
		}
	default:
		r.find(record, "key %d, sequence %d follows %d", key, sequence, r.next[key]-1)
		r.next[key] = sequence + 1
	}
}

// Without transactions, who vanishes before it commits leaves its work to be done again.
func (r *reading) mayRepeat() bool { return r.crashes && !r.transactional }

func (r *reading) find(record *kgo.Record, format string, values ...any) {
	if len(r.findings) == findingsMax {
		r.hidden++
		return
	}
	r.findings = append(r.findings,
		fmt.Errorf("%s-%d at %d: %w", record.Topic, record.Partition, record.Offset, fmt.Errorf(format, values...)))
}

func (r *reading) result() error {
	for key, next := range r.next {
		wanted := r.records / r.keys
		if key < r.records%r.keys {
			wanted++
		}
		if next == wanted {
			continue
		}
		if len(r.findings) < findingsMax {
			r.findings = append(r.findings, fmt.Errorf("%s: key %d ends with %d of %d records", r.topic(r.at), key, next, wanted))
		} else {
			r.hidden++
		}
	}
	fmt.Printf("topic %d: %d records, %d of them again\n", r.at, r.count, r.duplicates)
	if r.hidden > 0 {
		r.findings = append(r.findings, fmt.Errorf("%s: %d findings more", r.topic(r.at), r.hidden))
	}
	return errors.Join(r.findings...)
}

// checkCommitted wants the group of a stage to have committed what comes after its last record, in each partition.
func checkCommitted(ctx context.Context, s *settings, admin *kadm.Client, at int, seen *reading) error {
	offsets, err := admin.FetchOffsets(ctx, s.group(at))
	if err != nil {
		return fmt.Errorf("offsets of %s: %w", s.group(at), err)
	}
	var found []error
	for partition, wanted := range seen.data {
		committed, isThere := offsets.Lookup(s.topic(at), int32(partition))
		if wanted > 0 && (!isThere || committed.At != wanted) {
			found = append(found, fmt.Errorf("%s committed %d in partition %d, where %d comes next", s.group(at),
				committed.At, partition, wanted))
		}
	}
	return errors.Join(found...)
}

// checkProtocols wants every group to be of the protocol of this run.
func checkProtocols(ctx context.Context, s *settings, client *kgo.Client) error {
	listed, err := kmsg.NewPtrListGroupsRequest().RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("listing groups: %w", err)
	}
	types := map[string]string{}
	for _, group := range listed.Groups {
		types[group.Group] = strings.ToLower(group.GroupType)
	}
	var found []error
	for at := range s.stages {
		if is := types[s.group(at)]; is != s.protocol {
			found = append(found, fmt.Errorf("%s is of type %q, expected %q", s.group(at), is, s.protocol))
		}
	}
	return errors.Join(found...)
}
