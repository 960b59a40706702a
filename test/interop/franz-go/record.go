// What the records of the chain say: which of its key it is, and how many groups it has passed.
package main

import (
	"fmt"
	"strconv"
	"strings"
)

func keyOf(key int) []byte { return fmt.Appendf(nil, "key-%d", key) }

func keyNumber(key []byte) (int, error) {
	digits, isKey := strings.CutPrefix(string(key), "key-")
	if !isKey {
		return 0, fmt.Errorf("%q is no key of ours", key)
	}
	return strconv.Atoi(digits)
}

func valueOf(sequence, hops int) []byte { return fmt.Appendf(nil, "%d %d", sequence, hops) }

func parse(value []byte) (sequence, hops int, err error) {
	first, second, _ := strings.Cut(string(value), " ")
	if sequence, err = strconv.Atoi(first); err == nil {
		hops, err = strconv.Atoi(second)
	}
	if err != nil {
		err = fmt.Errorf("%q is no value of ours", value)
	}
	return sequence, hops, err
}
