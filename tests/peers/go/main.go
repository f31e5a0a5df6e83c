// An independent peer for logs: builds the tree, the proofs and the tile paths with golang.org/x/mod, and opens notes
// and checks proofs made elsewhere. One JSON request on standard input, one JSON answer on standard output.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type record struct {
	Size, Index int64
	Path        []tlog.Hash
	Root        tlog.Hash
	Entry       []byte
}

type tree struct {
	Old, New         int64
	Path             []tlog.Hash
	OldRoot, NewRoot tlog.Hash
}

type signed struct {
	Key  string
	Note []byte
}

type tile struct {
	Level, Width int
	Index        int64
}

type request struct {
	Entries [][]byte
	Records []record
	Trees   []tree
	Notes   []signed
	Tiles   []tile
}

// A judgement, and what Go makes itself where it can.
type judged struct {
	Good bool
	Made []tlog.Hash
	Root tlog.Hash
}

type answer struct {
	Records []judged
	Trees   []judged
	Notes   []string
	Tiles   []string
}

type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, index := range indexes {
		if index < 0 || index >= int64(len(s)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		out = append(out, s[index])
	}
	return out, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func open(s signed) string {
	verifier, err := note.NewVerifier(s.Key)
	if err != nil {
		return "key: " + err.Error()
	}
	opened, err := note.Open(s.Note, note.VerifierList(verifier))
	if err != nil {
		return "refused: " + err.Error()
	}
	return "good: " + opened.Text
}

func main() {
	var ask request
	if err := json.NewDecoder(os.Stdin).Decode(&ask); err != nil {
		must(0, err)
	}
	var hashes stored
	for n, entry := range ask.Entries {
		hashes = append(hashes, must(tlog.StoredHashes(int64(n), entry, hashes))...)
	}
	var out answer
	for _, r := range ask.Records {
		err := tlog.CheckRecord(r.Path, r.Size, r.Root, r.Index, tlog.RecordHash(r.Entry))
		made := must(tlog.ProveRecord(r.Size, r.Index, hashes))
		out.Records = append(out.Records, judged{err == nil, made, must(tlog.TreeHash(r.Size, hashes))})
	}
	for _, t := range ask.Trees {
		err := tlog.CheckTree(t.Path, t.New, t.NewRoot, t.Old, t.OldRoot)
		made := must(tlog.ProveTree(t.New, t.Old, hashes))
		out.Trees = append(out.Trees, judged{err == nil, made, must(tlog.TreeHash(t.Old, hashes))})
	}
	for _, s := range ask.Notes {
		out.Notes = append(out.Notes, open(s))
	}
	for _, t := range ask.Tiles {
		out.Tiles = append(out.Tiles, tlog.Tile{H: 8, L: t.Level, N: t.Index, W: t.Width}.Path())
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		must(0, err)
	}
}
