// Command compress writes standard input to standard output as gzip or zstd, by the encoder
// that it was built with: one of standard.go, klauspost.go, pgzip.go and zstd.go, chosen by a build tag. The version of
// that encoder is chosen by a file of modules/, given to `go build -modfile`.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
)

// compressor is what the encoders' writers have in common.
type compressor interface {
	io.WriteCloser
	Flush() error
}

// options are an encoder's parameters.
type options struct {
	// level is the encoder's own: -1 is its default.
	level int
	// blockSize is pgzip's, in bytes of plain text; 0 keeps its default.
	blockSize int
}

func main() {
	var chosen options
	flag.IntVar(&chosen.level, "level", -1, "compression level, -1 for the encoder's default")
	flag.IntVar(&chosen.blockSize, "block", 0, "bytes of plain text in a block of pgzip, 0 for its default")
	memberSize := flag.Int64("member", 0, "bytes of plain text in a member, 0 for one member")
	flushSize := flag.Int64("flush", 0, "bytes of plain text after which to flush, 0 for never")
	flag.Parse()
	if err := run(chosen, *memberSize, *flushSize); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run writes members until the input ends, and one of no plain text for an empty input.
func run(chosen options, memberSize, flushSize int64) error {
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := bufio.NewWriterSize(os.Stdout, 1<<20)
	for {
		part := io.Reader(plainReader{input})
		if memberSize > 0 {
			part = io.LimitReader(input, memberSize)
		}
		if err := writeMember(output, part, chosen, flushSize); err != nil {
			return err
		}
		if _, err := input.Peek(1); err == io.EOF {
			return output.Flush()
		} else if err != nil {
			return err
		}
	}
}

func writeMember(output io.Writer, input io.Reader, chosen options, flushSize int64) error {
	member, err := newCompressor(output, chosen)
	if err != nil {
		return err
	}
	if err := fill(member, input, flushSize); err != nil {
		return err
	}
	return member.Close()
}

func fill(member compressor, input io.Reader, flushSize int64) error {
	if flushSize == 0 {
		_, err := io.Copy(member, input)
		return err
	}
	for {
		count, err := io.CopyN(member, input, flushSize)
		if err != nil && err != io.EOF {
			return err
		}
		if count > 0 {
			if err := member.Flush(); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// plainReader hides WriteTo, so that each encoder gets the 32 KiB writes of io.Copy.
type plainReader struct{ io.Reader }
