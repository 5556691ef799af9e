//go:build pgzip

package main

import (
	"io"

	gzip "github.com/klauspost/pgzip"
)

// blocks is how many blocks may wait at once; the bytes do not depend on it.
const blocks = 4

func newCompressor(output io.Writer, chosen options) (compressor, error) {
	writer, err := gzip.NewWriterLevel(output, chosen.level)
	if err != nil || chosen.blockSize == 0 {
		return writer, err
	}
	return writer, writer.SetConcurrency(chosen.blockSize, blocks)
}
