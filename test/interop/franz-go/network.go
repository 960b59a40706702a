// The network of one member, which can be taken away.
package main

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

type network struct {
	mu          sync.Mutex
	isCut       bool
	connections []net.Conn
}

var errCut = errors.New("the network of this member was taken away")

func (n *network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	connection, err := dialer.DialContext(ctx, kind, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.isCut {
		connection.Close()
		return nil, errCut
	}
	n.connections = append(n.connections, connection)
	return connection, nil
}

// cut closes every connection and refuses new ones.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.isCut = true
	for _, connection := range n.connections {
		connection.Close()
	}
}
