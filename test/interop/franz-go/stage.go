// One group of the chain, and the coming and going of its members.
package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kgo"
)

// failuresMax is how many failures of members one stage tells.
const failuresMax = 5

// stage reads the topic of its number and writes to the next.
type stage struct {
	*settings
	at     int
	passed atomic.Int64
	aborts atomic.Int64
	// Times that a member could not join at once, or lost its place.
	rejoins atomic.Int64
	joins   int
	leaves  int
	fallen  int
	// The members by slot; a slot keeps its transactional id from member to member. nil: free.
	slots []*member

	mu       sync.Mutex
	failures []error
}

func newStage(s *settings, at int) *stage {
	return &stage{settings: s, at: at, slots: make([]*member, s.members)}
}

// Strategies of the groups along the chain. With the new protocol franz-go asks the broker for the assignor `uniform`
// in place of sticky and for `range`; with any other strategy it would silently stay with the classic protocol.
var (
	classicBalancers = []kgo.GroupBalancer{kgo.CooperativeStickyBalancer(), kgo.RangeBalancer(), kgo.RoundRobinBalancer()}
	serverBalancers  = []kgo.GroupBalancer{kgo.CooperativeStickyBalancer(), kgo.RangeBalancer()}
)

func (g *stage) balance() []kgo.Opt {
	if g.protocol == consumerProtocol {
		return []kgo.Opt{kgo.Balancers(serverBalancers[g.at%len(serverBalancers)]), kgo.ServerSideBalancer()}
	}
	return []kgo.Opt{kgo.Balancers(classicBalancers[g.at%len(classicBalancers)])}
}

// change lets a member come or go; the first change brings two.
func (g *stage) change(number int) {
	if number == 0 {
		g.join()
		g.join()
		return
	}
	// Stages are out of step with each other, so that groups rebalance in different pairs of ways.
	switch (number + g.at) % 5 {
	case 0, 1, 3:
		g.join()
	case 2:
		g.leave()
	case 4:
		if g.crashes {
			g.fall()
		} else {
			g.leave()
		}
	}
}

func (g *stage) join() {
	for slot, there := range g.slots {
		if there == nil {
			g.slots[slot] = startMember(g, slot)
			g.joins++
			return
		}
	}
	g.leave()
}

// oldest gives the slot of the member that has been here longest.
func (g *stage) oldest() int {
	found := -1
	for slot, there := range g.slots {
		if there != nil && (found < 0 || there.number < g.slots[found].number) {
			found = slot
		}
	}
	return found
}

// leave lets the oldest member finish what it has in hand, commit and leave, without waiting for it.
func (g *stage) leave() {
	slot := g.oldest()
	leaving := g.slots[slot]
	leaving.stop()
	g.leaves++
	// The slot is taken until the member has left: its transactional id is in use.
	<-leaving.done
	g.slots[slot] = nil
	for _, there := range g.slots {
		if there != nil {
			return
		}
	}
	g.join()
}

// fall cuts the oldest member off the network in whatever it does; another with its transactional id takes its place.
func (g *stage) fall() {
	slot := g.oldest()
	g.slots[slot].fall()
	g.fallen++
	g.slots[slot] = startMember(g, slot)
	g.joins++
}

// end lets all members leave.
func (g *stage) end() {
	for _, there := range g.slots {
		if there != nil {
			there.stop()
		}
	}
	for _, there := range g.slots {
		if there != nil {
			<-there.done
		}
	}
}

func (g *stage) fail(member string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.failures) < failuresMax {
		g.failures = append(g.failures, fmt.Errorf("%s: %w", member, err))
	}
}

func (g *stage) failure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return errors.Join(g.failures...)
}

func (g *stage) summary() string {
	return fmt.Sprintf("group %d: %d records, %d members came, %d left, %d vanished, %d came again, %d transactions aborted",
		g.at, g.passed.Load(), g.joins, g.leaves, g.fallen, g.rejoins.Load(), g.aborts.Load())
}
