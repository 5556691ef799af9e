//go:build klauspost

package main

import (
	"io"

	"github.com/klauspost/compress/gzip"
)

func newCompressor(output io.Writer, chosen options) (compressor, error) {
	return gzip.NewWriterLevel(output, chosen.level)
}
