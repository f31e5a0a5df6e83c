// An independent peer for logs: builds the tree, the proofs and the tile paths with golang.org/x/mod, and opens notes
// and checks proofs made elsewhere. Co-signatures, which x/mod does not know, are a Verifier and Signer of its own, written
// from the text of C2SP tlog-cosignature. One JSON request on standard input, one JSON answer on standard output.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

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

// A checkpoint to sign and co-sign.
type wish struct {
	Log, Witness string
	Seed         []byte
	Time         uint64
	Size         int64
}

type request struct {
	Entries [][]byte
	Records []record
	Trees   []tree
	Notes   []signed
	Tiles   []tile
	Wishes  []wish
}

// A judgement, and what Go makes itself where it can.
type judged struct {
	Good bool
	Made []tlog.Hash
	Root tlog.Hash
}

type drawn struct {
	Path string
	Data []byte
}

type granted struct {
	Log, Witness string
	Note         []byte
}

type answer struct {
	Records []judged
	Trees   []judged
	Notes   []string
	Tiles   []drawn
	Wishes  []granted
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

const cosignatureV1 = 4

type cosigner struct {
	name    string
	public  ed25519.PublicKey
	private ed25519.PrivateKey
	time    uint64
}

func (c cosigner) material() []byte { return append([]byte{cosignatureV1}, c.public...) }

func (c cosigner) Name() string { return c.name }

func (c cosigner) KeyHash() uint32 {
	hash := sha256.Sum256(append([]byte(c.name+"\n"), c.material()...))
	return binary.BigEndian.Uint32(hash[:4])
}

func (c cosigner) String() string {
	return fmt.Sprintf("%s+%08x+%s", c.name, c.KeyHash(), base64.StdEncoding.EncodeToString(c.material()))
}

func (c cosigner) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	message := cosigned(binary.BigEndian.Uint64(signature), text)
	return ed25519.Verify(c.public, message, signature[8:])
}

func (c cosigner) Sign(text []byte) ([]byte, error) {
	time := binary.BigEndian.AppendUint64(nil, c.time)
	return append(time, ed25519.Sign(c.private, cosigned(c.time, text))...), nil
}

func cosigned(time uint64, text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), text...)
}

func verifier(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) == 3 {
		material, err := base64.StdEncoding.DecodeString(parts[2])
		if err == nil && len(material) == 1+ed25519.PublicKeySize && material[0] == cosignatureV1 {
			witness := cosigner{name: parts[0], public: material[1:]}
			if witness.String() != vkey {
				return nil, errors.New("the key id is not that of the key")
			}
			return witness, nil
		}
	}
	return note.NewVerifier(vkey)
}

func grant(w wish, hashes stored) granted {
	private := ed25519.NewKeyFromSeed(w.Seed)
	public := private.Public().(ed25519.PublicKey)
	log := must(note.NewEd25519VerifierKey(w.Log, public))
	id := strings.Split(log, "+")[1]
	secret := base64.StdEncoding.EncodeToString(append([]byte{1}, w.Seed...))
	signer := must(note.NewSigner("PRIVATE+KEY+" + w.Log + "+" + id + "+" + secret))
	witness := cosigner{w.Witness, public, private, w.Time}
	text := fmt.Sprintf("%s\n%d\n%s\n", w.Log, w.Size, must(tlog.TreeHash(w.Size, hashes)))
	return granted{log, witness.String(), must(note.Sign(&note.Note{Text: text}, signer, witness))}
}

func open(s signed) string {
	verifier, err := verifier(s.Key)
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
		asked := tlog.Tile{H: 8, L: t.Level, N: t.Index, W: t.Width}
		// Only a path is wanted of a tile beyond the end of the tree.
		data, _ := tlog.ReadTileData(asked, hashes)
		out.Tiles = append(out.Tiles, drawn{asked.Path(), data})
	}
	for _, w := range ask.Wishes {
		out.Wishes = append(out.Wishes, grant(w, hashes))
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		must(0, err)
	}
}
