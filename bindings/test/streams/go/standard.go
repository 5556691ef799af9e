//go:build !klauspost && !pgzip && !zstd

package main

import (
	"compress/gzip"
	"io"
)

func newCompressor(output io.Writer, chosen options) (compressor, error) {
	return gzip.NewWriterLevel(output, chosen.level)
}
