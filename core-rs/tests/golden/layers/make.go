// Compresses stdin as the named compressor does: go, klauspost, pgzip, zstd (klauspost's); with the level given.
package main

import (
	"compress/gzip"
	"io"
	"os"
	"strconv"

	klauspost "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/klauspost/pgzip"
)

func main() {
	level, err := strconv.Atoi(os.Args[2])
	check(err)
	var writer io.WriteCloser
	switch os.Args[1] {
	case "go":
		writer, err = gzip.NewWriterLevel(os.Stdout, level)
	case "klauspost":
		writer, err = klauspost.NewWriterLevel(os.Stdout, level)
	case "pgzip":
		writer, err = pgzip.NewWriterLevel(os.Stdout, level)
	case "zstd":
		writer, err = zstd.NewWriter(os.Stdout, zstd.WithEncoderLevel(zstd.EncoderLevel(level)))
	}
	check(err)
	_, err = io.Copy(writer, os.Stdin)
	check(err)
	check(writer.Close())
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
