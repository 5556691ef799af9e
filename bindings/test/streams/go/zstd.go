//go:build zstd

package main

import (
	"io"

	"github.com/klauspost/compress/zstd"
)

func newCompressor(output io.Writer, chosen options) (compressor, error) {
	return zstd.NewWriter(output, zstd.WithEncoderLevel(zstd.EncoderLevel(chosen.level)))
}
