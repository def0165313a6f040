// Checks a served log with Go's own sumdb/note and sumdb/tlog, which share no code with the register.
//
//	check URL VKEY [PROOFS] < earlier-checkpoint
//
// URL is the log's prefix, VKEY its key, PROOFS how many random indexes and earlier sizes are proved. A checkpoint on
// standard input must be one that this log extends. Prints what was checked as one line of JSON; any finding ends it
// with status 1.
//
// Tiles are never trusted because a proof made from them happens to work: each is held, hash by hash, against the one
// that the leaves give, and the leaves against the signed root (TileHashReader alone was not enough, CVE-2026-56865).
// ProveTree refuses size 0, so a log must have a leaf.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

func must(err error, what string, args ...interface{}) {
	if err != nil {
		fail("%s: %v", fmt.Sprintf(what, args...), err)
	}
}

func get(url string) ([]byte, error) {
	response, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", url, response.StatusCode)
	}
	return io.ReadAll(response.Body)
}

// openCheckpoint reads a signed note whose text is origin, size and root (c2sp.org/tlog-checkpoint).
func openCheckpoint(signed []byte, verifier note.Verifier) tlog.Tree {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	must(err, "checkpoint")
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		fail("checkpoint: not one of %s: %q", verifier.Name(), opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, "size")
	root, err := base64.StdEncoding.DecodeString(lines[2])
	must(err, "root")
	if len(root) != tlog.HashSize {
		fail("the root has %d bytes", len(root))
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree
}

// path is the tile's path in c2sp.org/tlog-tiles: Go's without the height, and entries where Go says data.
func path(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
}

func entriesPath(tile tlog.Tile) string {
	return strings.Replace(path(tile), "tile/0/", "tile/entries/", 1)
}

// server is a tlog.TileReader over HTTP.
type server struct{ url string }

func (s server) Height() int { return height }

func (s server) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, 0, len(tiles))
	for _, tile := range tiles {
		content, err := get(s.url + "/" + path(tile))
		if err != nil {
			return nil, err
		}
		data = append(data, content)
	}
	return data, nil
}

func (s server) SaveTiles([]tlog.Tile, [][]byte) {}

// memory holds the hashes that the leaves give, in the order of tlog.StoredHashIndex.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for at, index := range indexes {
		if index >= int64(len(m)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		hashes[at] = m[index]
	}
	return hashes, nil
}

// readLeaves fetches every entry and gives the stored hashes and the leaf hashes.
func readLeaves(url string, size int64) (memory, []tlog.Hash) {
	var stored memory
	var leaves []tlog.Hash
	for first := int64(0); first < size; first += 1 << height {
		tile := tlog.Tile{H: height, L: 0, N: first >> height, W: 1 << height}
		if size-first < 1<<height {
			tile.W = int(size - first)
		}
		bundle, err := get(url + "/" + entriesPath(tile))
		must(err, "entries")
		for count := 0; count < tile.W; count++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				fail("%s holds %d entries", entriesPath(tile), count)
			}
			length := int(binary.BigEndian.Uint16(bundle))
			leaf := tlog.RecordHash(bundle[2 : 2+length])
			bundle = bundle[2+length:]
			hashes, err := tlog.StoredHashesForRecordHash(int64(len(leaves)), leaf, stored)
			must(err, "leaf %d", len(leaves))
			stored = append(stored, hashes...)
			leaves = append(leaves, leaf)
		}
		if len(bundle) > 0 {
			fail("%s has %d bytes too many", entriesPath(tile), len(bundle))
		}
	}
	return stored, leaves
}

// servedProof fetches c2sp.org/tlog-proof@v1 and gives its hashes and the tree that its checkpoint signs.
func servedProof(url string, index int64, verifier note.Verifier) (tlog.RecordProof, tlog.Tree) {
	content, err := get(fmt.Sprintf("%s/proof/%d", url, index))
	must(err, "proof")
	head := strings.SplitN(string(content), "\n\n", 2)
	lines := strings.Split(head[0], "\n")
	if len(head) != 2 || lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != fmt.Sprintf("index %d", index) {
		fail("not a proof of %d: %q", index, content)
	}
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		raw, err := base64.StdEncoding.DecodeString(line)
		must(err, "proof of %d", index)
		if len(raw) != tlog.HashSize {
			fail("proof of %d: a hash of %d bytes", index, len(raw))
		}
		var hash tlog.Hash
		copy(hash[:], raw)
		proof = append(proof, hash)
	}
	return proof, openCheckpoint([]byte(head[1]), verifier)
}

func main() {
	if len(os.Args) < 3 {
		fail("usage: check URL VKEY [PROOFS]")
	}
	url := strings.TrimSuffix(os.Args[1], "/")
	verifier, err := note.NewVerifier(os.Args[2])
	must(err, "vkey")
	proofs := 20
	if len(os.Args) > 3 {
		proofs, err = strconv.Atoi(os.Args[3])
		must(err, "PROOFS")
	}
	earlier, err := io.ReadAll(os.Stdin)
	must(err, "standard input")

	signed, err := get(url + "/checkpoint")
	must(err, "checkpoint")
	tree := openCheckpoint(signed, verifier)
	if tree.N == 0 {
		fail("the log is empty: there is nothing to prove")
	}

	// Every leaf, to the signed root.
	stored, leaves := readLeaves(url, tree.N)
	root, err := tlog.TreeHash(tree.N, stored)
	must(err, "root")
	if root != tree.Hash {
		fail("the leaves give the root %v, the checkpoint says %v", root, tree.Hash)
	}

	// Every tile, full and partial, hash by hash.
	tiles := tlog.NewTiles(height, 0, tree.N)
	for _, tile := range tiles {
		served, err := get(url + "/" + path(tile))
		must(err, "tile")
		expected, err := tlog.ReadTileData(tile, stored)
		must(err, "%s", path(tile))
		if !bytes.Equal(served, expected) {
			fail("%s is not what the leaves give", path(tile))
		}
	}

	// Proofs of inclusion made from the served tiles, and those that the server makes.
	reader := tlog.TileHashReader(tree, server{url})
	indexes := []int64{0, tree.N - 1}
	for count := 0; count < proofs; count++ {
		indexes = append(indexes, rand.Int63n(tree.N))
	}
	for _, index := range indexes {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		must(err, "proving %d", index)
		must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaves[index]), "leaf %d", index)
		proof, later := servedProof(url, index, verifier)
		must(tlog.CheckRecord(proof, later.N, later.Hash, index, leaves[index]), "served proof of %d", index)
		if later.N == tree.N && later.Hash != tree.Hash {
			fail("two roots at size %d", tree.N)
		}
	}

	// Consistency with earlier sizes, among them that of the earlier checkpoint.
	sizes := []int64{1, tree.N}
	for count := 0; count < proofs; count++ {
		sizes = append(sizes, 1+rand.Int63n(tree.N))
	}
	before := int64(0)
	roots := map[int64]tlog.Hash{}
	if len(bytes.TrimSpace(earlier)) > 0 {
		old := openCheckpoint(earlier, verifier)
		if old.N == 0 || old.N > tree.N {
			fail("the earlier checkpoint has size %d, this one %d", old.N, tree.N)
		}
		before = old.N
		roots[old.N] = old.Hash
		sizes = append(sizes, old.N)
	}
	for _, size := range sizes {
		old, said := roots[size]
		if !said {
			old, err = tlog.TreeHash(size, stored)
			must(err, "root at %d", size)
		}
		proof, err := tlog.ProveTree(tree.N, size, reader)
		must(err, "proving that %d extends %d", tree.N, size)
		must(tlog.CheckTree(proof, tree.N, tree.Hash, size, old), "%d does not extend %d", tree.N, size)
	}

	must(json.NewEncoder(os.Stdout).Encode(map[string]int64{
		"size": tree.N, "leaves": int64(len(leaves)), "tiles": int64(len(tiles)),
		"inclusion": int64(len(indexes)), "consistency": int64(len(sizes)), "earlier": before,
	}), "output")
}
